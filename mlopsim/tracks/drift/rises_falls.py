"""Rises and falls of a frozen model's error: what each task holds, and how soon falls are told."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import polars as pl

from mlopsim.drift.direction import Direction
from mlopsim.stats.bootstrap import mean_interval
from mlopsim.stats.interval import Interval
from mlopsim.stats.table import interval_columns
from mlopsim.tracks.cell_table import done, fact_columns
from mlopsim.tracks.drift.analysis import (
    calibrations,
    channels,
    completed,
    in_groups,
    pooled_mean,
    ranked,
    through,
    without_limit,
)
from mlopsim.tracks.drift.mean_ranks import mean_ranks
from mlopsim.tracks.drift.realised_alarms import with_realised

#: means of falls that a table shows
FALLS = ("fall_restricted_delay", "fall_recall", "false_per_1000")


def by_task(table: pl.DataFrame) -> pl.DataFrame:
    """Say what the harmful changes of each task do to the error of a frozen model, as measured.

    Returns
    -------
    polars.DataFrame
        task; ``direction`` (rise, fall, none, mixed, over all seeds); ``rises`` and ``falls``: how many of
        them a scenario holds on average; seeds. Tasks of which nobody knows, or in which nothing harmful
        changes, are left out; empty for tables of earlier versions.
    """
    if not {"direction", "rises", "falls"} <= set(table.columns):
        return pl.DataFrame()
    rows = done(table).filter(pl.col("direction").is_not_null() & pl.col("rises").is_finite())
    rows = rows.unique(["task", "seed"], keep="first", maintain_order=True)
    found: list[dict[str, Any]] = []
    for task in dict.fromkeys(rows["task"].to_list()):
        own = rows.filter(pl.col("task") == task)
        ways = set(own["direction"].to_list()) - {Direction.NONE.value}
        both = float(own["rises"].sum()) > 0.0 and float(own["falls"].sum()) > 0.0
        word = "mixed" if both or len(ways) > 1 else next(iter(ways), Direction.NONE.value)
        found.append(
            {
                "task": task,
                "direction": word,
                "rises": mean_interval(own["rises"].to_numpy(), np.random.default_rng(0)),
                "falls": mean_interval(own["falls"].to_numpy(), np.random.default_rng(0)),
            }
        )
    if not found:
        return pl.DataFrame()
    columns: dict[str, Any] = {name: [row[name] for row in found] for name in ("task", "direction")}
    for name in ("rises", "falls"):
        columns |= interval_columns(name, [row[name] for row in found])
    return pl.DataFrame(columns)


def falls(table: pl.DataFrame) -> pl.DataFrame:
    """Compare methods on the falls of the error alone, those that read the same and are matched by one law.

    Returns
    -------
    polars.DataFrame
        ``match``, ``reads``, tasks (how many), method, ``sides``; means of :data:`FALLS` over the tasks with
        a fall in which every ranked method of the group reads something, seeds resampled; ``fall_rank``; what
        the limits give. Shortest delay first in each group. Empty where no error falls.
    """
    if "fall_restricted_delay" not in table.columns:
        return pl.DataFrame()
    table = completed(table)
    frames = []
    for channel in channels(table):
        rows = through(table, channel)
        for match in dict.fromkeys(rows["match"].drop_nulls().to_list()):
            own = rows.filter(pl.col("match") == match)
            methods = ranked(own)
            own = own.filter(pl.col("method").is_in(methods))
            known = own.filter(pl.col("fall_restricted_delay").is_finite())
            by = {str(t): set(part["method"].to_list()) for (t,), part in known.group_by("task")}
            # where no limit gives what is asked a method costs nobody the task
            tasks = sorted(t for t, found in by.items() if set(methods) <= found | without_limit(own, t))
            chosen = own.filter(pl.col("task").is_in(tasks))
            if not len(chosen):
                continue
            ranks = mean_ranks(chosen, "fall_restricted_delay")
            nothing = Interval(value=math.nan, n=0, reason="undefined on the tasks with a fall")
            columns: dict[str, Any] = {
                "match": [match] * len(methods),
                "reads": [channel] * len(methods),
                "tasks": [len(tasks)] * len(methods),
                "method": methods,
                "sides": fact_columns(table, methods, ["sides"])["sides"],
            }
            for name in FALLS:
                columns |= interval_columns(name, [pooled_mean(chosen, m, name) for m in methods])
            columns |= interval_columns("fall_rank", [ranks.get(m, nothing) for m in methods])
            frame = in_groups(pl.DataFrame(columns), "fall_restricted_delay")
            frames.append(with_realised(frame, calibrations(own)))
    return pl.concat(frames) if frames else pl.DataFrame()
