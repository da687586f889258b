"""From cells of the governance track to numbers: leaderboard, tasks, time out of compliance, reviewers.

What the parts are worth stands in :mod:`mlopsim.tracks.governance.worth`, return against cost in
:mod:`mlopsim.tracks.governance.fronts`, limits in :mod:`mlopsim.tracks.governance.limits`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import polars as pl

from mlopsim.core.track import Curves
from mlopsim.stats.bootstrap import mean_interval
from mlopsim.stats.interval import Interval
from mlopsim.stats.table import best_first, interval_columns
from mlopsim.tracks.cell_table import axes_of, done, fact_columns, facts, grid, mean_of
from mlopsim.tracks.comparison import comparison
from mlopsim.tracks.draws import bootstrap_rng
from mlopsim.tracks.governance.arms import PARTS
from mlopsim.tracks.governance.fitted import FITTED
from mlopsim.tracks.governance.fronts import (
    Bounds,
    Fronts,
    front_difference,
    front_score,
    operating_point,
    undefined,
)
from mlopsim.tracks.governance.limits import Limits

#: metrics of the leaderboard beside return and cost, in its order
MEANS = (
    *("over", "out", "longest", "suspended", "accuracy", "retrains", "switches", "rollbacks"),
    *("denied", "refused", "alarms", "impossible"),
)
#: attributes of methods, and of tasks
FACTS = ("family", "role", "reads", "needs", "known", *PARTS)
TASK_FACTS = (
    *("scenario", "stream", "learner", "training", "data_gate", "reviewer", "constraints", "fallback"),
    FITTED,
)
#: the attribute of a task that says to which family of streams it belongs
FAMILY = "scenario"


def families(table: pl.DataFrame) -> dict[str, list[str]]:
    """Return the tasks of each family that :func:`pool` leaves; a task without one is its own family.

    Examples
    --------
    >>> table = pl.DataFrame({"task": ["a", "b", "c"], "scenario": ["x", None, "x"], "role": "-",
    ...                       "method": "never", "seed": 0, "status": "done"})
    >>> families(table)
    {'x': ['a', 'c'], 'b': ['b']}
    """
    found: dict[str, list[str]] = {}
    known = facts(table, FAMILY, of="task")
    for task in pool(table):
        family = known[task]
        found.setdefault(str(family) if family is not None else task, []).append(task)
    return found


def pool(table: pl.DataFrame) -> list[str]:
    """Return the tasks that one row of a table may mix.

    Of tasks that differ in their reviewer only the first one, and none that is played with the fits of
    another one: these are the same scenarios under other conditions.
    """
    others = [task for same in reviewer_groups(table).values() for task in list(same.values())[1:]]
    others += [task for task, name in fitted_under(table).items() if name is not None]
    return [task for task in axes_of(table)[1] if task not in others]


def fitted_under(table: pl.DataFrame) -> dict[str, str | None]:
    """Return the task under whose conditions the fits of each task were made; None: under its own.

    Examples
    --------
    >>> fitted_under(pl.DataFrame({"task": ["a", "b"], "role": "method", "fitted": [None, "a"]}))
    {'a': None, 'b': 'a'}
    """
    if FITTED not in table.columns:
        return {}
    return {
        task: None if name is None else str(name) for task, name in facts(table, FITTED, of="task").items()
    }


def methods_of(table: pl.DataFrame, task: str) -> list[str]:
    """Return the methods that a task has cells of, in the order of the table."""
    return list(dict.fromkeys(table.filter(pl.col("task") == task)["method"].to_list()))


def leaderboard(table: pl.DataFrame, curves: Curves | None = None) -> pl.DataFrame:
    """Aggregate the cell table to one row a method, the best front score first.

    Parameters
    ----------
    table : polars.DataFrame
        Cells.
    curves : callable, optional
        Series of a cell by its key; without them front scores are undefined.

    Returns
    -------
    polars.DataFrame
        method; ``front`` (:func:`mlopsim.tracks.governance.fronts.front_score`) over ``front_tasks`` tasks,
        those without front or room for a score ``left_out`` (names); ``return``, ``cost`` and :data:`MEANS`,
        means over tasks and scenarios; each with ``_low``, ``_high``, ``_n`` and ``_reason``. ``met`` of
        ``limited``, ``broken`` of ``easy``, ``beyond``: see :class:`mlopsim.tracks.governance.limits.Met`.
        ``cells``: done; the attributes :data:`FACTS`.
    """
    tasks = pool(table)
    methods = list(dict.fromkeys(table["method"].to_list()))
    fronts = Fronts.of(table, curves, tasks)
    counted = fronts.pooled

    def score(method: str) -> Interval:
        if not counted:
            return undefined(fronts.nothing)
        return front_score(counted, [operating_point(table, method, one.task) for one in counted])

    columns: dict[str, Any] = {"method": methods, **interval_columns("front", [score(m) for m in methods])}
    columns["front_tasks"] = [len(counted)] * len(methods)
    columns["left_out"] = [", ".join(fronts.left_out)] * len(methods)
    for name in ("return", "cost"):
        columns |= interval_columns(name, [mean_of(table, method, name, tasks) for method in methods])
    limits = Limits(table=table, curves=curves)
    found = [limits.met(method, tasks) for method in methods]
    for name in ("met", "limited", "broken", "easy"):
        columns[name] = pl.Series([getattr(one, name) for one in found], dtype=pl.Int64)
    columns["beyond"] = [one.beyond for one in found]
    for name in MEANS:
        columns |= interval_columns(name, [mean_of(table, method, name, tasks) for method in methods])
    pooled = done(table).filter(pl.col("task").is_in(tasks))
    counts = dict(pooled.group_by("method").len().iter_rows())
    columns["cells"] = [int(counts.get(method, 0)) for method in methods]
    columns |= fact_columns(table, methods, FACTS)
    board = pl.DataFrame(columns)
    return best_first(board, "return" if board["front"].is_nan().all() else "front")


def compare(table: pl.DataFrame, a: str, b: str, curves: Curves | None = None) -> pl.DataFrame:
    """Return the front score of a less that of b, by task and over those that the leaderboard pools.

    Beside it the paired differences of return and cost. Over several tasks the score is over those that the
    leaderboard counts, ``front_tasks`` of them.
    """
    _, tasks = axes_of(table)
    fronts = {task: Fronts.of(table, curves, [task]) for task in tasks}

    def counting(over: Sequence[str]) -> list[Bounds]:
        return [one for task in over for one in fronts[task].pooled]

    def difference(over: list[str]) -> Interval:
        counted = counting(over)
        if not counted:
            return undefined("; ".join(dict.fromkeys(fronts[task].nothing for task in over)))
        points = ([operating_point(table, method, one.task) for one in counted] for method in (a, b))
        return front_difference(counted, *points)

    def of(name: str) -> Callable[[list[str]], Interval]:
        return lambda over: paired(table, (a, over), (b, over), name)

    beside = {f"{name}_difference": of(name) for name in ("return", "cost")}
    pooled = pool(table)
    found = comparison(tasks, pooled, difference, **beside)
    counts = [len(counting(over)) for over in ([task] for task in tasks)] + [len(counting(pooled))]
    return found.insert_column(2, pl.Series("front_tasks", counts[: found.height], dtype=pl.Int64))


def paired(
    table: pl.DataFrame, a: tuple[str, Sequence[str]], b: tuple[str, Sequence[str]], name: str
) -> Interval:
    """Return the mean of a metric of one method in some tasks less that of another in as many.

    Both are (method, tasks); paired by seed and place of the task.
    """
    seeds, _ = axes_of(table)
    gap = grid(table, a[0], name, seeds, list(a[1])) - grid(table, b[0], name, seeds, list(b[1]))
    if not np.isfinite(gap).any():
        return undefined("undefined for one of them in every cell")
    return mean_interval(gap, bootstrap_rng(0))


def places(
    table: pl.DataFrame, curves: Curves | None = None, tasks: Sequence[str] | None = None
) -> pl.DataFrame:
    """Tabulate where each method stands: one row a task and method.

    Returns
    -------
    polars.DataFrame
        ``task``, ``method``, ``front``, ``cost``, ``return``, each with ``_low``, ``_high``, ``_n`` (scenario
        seeds) and ``_reason``; by task, best front score first.
    """
    boards = []
    for task in axes_of(table)[1] if tasks is None else tasks:
        fronts = Fronts.of(table, curves, [task])
        methods = methods_of(table, task)
        scores = [
            front_score(fronts.bounds, [operating_point(table, method, task)])
            if fronts.bounds
            else undefined(fronts.nothing)
            for method in methods
        ]
        columns: dict[str, Any] = {"task": [task] * len(methods), "method": methods}
        columns |= interval_columns("front", scores)
        for name in ("cost", "return"):
            columns |= interval_columns(name, [mean_of(table, method, name, [task]) for method in methods])
        boards.append(best_first(pl.DataFrame(columns), "front"))
    return pl.concat(boards)


def by_task(table: pl.DataFrame, curves: Curves | None = None) -> pl.DataFrame:
    """Return the front score of each method on each task."""
    return places(table, curves).select(
        "task", "method", pl.selectors.matches("^front(_low|_high|_n|_reason)?$")
    )


def per_task(table: pl.DataFrame, curves: Curves | None = None) -> pl.DataFrame:
    """Tabulate each method on each task with one row for each limit: :func:`places`, and whether it is met.

    Returns
    -------
    polars.DataFrame
        The columns of :func:`places`, then ``constraint``, ``limit``, ``on``, ``spent`` (what the limit is
        on; of limits on windows and runs the share of deployments that broke it), ``met`` and ``beyond``.
    """
    rows: list[dict[str, Any]] = []
    found: list[Interval] = []
    board = places(table, curves)
    read = Limits(table=table, curves=curves)
    for task, method in board.select("task", "method").iter_rows():
        key = {"task": task, "method": method}
        verdicts = read.verdicts(method, task)
        for one in verdicts:
            asked = {"constraint": one.limit.name, "limit": one.limit.limit, "on": one.limit.over.value}
            rows.append({**key, **asked, "met": one.met, "beyond": one.beyond})
            found.append(one.spent)
        if not verdicts:
            rows.append({**key, **dict.fromkeys(("constraint", "limit", "on", "met", "beyond"))})
            found.append(undefined("the task has no limit"))
    limits = pl.DataFrame(rows, infer_schema_length=None).with_columns(
        pl.Series(name, values) for name, values in interval_columns("spent", found).items()
    )
    spent = [name for name in limits.columns if name.startswith("spent")]
    joined = board.join(limits, on=["task", "method"], how="left", maintain_order="left")
    return joined.select(*board.columns, "constraint", "limit", "on", *spent, "met", "beyond")


def compliance_table(table: pl.DataFrame) -> pl.DataFrame:
    """Tabulate time out of compliance: one row a family and method.

    Returns
    -------
    polars.DataFrame
        ``family``, ``method``, ``out`` (share of windows with a violation), ``longest`` (longest run of them,
        windows), ``suspended`` (share of windows that the fallback served), and how often something was done:
        ``retrains``, ``alarms``, ``refused``, ``rollbacks`` a deployment; with intervals and n.
    """
    keys: list[tuple[str, str]] = []
    names = ("out", "longest", "suspended", "retrains", "alarms", "refused", "rollbacks")
    columns: dict[str, list[Interval]] = {name: [] for name in names}
    for family, tasks in families(table).items():
        for method in dict.fromkeys(table["method"].to_list()):
            keys.append((family, method))
            for name, found in columns.items():
                found.append(mean_of(table, method, name, tasks))
    result: dict[str, Any] = {"family": [f for f, _ in keys], "method": [m for _, m in keys]}
    for name, found in columns.items():
        result |= interval_columns(name, found)
    return pl.DataFrame(result)


# -- who reviews -------------------------------------------------------------------------------------


def reviewer_groups(table: pl.DataFrame) -> dict[str, dict[str, str]]:
    """Return groups of tasks that differ in their reviewer only: conditions to reviewer to task.

    A reviewer under whom the fits of another task are played is named with that task. Groups of one task are
    left out.
    """
    same, who = (facts(table, name, of="task") for name in ("conditions", "review"))
    under = fitted_under(table)
    found: dict[str, dict[str, str]] = {}
    for task, conditions in same.items():
        if conditions is not None and who[task] is not None:
            played = under.get(task)
            name = str(who[task]) if played is None else f"{who[task]} (fits of {played})"
            found.setdefault(conditions, {}).setdefault(name, task)
    return {key: tasks for key, tasks in found.items() if len(tasks) > 1}


def reviewer_table(table: pl.DataFrame, methods: Sequence[str] | None = None) -> pl.DataFrame:
    """Tabulate what reviewers change: one row a reviewer and method, over all conditions that have it.

    Parameters
    ----------
    table : polars.DataFrame
        Cells, with the attributes ``conditions`` and ``review`` of their tasks.
    methods : sequence of str, optional
        By default all that have cells under the reviewer.

    Returns
    -------
    polars.DataFrame
        ``reviewer``, ``method``, ``tasks``; ``return`` and ``cost``; ``return_change`` and ``cost_change``
        against the first reviewer of the same conditions, paired by scenario; ``denied``: versions. Each with
        interval and n.
    """
    groups = reviewer_groups(table)
    reviewers = list(dict.fromkeys(who for tasks in groups.values() for who in tasks))
    rows: list[dict[str, Any]] = []
    found: list[tuple[Interval, ...]] = []
    for who in reviewers:
        here = [tasks[who] for tasks in groups.values() if who in tasks]
        base = [next(iter(tasks.values())) for tasks in groups.values() if who in tasks]
        some = [method for method in methods_of(table, here[0]) if methods is None or method in methods]
        for method in some:
            rows.append({"reviewer": who, "method": method, "tasks": len(here)})
            found.append(
                (
                    *(mean_of(table, method, name, here) for name in ("return", "cost", "denied")),
                    *(paired(table, (method, here), (method, base), name) for name in ("return", "cost")),
                )
            )
    columns: dict[str, Any] = {name: [row[name] for row in rows] for name in ("reviewer", "method", "tasks")}
    names = ("return", "cost", "denied", "return_change", "cost_change")
    for name, intervals in zip(names, zip(*found, strict=True) if found else [()] * 5, strict=True):
        columns |= interval_columns(name, intervals)
    return pl.DataFrame(columns)


def telling(table: pl.DataFrame) -> list[str]:
    """Return the methods that figures name: all that are no arm, and arms with none, one or all parts on.

    Examples
    --------
    >>> on = {"gate": [None, False, True, True], "trigger": [None, False, True, False]}
    >>> rest = dict.fromkeys(("audits", "learned", "rollback"), [None, False, False, True])
    >>> telling(pl.DataFrame({"method": ["never", "none", "two", "three"], "role": ["-"] * 4, **on, **rest}))
    ['never', 'none']
    """
    on = {part: facts(table, part) for part in PARTS}
    count = {
        method: None if first is None else sum(bool(on[part][method]) for part in PARTS)
        for method, first in on[PARTS[0]].items()
    }
    return [method for method, parts in count.items() if parts in (None, 0, 1, len(PARTS))]
