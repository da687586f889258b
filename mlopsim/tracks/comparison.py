"""Two methods of one table: the paired difference of their scores, by task and pooled."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import polars as pl

from mlopsim.stats.bootstrap import mean_interval
from mlopsim.stats.interval import Interval
from mlopsim.stats.table import interval_columns
from mlopsim.tracks.cell_table import axes_of, grid

#: the row over tasks
POOLED = "all tasks"


def comparison(
    tasks: Sequence[str],
    pool: Sequence[str],
    difference: Callable[[list[str]], Interval],
    **beside: Callable[[list[str]], Interval],
) -> pl.DataFrame:
    """Tabulate a paired difference.

    Parameters
    ----------
    tasks : sequence of str
        One row each.
    pool : sequence of str
        Tasks of the last row, which a leaderboard pools; there is none without them.
    difference : callable
        Tasks to the difference over them, seeds resampled jointly.
    **beside : callable
        What stands beside it, by the name of its column, likewise.

    Returns
    -------
    polars.DataFrame
        ``task``, ``tasks`` (how many), ``difference`` and what stands beside it, each with ``_low``,
        ``_high``, ``_n``, ``_reason``.

    Examples
    --------
    >>> found = comparison(["a", "b"], ["a", "b"], lambda tasks: Interval(value=len(tasks), n=1, reason="1"))
    >>> found.select("task", "tasks", "difference").rows()
    [('a', 1, 1), ('b', 1, 1), ('all tasks', 2, 2)]
    """
    rows = [(task, [task]) for task in tasks]
    if pool:
        rows.append((POOLED, list(pool)))
    columns: dict[str, Any] = {"task": [name for name, _ in rows], "tasks": [len(over) for _, over in rows]}
    for name, make in {"difference": difference, **beside}.items():
        columns |= interval_columns(name, [make(over) for _, over in rows])
    return pl.DataFrame(columns)


def mean_difference(table: pl.DataFrame, a: str, b: str, name: str, tasks: list[str]) -> Interval:
    """Return the mean of a metric of one method less that of another, over cells in which both have it."""
    seeds, _ = axes_of(table)
    gap = grid(table, a, name, seeds, tasks) - grid(table, b, name, seeds, tasks)
    if not np.isfinite(gap).any():
        return Interval(value=math.nan, n=0, reason="undefined for one of them in every cell")
    return mean_interval(gap, np.random.default_rng(0))


def by_task(
    tasks: Sequence[str], methods: Sequence[str], name: str, score: Callable[[str, str], Interval]
) -> pl.DataFrame:
    """Tabulate a score of each method on each task.

    Parameters
    ----------
    tasks, methods : sequence of str
    name : str
        Of the score.
    score : callable
        Task and method to the score.

    Examples
    --------
    >>> by_task(["a", "b"], ["m"], "x", lambda task, method: Interval(value=2, n=1, reason="one")).rows()
    [('a', 'm', 2, nan, nan, 1, 'one'), ('b', 'm', 2, nan, nan, 1, 'one')]
    """
    keys = [(task, method) for task in tasks for method in methods]
    columns: dict[str, Any] = {"task": [task for task, _ in keys], "method": [method for _, method in keys]}
    return pl.DataFrame(columns | interval_columns(name, [score(task, method) for task, method in keys]))
