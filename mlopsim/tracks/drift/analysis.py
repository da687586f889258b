"""Leaderboard and tables of the drift track."""

from __future__ import annotations

import json
import math
from typing import Any

import polars as pl

from mlopsim.stats.bootstrap import mean_interval
from mlopsim.stats.interval import Interval
from mlopsim.stats.table import aggregate, best_first, interval_columns

TOLD = {0: "nothing", 1: "p0", 2: "p0, p1"}
#: metrics whose means stand in the leaderboard, the first decides the order
MEANS = (
    "restricted_delay",
    "recall",
    "false_per_1000",
    "delay",
    "precision",
    "f1",
    "extra",
    "chance_recall",
)
NOT_POOLED = "undefined on some of the pooled tasks: see Tasks"
#: recall of as many alarms at random, above which the time of an alarm tells nothing of the change
BY_CHANCE = 0.95
DELAYS = ("restricted_delay", "delay")
MANY = "as many alarms at random places would find the changes, too: their delay tells nothing"


def done(table: pl.DataFrame) -> pl.DataFrame:
    """Return the cells that are done."""
    return table.filter(pl.col("status") == "done")


def ranked(table: pl.DataFrame) -> list[str]:
    """Return the methods that look at the signal, are told nothing and are calibrated, in table order."""
    rows = done(table).filter((pl.col("control") == 0.0) & (pl.col("told") == 0.0) & (pl.col("given") == 0.0))
    return list(dict.fromkeys(rows["method"].to_list()))


def pooled_tasks(table: pl.DataFrame) -> list[str]:
    """Return the tasks that the leaderboard averages over.

    Those with a change to find in which all methods that are told nothing read something; if there is none,
    those in which any does.
    """
    names = list(dict.fromkeys(table["task"].to_list()))
    rows = done(table).filter(pl.col("restricted_delay").is_finite())
    free = set(ranked(table))
    by_task = {name: set(rows.filter(pl.col("task") == name)["method"].to_list()) for name in names}
    whole = [name for name in names if free and free <= by_task[name] | _unlimited(table, name)]
    whole = [name for name in whole if by_task[name] & free]
    return whole or [name for name in names if by_task[name]]


def _unlimited(table: pl.DataFrame, task: str) -> set[str]:
    """Return the methods that read a task's signal but for which no limit gives what is asked."""
    rows = done(table).filter((pl.col("task") == task) & pl.col("restricted_delay").is_nan())
    rows = rows.filter(pl.col("reasons").str.contains("no limit gives"))
    return set(rows["method"].to_list())


def leaderboard(table: pl.DataFrame) -> pl.DataFrame:
    """Aggregate the cell table to one row a method, shortest restricted delay first.

    Parameters
    ----------
    table : polars.DataFrame
        Cells: task, method, seed, status, reasons and the track's metrics.

    Returns
    -------
    polars.DataFrame
        method, told, control, the means of :data:`MEANS` over the pooled tasks (:func:`pooled_tasks`) with
        ``_low``, ``_high``, ``_n`` (seeds) and ``_reason``; ``met``, ``laws``: laws on which fresh signals
        show the asked false-alarm behaviour, of all on which the method was calibrated; ``cells``: done.
    """
    chosen = table.filter(pl.col("task").is_in(pooled_tasks(table)))
    methods = list(dict.fromkeys(table["method"].to_list()))
    columns: dict[str, Any] = {"method": methods}
    known = {
        row["method"]: row
        for row in done(table).unique("method", keep="first").select("method", "told", "control").to_dicts()
    }
    looking = {m: row for m, row in known.items() if not row["control"]}
    columns["told"] = [TOLD[int(looking[m]["told"])] if m in looking else "–" for m in methods]
    columns["control"] = [bool(known[m]["control"]) if m in known else False for m in methods]
    for name in MEANS:
        columns |= interval_columns(name, [pooled_mean(chosen, method, name) for method in methods])
    fitted = (
        done(table)
        .filter(pl.col("fit").is_not_null() & (pl.col("control") == 0.0))
        .unique(["method", "fit"], keep="first")
    )
    met = {
        row["method"]: (int(row["met"]), int(row["laws"]))
        for row in fitted.group_by("method")
        .agg((pl.col("met") == 1.0).sum().alias("met"), pl.len().alias("laws"))
        .to_dicts()
    }
    columns["met"] = [met.get(m, (0, 0))[0] for m in methods]
    columns["laws"] = [met.get(m, (0, 0))[1] for m in methods]
    counts = dict(done(chosen).group_by("method").len().iter_rows())
    columns["cells"] = [int(counts.get(m, 0)) for m in methods]
    return best_first(pl.DataFrame(columns), "restricted_delay", "min")


def pooled_mean(table: pl.DataFrame, method: str, name: str) -> Interval:
    """Return the mean of a metric over tasks and seeds, tasks weighing the same, seeds resampled.

    Undefined where the method has no value in a task in which a change can be found: averages over
    different tasks are not comparable.
    """
    rows = done(table).filter(pl.col("method") == method)
    tasks = table["task"].n_unique()
    values = rows.filter(pl.col(name).is_finite())
    if not len(values):
        return Interval(value=math.nan, n=0, reason=first_reason(rows, name) or "no cell is done")
    if name == "restricted_delay" and values["task"].n_unique() < tasks:
        return Interval(value=math.nan, n=0, reason=NOT_POOLED)
    if name in DELAYS and found_by_chance(rows):
        return Interval(value=math.nan, n=0, reason=MANY)
    found = aggregate(values, name, "method").to_dicts()[0]
    return Interval(
        value=found[name],
        low=found[f"{name}_low"],
        high=found[f"{name}_high"],
        n=found[f"{name}_n"],
        reason=found[f"{name}_reason"],
    )


def found_by_chance(rows: pl.DataFrame) -> bool:
    """Return whether as many alarms at random would have found nearly all changes of these cells."""
    chance = rows.filter(pl.col("chance_recall").is_finite())
    mean = chance["chance_recall"].mean()
    return isinstance(mean, float) and mean > BY_CHANCE


def first_reason(rows: pl.DataFrame, name: str) -> str:
    """Return why a metric is undefined in the first of these cells that says so."""
    for text in rows["reasons"].to_list():
        found = json.loads(text or "{}").get(name)
        if found:
            return str(found)
    return ""


def per_task(table: pl.DataFrame) -> pl.DataFrame:
    """Means of the main metrics by task and method, with intervals, n and reasons."""
    rows = done(table)
    keys = [(t, m) for t in dict.fromkeys(table["task"]) for m in dict.fromkeys(table["method"])]
    groups = dict(rows.group_by(["task", "method"]))
    columns: dict[str, Any] = {"task": [t for t, _ in keys], "method": [m for _, m in keys]}
    for name in ("restricted_delay", "recall", "false_per_1000", "harmless_alarmed", "risk_change"):
        columns |= interval_columns(name, [_mean(groups.get(key), name) for key in keys])
    return pl.DataFrame(columns)


def _mean(rows: pl.DataFrame | None, name: str) -> Interval:
    import numpy as np

    if rows is None:
        return Interval(value=math.nan, n=0, reason="no cell is done")
    values = rows[name].to_numpy()
    if name in DELAYS and np.isfinite(values).any() and found_by_chance(rows):
        return Interval(value=math.nan, n=0, reason=MANY)
    if not np.isfinite(values).any():
        return Interval(value=math.nan, n=0, reason=first_reason(rows, name))
    return mean_interval(values[np.isfinite(values)], np.random.default_rng(0))
