"""Numbers of the fairness track, from the table of its cells: power, false blocks, lead time, over seeds.

Facts about methods and tasks are columns of the table (``role``, ``limit``, ``battery``, ``scenario``,
``strength``, ``norm``, ...). Tables that were made before facts were stored lack some: what depends on them
is then unknown, and nothing else.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl

from mlopsim.stats.bootstrap import mean_interval
from mlopsim.stats.interval import Interval
from mlopsim.stats.table import best_first, interval_columns
from mlopsim.tracks.cell_table import axes_of, done, fact_columns, facts, grid, mean_of

#: norms that a bias may violate
NORMS = ("treatment", "impact", "errors")
#: facts about methods: those that say who is compared with whom, and others
FACTS = ("role", "limit", "needs")
MORE_FACTS = ("reads", "known", "family", "battery", "audits")
#: facts about tasks under which one deployment may stand several times
CONDITIONS = ("label_delay", "lime_rows")
#: methods are compared with those whose limit is of the same kind: these stand below all others
LAST = ("given", "none")


def methods_of(table: pl.DataFrame) -> list[str]:
    """Return the methods, in the order of the suite.

    Examples
    --------
    >>> methods_of(pl.DataFrame({"method": ["b", "a", "b"]}))
    ['b', 'a']
    """
    return list(dict.fromkeys(table["method"].to_list()))


def controls(table: pl.DataFrame) -> list[str]:
    """Return the methods that are controls."""
    return [method for method, role in facts(table, "role").items() if role == "control"]


def rules(table: pl.DataFrame) -> list[str]:
    """Return the methods that are rules of thumb: their limit is given, whatever it does."""
    return [method for method, limit in facts(table, "limit").items() if limit == "given"]


def batteries(table: pl.DataFrame) -> list[str]:
    """Return the methods that are several audits under one limit."""
    return [method for method, battery in facts(table, "battery").items() if battery]


def calibrated(table: pl.DataFrame) -> list[str]:
    """Return the methods that block deployments without bias equally rarely."""
    return [method for method, limit in facts(table, "limit").items() if limit == "calibrated"]


def _tasks(table: pl.DataFrame, condition: pl.Expr) -> list[str]:
    """Return the tasks that have a done cell that fulfils a condition."""
    known = set(done(table).filter(condition)["task"].to_list())
    return [task for task in axes_of(table)[1] if task in known]


def biased(table: pl.DataFrame, norm: str | None = None) -> list[str]:
    """Return the tasks in which something is wrong: those in which power is defined.

    Parameters
    ----------
    table : polars.DataFrame
    norm : str, optional
        One of :data:`NORMS`: only those in which this norm is violated; none if the table does not say.
    """
    if norm is None:
        return _tasks(table, pl.col("power").is_finite())
    if table.schema.get("norm") != pl.String:
        return []
    return _tasks(table, pl.col("norm") == norm)


def _right(table: pl.DataFrame, condition: pl.Expr) -> list[str]:
    if "strength" not in table.columns:
        return []
    return _tasks(table, pl.col("false_block").is_finite() & condition)


def fair(table: pl.DataFrame) -> list[str]:
    """Return the tasks without any bias."""
    return _right(table, pl.col("strength") == 0.0)


def unequal(table: pl.DataFrame) -> list[str]:
    """Return the tasks in which groups differ and nothing is wrong."""
    return _right(table, pl.col("strength") > 0.0)


def usual(table: pl.DataFrame, tasks: Sequence[str]) -> list[str]:
    """Return the tasks with the least label delay and the fewest rows for LIME of all in the table.

    What else there is are the same deployments under other conditions: means over tasks leave it out.

    Examples
    --------
    >>> table = pl.DataFrame({"task": ["a", "b", "c"], "label_delay": [0, 2, 0], "lime_rows": [50, 50, 600]})
    >>> table = table.with_columns(role=pl.lit("method"))
    >>> usual(table, ["a", "b", "c"]), usual(table.drop("label_delay"), ["b", "c"])
    (['a'], ['b'])
    """
    kept = list(tasks)
    for name in CONDITIONS:
        value = facts(table, name, of="task")
        known = [found for found in value.values() if found is not None]
        if known:
            kept = [task for task in kept if value[task] in (None, min(known))]
    return kept


def under_conditions(table: pl.DataFrame, name: str, tasks: Sequence[str]) -> dict[str, dict[Any, list[str]]]:
    """Return the tasks of each scenario that is met under several values of a condition, by the value.

    Parameters
    ----------
    table : polars.DataFrame
    name : str
        One of :data:`CONDITIONS`; others have their least values.
    tasks : sequence of str
        Those that count.

    Returns
    -------
    dict of str to dict of value to list of str
        Of each value as many tasks, the same deployments in the same order, the least value first; called
        by the scenario with the least value. What is met under one value only is left out.

    Examples
    --------
    >>> table = pl.DataFrame({"task": ["a", "b", "c"], "label_delay": [2, 0, 0], "lime_rows": [50] * 3,
    ...                       "conditions": ["x", "x", "y"], "scenario": ["late", "soon", "other"]})
    >>> under_conditions(table.with_columns(role=pl.lit("method")), "label_delay", ["a", "b", "c"])
    {'soon': {0: ['b'], 2: ['a']}}
    """
    value, same, scenario = (facts(table, fact, of="task") for fact in (name, "conditions", "scenario"))
    others = [facts(table, other, of="task") for other in CONDITIONS if other != name]
    met: dict[str, dict[Any, str]] = {}
    for task in tasks:
        if all(known[task] == min(known.values()) for known in others):
            met.setdefault(same[task], {})[value[task]] = task
    found: dict[str, dict[Any, list[str]]] = {}
    for by in met.values():
        if len(by) > 1:
            by = dict(sorted(by.items()))
            # deployments of one scenario are met under the same values
            group = found.setdefault(scenario[next(iter(by.values()))], {key: [] for key in by})
            if list(group) == list(by):
                for key, task in by.items():
                    group[key].append(task)
    return found


def additions(table: pl.DataFrame) -> list[tuple[str, str, str]]:
    """Return batteries that are two others together: what is added, to what, and both.

    Examples
    --------
    >>> table = pl.DataFrame({"method": ["a", "b", "c"], "audits": ["x, y", "x, y, z", "z"]})
    >>> additions(table.with_columns(role=pl.lit("method"), battery=True))
    [('a', 'c', 'b'), ('c', 'a', 'b')]
    """
    members = {m: frozenset(text.split(", ")) for m, text in facts(table, "audits").items() if text}
    return [
        (one, other, both)
        for both, everything in members.items()
        for one, added in members.items()
        for other, base in members.items()
        if not added & base and added | base == everything
    ]


def strengths(table: pl.DataFrame) -> dict[str, float]:
    """Return the strength of the bias in each task."""
    return facts(table, "strength", of="task")


def norms(table: pl.DataFrame) -> dict[str, str | None]:
    """Return the norm that is violated in each task; None for none."""
    return facts(table, "norm", of="task")


def scenarios(table: pl.DataFrame, tasks: Sequence[str]) -> dict[str, list[str]]:
    """Return the tasks of each scenario, the weakest bias first.

    Examples
    --------
    >>> table = pl.DataFrame({"task": ["p 1", "p .5"], "scenario": "p", "strength": [1.0, 0.5]})
    >>> table = table.with_columns(role=pl.lit("method"))
    >>> scenarios(table, ["p 1", "p .5"])
    {'p': ['p .5', 'p 1']}
    """
    strength, scenario = strengths(table), facts(table, "scenario", of="task")
    order = dict.fromkeys(scenario[task] for task in tasks)
    found: dict[str, list[str]] = {name: [] for name in order}
    for task in sorted(tasks, key=lambda name: strength[name]):
        found[scenario[task]].append(task)
    return found


def twins(table: pl.DataFrame) -> list[tuple[str, list[str], list[str]]]:
    """Return what looks the same to somebody who sees no labels, while something is wrong in one half only.

    Returns
    -------
    list of (str, list of str, list of str)
        A scenario, its tasks in which something is wrong, and those of the same strengths in which groups
        differ and nothing is wrong.
    """
    features = facts(table, "features", of="task")
    wrong, right = scenarios(table, biased(table)), scenarios(table, unequal(table))
    found = []
    for name, tasks in wrong.items():
        for others in right.values():
            common = {features[task] for task in tasks} & {features[task] for task in others}
            if common:
                pair = [[t for t in half if features[t] in common] for half in (tasks, others)]
                found.append((name, pair[0], pair[1]))
    return found


def leaderboard(table: pl.DataFrame) -> pl.DataFrame:
    """Aggregate the cell table to one row a method.

    All methods meet the same deployments. Those with a calibrated limit come first, the largest power on top;
    then rules of thumb, then controls, which block deployments without bias as often as they do.

    Returns
    -------
    polars.DataFrame
        ``method``, :data:`FACTS` and :data:`MORE_FACTS` about it, ``power`` over the tasks in which
        something is wrong (the :func:`usual` ones) and by norm, ``false_block`` over the tasks without any
        bias, ``unequal_block`` over those in which groups differ and nothing is wrong,
        ``restricted_delay``, ``lead``, ``blamed``, ``stable``, each with ``_low``, ``_high``, ``_n``,
        ``_reason``; ``cells``: done.
    """
    methods = methods_of(table)
    wrong = biased(table)
    chosen: list[tuple[str, str, list[str]]] = [("power", "power", wrong)]
    chosen += [(f"power_{norm}", "power", biased(table, norm)) for norm in NORMS]
    chosen += [
        ("false_block", "false_block", fair(table)),
        ("unequal_block", "false_block", unequal(table)),
        ("restricted_delay", "restricted_delay", wrong),
        ("lead", "lead", wrong),
        ("blamed", "blamed", wrong),
        ("stable", "stable", wrong),
    ]
    # a terminal shows the first columns
    columns: dict[str, Any] = {"method": methods, **fact_columns(table, methods, FACTS)}
    for shown, name, all_tasks in chosen:
        if tasks := usual(table, all_tasks):
            columns |= interval_columns(shown, [mean_of(table, m, name, tasks) for m in methods])
    counts = dict(done(table).group_by("method").len().iter_rows())
    columns |= fact_columns(table, methods, MORE_FACTS)
    columns["cells"] = [int(counts.get(m, 0)) for m in methods]
    board = pl.DataFrame(columns)
    known = [(name, way) for name, way in (("power", "max"), ("false_block", "min")) if name in columns]
    if known:
        board = best_first(board, *known[0])
    # those whose limit is of another kind
    parts = [board.filter(pl.col("limit") == limit) for limit in LAST]
    first = board.filter(~pl.col("limit").is_in(LAST).fill_null(False))
    return pl.concat([first, *parts])


def difference(table: pl.DataFrame, one: str, other: str, name: str, tasks: list[str]) -> Interval:
    """Return the mean of a metric of one method less that of another, paired over tasks and seeds."""
    seeds, _ = axes_of(table)
    return _mean(grid(table, one, name, seeds, tasks) - grid(table, other, name, seeds, tasks))


def shifted(table: pl.DataFrame, method: str, name: str, here: list[str], there: list[str]) -> Interval:
    """Return the mean of a metric in some tasks less that in others, paired in order and over seeds."""
    seeds, _ = axes_of(table)
    return _mean(grid(table, method, name, seeds, here) - grid(table, method, name, seeds, there))


def apart(table: pl.DataFrame, method: str, wrong: list[str], right: list[str]) -> Interval:
    """Return how much more often a method blocks in some tasks than in others, paired over seeds.

    Parameters
    ----------
    table : polars.DataFrame
    method : str
    wrong, right : list of str
        Tasks of equal strengths in which something is wrong, and in which nothing is.
    """
    seeds, _ = axes_of(table)
    return _mean(
        grid(table, method, "power", seeds, wrong) - grid(table, method, "false_block", seeds, right)
    )


def _mean(gap: np.ndarray) -> Interval:
    if not np.isfinite(gap).any():
        return Interval(value=math.nan, n=0, reason="undefined in every cell")
    return mean_interval(gap, np.random.default_rng(0))


def false_blocks(table: pl.DataFrame) -> pl.DataFrame:
    """Return the rates at which fresh deployments without bias are blocked, once a limit and rule.

    Returns
    -------
    polars.DataFrame
        ``law of`` (a scenario that becomes these deployments without its bias), ``method``, ``rate`` with its
        interval and n, ``exact``, ``met`` (null for rules of thumb; both null where an earlier version made
        the limit), ``missing``.
    """
    rule = pl.col("limit") == "given"
    exact, met = (
        pl.col(name) if table.schema.get(name) == pl.Boolean else pl.lit(None, dtype=pl.Boolean)
        for name in ("exact", "met")
    )
    return (
        done(table)
        .filter(pl.col("rate").is_finite())
        .unique(["method", "fit", "limit"], keep="first", maintain_order=True)
        .select(
            pl.col("scenario").alias("law of"),
            "method",
            "rate",
            "rate_low",
            "rate_high",
            pl.col("rate_n").cast(pl.Int64),
            pl.lit(None, dtype=pl.String).alias("rate_reason"),
            # the fit is that of the audit's own limit, which a rule of thumb does not use
            pl.when(rule).then(False).otherwise(exact).alias("exact"),
            pl.when(~rule).then(met).alias("met"),
            "missing",
        )
        .sort("rate", descending=True)
    )
