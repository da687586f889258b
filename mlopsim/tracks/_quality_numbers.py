"""Numbers of the quality track: what is lost, recovered, and harmed, over tasks and seeds."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import polars as pl

from mlopsim.stats.bootstrap import mean_interval, ns_interval
from mlopsim.stats.interval import Interval
from mlopsim.stats.table import best_first, interval_columns, pivot

BASE, TOP, ORACLE = "none", "clean", "oracle"
MEANS = ("recall", "false_alarm", "auroc", "dropped", "dropped_gap")
NOTHING_LOST = "nothing was lost without a gate: the interval of the loss reaches 0"


def done(table: pl.DataFrame) -> pl.DataFrame:
    """Return the cells that are done."""
    return table.filter(pl.col("status") == "done")


def grid(table: pl.DataFrame, method: str, name: str, seeds: list[Any], tasks: list[str]) -> np.ndarray:
    """Return a metric of a method, float64 (seeds, tasks); NaN where there is none."""
    found: np.ndarray = pivot(
        done(table).filter(pl.col("method") == method), name, clusters=seeds, tasks=tasks
    )[0]
    return found


def axes_of(table: pl.DataFrame) -> tuple[list[Any], list[str]]:
    """Return the seeds and tasks of a table."""
    rows = done(table)
    return sorted(rows["seed"].unique().to_list()), list(dict.fromkeys(rows["task"].to_list()))


def loss(table: pl.DataFrame, task: str) -> Interval:
    """Return what the errors of a task cost without a gate: accuracy on clean data less that without one."""
    seeds, _ = axes_of(table)
    gap = grid(table, TOP, "score", seeds, [task]) - grid(table, BASE, "score", seeds, [task])
    return mean_interval(gap, np.random.default_rng(0))


def costly(table: pl.DataFrame) -> list[str]:
    """Return the tasks whose errors cost something: the interval of the loss lies above 0."""
    return [task for task in axes_of(table)[1] if loss(table, task).low > 0.0]


def recovered(table: pl.DataFrame, method: str, tasks: list[str]) -> Interval:
    """Return (S_gate - S_none) / (S_clean - S_none), sums over tasks and seeds, seeds resampled."""
    if not tasks:
        return Interval(value=math.nan, n=0, reason=NOTHING_LOST)
    seeds, _ = axes_of(table)
    own = grid(table, method, "score", seeds, tasks)
    if not np.isfinite(own).all():
        return Interval(value=math.nan, n=0, reason="not done on every task and seed")
    return ns_interval(
        own,
        grid(table, BASE, "score", seeds, tasks),
        grid(table, TOP, "score", seeds, tasks),
        np.random.default_rng(0),
    )


def mean_of(table: pl.DataFrame, method: str, name: str, tasks: list[str]) -> Interval:
    """Return the mean of a metric over tasks and seeds, seeds resampled; undefined cells are left out."""
    seeds, _ = axes_of(table)
    values = grid(table, method, name, seeds, tasks)
    if not np.isfinite(values).any():
        return Interval(value=math.nan, n=0, reason="undefined in every cell")
    return mean_interval(values, np.random.default_rng(0))


def leaderboard(table: pl.DataFrame) -> pl.DataFrame:
    """Aggregate the cell table to one row a method, the largest recovered share first.

    Returns
    -------
    polars.DataFrame
        method, control, ``recovered`` over the tasks in which something was lost, ``harm`` (accuracy on clean
        data less that with the gate, in tasks without errors), and the means of :data:`MEANS` over the tasks
        with errors, each with ``_low``, ``_high``, ``_n``, ``_reason``; ``cells``: done.
    """
    _, tasks = axes_of(table)
    methods = list(dict.fromkeys(table["method"].to_list()))
    lost = costly(table)
    wrong = with_errors(table)
    right = [task for task in tasks if task not in wrong]
    control = {
        row["method"]: bool(row["control"])
        for row in done(table).unique("method", keep="first").select("method", "control").to_dicts()
    }
    columns: dict[str, Any] = {"method": methods, "control": [control.get(m, False) for m in methods]}
    columns |= interval_columns("recovered", [recovered(table, m, lost) for m in methods])
    columns |= interval_columns("harm", [harm(table, m, right) for m in methods])
    for name in MEANS:
        columns |= interval_columns(name, [mean_of(table, m, name, wrong) for m in methods])
    counts = dict(done(table).group_by("method").len().iter_rows())
    columns["cells"] = [int(counts.get(m, 0)) for m in methods]
    return best_first(pl.DataFrame(columns), "recovered", "max")


def with_errors(table: pl.DataFrame) -> list[str]:
    """Return the tasks in which something is wrong: recall of the truth is defined there."""
    rows = done(table).filter((pl.col("method") == ORACLE) & pl.col("recall").is_finite())
    known = set(rows["task"].to_list())
    return [task for task in axes_of(table)[1] if task in known]


def harm(table: pl.DataFrame, method: str, tasks: list[str]) -> Interval:
    """Return what a gate costs where nothing is wrong."""
    if not tasks:
        return Interval(value=math.nan, n=0, reason="there is no task without errors")
    seeds, _ = axes_of(table)
    gap = grid(table, TOP, "score", seeds, tasks) - grid(table, method, "score", seeds, tasks)
    if not np.isfinite(gap).any():
        return Interval(value=math.nan, n=0, reason="no cell is done")
    return mean_interval(gap, np.random.default_rng(0))
