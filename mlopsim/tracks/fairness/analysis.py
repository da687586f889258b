"""Numbers of the fairness track: power by norm and scenario, false blocks, lead time, over seeds."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl

from mlopsim.stats.bootstrap import mean_interval
from mlopsim.stats.interval import Interval
from mlopsim.stats.table import best_first, interval_columns
from mlopsim.tracks.cell_table import axes_of, done, grid, mean_of
from mlopsim.tracks.fairness.metrics import AT

#: codes of norms and their names
NORMS = {1.0: "treatment", 2.0: "impact", 3.0: "errors"}


def scenario_of(task: str) -> str:
    """Return the name of a task without its strength.

    Examples
    --------
    >>> scenario_of("proxy / ridge, s = 0.5"), scenario_of("no bias / ridge")
    ('proxy / ridge', 'no bias / ridge')
    """
    return task.partition(AT)[0]


def _tasks(table: pl.DataFrame, condition: pl.Expr) -> list[str]:
    """Return the tasks whose cells fulfil a condition."""
    known = set(done(table).filter(condition)["task"].to_list())
    return [task for task in axes_of(table)[1] if task in known]


def biased(table: pl.DataFrame, norm: float | None = None) -> list[str]:
    """Return the tasks in which a norm, or this one, is violated."""
    return _tasks(table, pl.col("norm") > 0.0 if norm is None else pl.col("norm") == norm)


def fair(table: pl.DataFrame) -> list[str]:
    """Return the tasks without any bias."""
    return _tasks(table, pl.col("strength") == 0.0)


def unequal(table: pl.DataFrame) -> list[str]:
    """Return the tasks in which groups differ and nothing is wrong."""
    return _tasks(table, (pl.col("strength") > 0.0) & (pl.col("norm") == 0.0))


def strengths(table: pl.DataFrame) -> dict[str, float]:
    """Return the strength of each task."""
    rows = done(table).unique("task", keep="first")
    return dict(rows.select("task", "strength").iter_rows())


def norms(table: pl.DataFrame) -> dict[str, str | None]:
    """Return the norm that is violated in each task; None for none."""
    rows = done(table).unique("task", keep="first")
    return {task: NORMS.get(code) for task, code in rows.select("task", "norm").iter_rows()}


def scenarios(table: pl.DataFrame, tasks: Sequence[str]) -> dict[str, list[str]]:
    """Return the tasks of each scenario, the weakest bias first."""
    strength = strengths(table)
    found: dict[str, list[str]] = {}
    for task in sorted(tasks, key=lambda name: strength[name]):
        found.setdefault(scenario_of(task), []).append(task)
    order = list(dict.fromkeys(scenario_of(task) for task in tasks))
    return {name: found[name] for name in order}


def methods_of(table: pl.DataFrame) -> list[str]:
    """Return the methods, in the order of the suite."""
    return list(dict.fromkeys(table["method"].to_list()))


def flag(table: pl.DataFrame, name: str) -> list[str]:
    """Return the methods of which a flag (``arm``, ``rule``, ``control``) is set."""
    known = set(done(table).filter(pl.col(name) == 1.0)["method"].to_list())
    return [method for method in methods_of(table) if method in known]


def leaderboard(table: pl.DataFrame) -> pl.DataFrame:
    """Aggregate the cell table to one row a method, the largest power first.

    Returns
    -------
    polars.DataFrame
        method, control, ``power`` over the tasks in which something is wrong and by norm, ``false_block``
        over the tasks without any bias, ``unequal_block`` over those in which groups differ and nothing is
        wrong, ``restricted_delay``, ``lead``, ``blamed``, ``stable``, each with ``_low``, ``_high``, ``_n``,
        ``_reason``; ``cells``: done.
    """
    methods = methods_of(table)
    controls, rules = set(flag(table, "control")), set(flag(table, "rule"))
    wrong = biased(table)
    columns: dict[str, Any] = {
        "method": methods,
        "control": [m in controls for m in methods],
        "rule": [m in rules for m in methods],
    }
    chosen: list[tuple[str, str, list[str]]] = [("power", "power", wrong)]
    chosen += [(f"power_{name}", "power", biased(table, code)) for code, name in NORMS.items()]
    chosen += [
        ("false_block", "false_block", fair(table)),
        ("unequal_block", "false_block", unequal(table)),
        ("restricted_delay", "restricted_delay", wrong),
        ("lead", "lead", wrong),
        ("blamed", "blamed", wrong),
        ("stable", "stable", wrong),
    ]
    for shown, name, tasks in chosen:
        if tasks:
            columns |= interval_columns(shown, [mean_of(table, m, name, tasks) for m in methods])
    counts = dict(done(table).group_by("method").len().iter_rows())
    columns["cells"] = [int(counts.get(m, 0)) for m in methods]
    return best_first(pl.DataFrame(columns), "power" if wrong else "false_block", "max" if wrong else "min")


def difference(table: pl.DataFrame, one: str, other: str, name: str, tasks: list[str]) -> Interval:
    """Return the mean of a metric of one method less that of another, paired over tasks and seeds."""
    seeds, _ = axes_of(table)
    gap = grid(table, one, name, seeds, tasks) - grid(table, other, name, seeds, tasks)
    if not np.isfinite(gap).any():
        return Interval(value=math.nan, n=0, reason="undefined in every cell")
    return mean_interval(gap, np.random.default_rng(0))


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
    gap = grid(table, method, "power", seeds, wrong) - grid(table, method, "false_block", seeds, right)
    if not np.isfinite(gap).any():
        return Interval(value=math.nan, n=0, reason="undefined in every cell")
    return mean_interval(gap, np.random.default_rng(0))
