"""Numbers of the cell table that several tracks read: a metric by seed and task, and its mean."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import polars as pl

from mlopsim.stats.bootstrap import mean_interval
from mlopsim.stats.interval import Interval
from mlopsim.stats.table import pivot

DONE = pl.col("status") == "done"


def done(table: pl.DataFrame) -> pl.DataFrame:
    """Return the cells that are done."""
    return table.filter(DONE)


def grid(table: pl.DataFrame, method: str, name: str, seeds: list[Any], tasks: list[str]) -> np.ndarray:
    """Return a metric of a method, float64 (seeds, tasks); NaN where there is none."""
    # a suite for a paper has hundreds of thousands of cells: what is not asked for goes before anything else
    chosen = (pl.col("method") == method) & DONE & pl.col("task").is_in(tasks)
    columns = table.select(*{"method", "status", "task", "seed", name})
    found: np.ndarray = pivot(columns.filter(chosen), name, clusters=seeds, tasks=tasks)[0]
    return found


def axes_of(table: pl.DataFrame) -> tuple[list[Any], list[str]]:
    """Return the seeds and tasks of a table."""
    rows = done(table.select("status", "seed", "task"))
    return sorted(rows["seed"].unique().to_list()), rows["task"].unique(maintain_order=True).to_list()


def mean_of(table: pl.DataFrame, method: str, name: str, tasks: list[str]) -> Interval:
    """Return the mean of a metric over tasks and seeds, seeds resampled; undefined cells are left out."""
    seeds, _ = axes_of(table)
    values = grid(table, method, name, seeds, tasks)
    if not np.isfinite(values).any():
        return Interval(value=math.nan, n=0, reason="undefined in every cell")
    return mean_interval(values, np.random.default_rng(0))
