"""The paired difference in the recovered share of two gates."""

from __future__ import annotations

import math

import numpy as np
import polars as pl

from mlopsim.stats.bootstrap import ns_difference
from mlopsim.stats.interval import Interval
from mlopsim.tracks.cell_table import axes_of, grid
from mlopsim.tracks.comparison import by_task as tabulated
from mlopsim.tracks.comparison import comparison
from mlopsim.tracks.quality.analysis import NOTHING_LOST, costly, recovered


def compare(table: pl.DataFrame, a: str, b: str, floor: float) -> pl.DataFrame:
    """Return the recovered share of a less that of b, by task and over those that lose something."""
    seeds, tasks = axes_of(table)
    lost = costly(table, floor)

    def difference(over: list[str]) -> Interval:
        if not set(over) <= set(lost):
            return Interval(value=math.nan, n=0, reason=NOTHING_LOST)
        x, y, base, top = (grid(table, name, "score", seeds, over) for name in (a, b, "none", "clean"))
        return ns_difference(x, y, base, top, np.random.default_rng(0))

    return comparison(tasks, lost, difference)


def by_task(table: pl.DataFrame, floor: float) -> pl.DataFrame:
    """Return the recovered share of each method on each task that loses something."""
    methods = list(dict.fromkeys(table["method"].to_list()))
    return tabulated(costly(table, floor), methods, "recovered", lambda task, m: recovered(table, m, [task]))
