"""Limits over the mixture of families: what fits aim at, beside the limits of each family alone.

Where something is deployed nobody says of which family it is, so fits keep a limit on the mean over training
scenarios, which come from a mixture of families. A method may keep that mean, and be above the limit in one
family and below it in another.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl

from mlopsim.core.track import Curves
from mlopsim.stats.interval import Interval
from mlopsim.stats.table import interval_columns
from mlopsim.tracks.governance.analysis import methods_of, pool
from mlopsim.tracks.governance.limits import Limit, Limits, limits_of


def common_limits(table: pl.DataFrame) -> tuple[list[str], list[Limit]]:
    """Return the tasks that a row of the leaderboard mixes, and the limits that all of them have alike.

    Examples
    --------
    >>> table = pl.DataFrame({"task": ["a", "b"], "method": "never", "role": "-", "status": "done", "seed": 0,
    ...                       "limit_x": [0.1, 0.1], "limit_on_x": "mean", "weight_x": 1.0,
    ...                       "limit_y": [0.1, None], "limit_on_y": ["mean", None], "weight_y": [1.0, None]})
    >>> [one.name for one in common_limits(table)[1]]
    ['x']
    """
    tasks = pool(table)
    asked = [{(one.name, one.limit, one.over): one for one in limits_of(table, task)} for task in tasks]
    common = [one for key, one in asked[0].items() if all(key in other for other in asked)] if asked else []
    return tasks, common


def mixture_table(table: pl.DataFrame, curves: Curves | None = None) -> pl.DataFrame:
    """Tabulate the limits over all families together: one row a method and limit.

    Parameters
    ----------
    table : polars.DataFrame
        Cells.
    curves : callable, optional
        Series of a cell by its key; needed where tasks have several limits.

    Returns
    -------
    polars.DataFrame
        ``method``, ``constraint``, ``limit``, ``on``, ``spent`` (with ``_low``, ``_high``, ``_n`` and
        ``_reason``), ``met``, ``beyond``, as of a task; and ``families_met``: in how many of ``families``
        tasks the method meets this limit there.
    """
    tasks, limits = common_limits(table)
    read = Limits(table=table, curves=curves)
    rows: list[dict[str, Any]] = []
    found: list[Interval] = []
    for method in dict.fromkeys(method for task in tasks for method in methods_of(table, task)):
        for limit in limits:
            values = np.stack([read.spent(method, task, limit) for task in tasks], axis=1)
            verdict = read.judged(values, limit)
            alone = [
                next(one.met for one in read.verdicts(method, task) if one.limit.name == limit.name)
                for task in tasks
            ]
            rows.append(
                {
                    "method": method,
                    "constraint": limit.name,
                    "limit": limit.limit,
                    "on": limit.over.value,
                    "met": verdict.met,
                    "beyond": verdict.beyond,
                    "families_met": None if None in alone else sum(one is True for one in alone),
                    "families": len(tasks),
                }
            )
            found.append(verdict.spent)
    keys = pl.DataFrame(rows, infer_schema_length=None)
    spent = pl.DataFrame(interval_columns("spent", found))
    front = ["method", "constraint", "limit", "on"]
    return pl.concat([keys.select(front), spent, keys.drop(front)], how="horizontal")
