"""The paired difference in restricted delay of two detectors."""

from __future__ import annotations

import math

import polars as pl

from mlopsim.stats.interval import Interval
from mlopsim.tracks.cell_table import axes_of, done
from mlopsim.tracks.comparison import comparison, mean_difference
from mlopsim.tracks.drift.analysis import MANY, found_by_chance, pooled_tasks


def compare(table: pl.DataFrame, a: str, b: str) -> pl.DataFrame:
    """Return the restricted delay of a less that of b by task and over the tasks that the leaderboard pools.

    Below 0, a tells sooner. Undefined where as many alarms at random would find the changes, too.
    """

    def difference(tasks: list[str]) -> Interval:
        rows = done(table).filter(pl.col("task").is_in(tasks))
        if any(found_by_chance(rows.filter(pl.col("method") == method)) for method in (a, b)):
            return Interval(value=math.nan, n=0, reason=MANY)
        return mean_difference(table, a, b, "restricted_delay", tasks)

    return comparison(axes_of(table)[1], pooled_tasks(table), difference)
