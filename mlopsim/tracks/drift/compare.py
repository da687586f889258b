"""The paired difference in restricted delay of two detectors."""

from __future__ import annotations

import math

import polars as pl

from mlopsim.stats.interval import Interval
from mlopsim.tracks.cell_table import axes_of
from mlopsim.tracks.comparison import by_task as tabulated
from mlopsim.tracks.comparison import comparison, mean_difference
from mlopsim.tracks.drift.analysis import completed, pooled_mean, pooled_tasks


def compare(table: pl.DataFrame, a: str, b: str) -> pl.DataFrame:
    """Return the restricted delay of a less that of b by task and over the tasks that the leaderboard pools.

    Below 0, a tells sooner. Undefined where that of one of them is, for the same reason: as many alarms at
    random would find the changes, too, or it did not run in all of these tasks.
    """
    table = completed(table)

    def difference(tasks: list[str]) -> Interval:
        rows = table.filter(pl.col("task").is_in(tasks))
        for method in (a, b):
            if math.isnan((own := pooled_mean(rows, method, "restricted_delay")).value):
                return Interval(value=math.nan, n=0, reason=own.reason)
        return mean_difference(table, a, b, "restricted_delay", tasks)

    return comparison(axes_of(table)[1], pooled_tasks(table), difference)


def by_task(table: pl.DataFrame) -> pl.DataFrame:
    """Return the restricted delay of each method on each task; undefined where there is no change to find."""
    table = completed(table)
    parts = {str(task): rows for (task,), rows in table.partition_by("task", as_dict=True).items()}
    methods = list(dict.fromkeys(table["method"].to_list()))
    name = "restricted_delay"
    return tabulated(list(parts), methods, name, lambda task, method: pooled_mean(parts[task], method, name))
