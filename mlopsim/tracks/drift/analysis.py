"""Numbers of the drift track from a table of cells: leaderboard, groups, calibrations, worth of alarms.

All functions take a table of cells as :func:`mlopsim.bench.table.table` makes it and return numbers or polars
tables; they draw nothing. Attributes that a table does not have, as those of earlier versions, are unknown: a
method of which nothing is known counts as one that looks at the signal, knows nothing beforehand and is
calibrated, so that it is compared on the tasks that it shares with all others, or not at all.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl

from mlopsim.drift.scenario import CHANNELS, LABELLED
from mlopsim.stats.bootstrap import mean_interval
from mlopsim.stats.interval import Interval
from mlopsim.stats.table import aggregate, interval_columns, pivot
from mlopsim.tracks.cell_table import done, fact_columns, facts
from mlopsim.tracks.drift.mean_ranks import mean_ranks
from mlopsim.tracks.drift.realised_alarms import (
    REALISED,
    pooled_over_laws,
    realised_columns,
    with_realised,
)

#: attributes of a method that stand in a leaderboard
FACTS = ("family", "role", "reads", "needs", "known", "limit", "sides", "match")
#: attributes that are asked for here
ATTRIBUTES: dict[str, Any] = {
    **dict.fromkeys((*FACTS, "bound", "channel", "limits", "direction"), pl.String),
    **dict.fromkeys(("real", "exact", "met"), pl.Boolean),
}
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
NOT_POOLED = "undefined on some of the pooled tasks: see Tasks, and Where all have limits"
#: recall of as many alarms at random, above which the time of an alarm tells nothing of the change
BY_CHANCE = 0.95
DELAYS = ("restricted_delay", "delay", "fall_restricted_delay", "fall_delay")
#: means over different tasks of these are not comparable
WHOLE = ("restricted_delay", "fall_restricted_delay")
MANY = "as many alarms at random places would find the changes, too: their delay tells nothing"


# -- which cells are compared -------------------------------------------------------------------


def completed(table: pl.DataFrame) -> pl.DataFrame:
    """Return a table with every attribute of :data:`ATTRIBUTES`; null where it is not known.

    A cell of an earlier version has none of its own: what another cell of its task and method read, or of its
    calibration says, holds for it, too.

    Examples
    --------
    >>> cells = {"task": ["t", "t"], "method": ["ks", "ks"], "fit": ["f", "f"], "channel": ["inputs", None]}
    >>> completed(pl.DataFrame(cells)).select("role", "channel").rows()
    [(None, 'inputs'), (None, 'inputs')]
    """
    # a metric of an earlier version may have had the name: its column is of another type
    missing = [name for name, dtype in ATTRIBUTES.items() if table.schema.get(name) != dtype]
    table = table.with_columns(pl.lit(None, dtype=ATTRIBUTES[name]).alias(name) for name in missing)
    shared = {"channel": ("task", "method"), "met": ("method", "fit")}
    return table.with_columns(
        pl.coalesce(name, pl.col(name).drop_nulls().first().over(*owner)).alias(name)
        for name, owner in shared.items()
        if name not in missing
    )


def looking(table: pl.DataFrame) -> pl.DataFrame:
    """Return the done cells of methods that look at the signal: those of controls are left out."""
    return done(completed(table)).filter(pl.col("role").fill_null("method") != "control")


def calibrated(table: pl.DataFrame) -> pl.DataFrame:
    """Return the done cells of methods that look at the signal and whose limit is calibrated."""
    return looking(table).filter(pl.col("limit").fill_null("calibrated") == "calibrated")


def ranked(table: pl.DataFrame) -> list[str]:
    """Return the methods that look at the signal, know nothing and are calibrated, in table order."""
    rows = calibrated(table).filter(pl.col("known").fill_null("nothing") == "nothing")
    return list(dict.fromkeys(rows["method"].to_list()))


def pooled_tasks(table: pl.DataFrame) -> list[str]:
    """Return the tasks that a leaderboard averages over.

    Those with a change to find in which all methods of :func:`ranked` read something; if there is none,
    those in which any does.
    """
    names = list(dict.fromkeys(table["task"].to_list()))
    rows = done(table).filter(pl.col("restricted_delay").is_finite())
    free = set(ranked(table))
    by_task = {name: set(rows.filter(pl.col("task") == name)["method"].to_list()) for name in names}
    whole = [name for name in names if free and free <= by_task[name] | without_limit(table, name)]
    whole = [name for name in whole if by_task[name] & free]
    return whole or [name for name in names if by_task[name]]


def without_limit(table: pl.DataFrame, task: str) -> set[str]:
    """Return the methods that read a task's signal but for which no limit gives what is asked."""
    rows = done(table).filter(pl.col("task") == task)
    # a calibration was asked for, and nothing came out of it
    rows = rows.filter(pl.col("target").is_finite() & pl.col("share").is_nan())
    return set(rows["method"].to_list())


def channels(table: pl.DataFrame) -> list[str]:
    """Return the channels that methods read, in the order in which detectors prefer them."""
    read = set(looking(table)["channel"].drop_nulls().to_list())
    return [name for name in CHANNELS if name in read]


def by_match(table: pl.DataFrame) -> list[tuple[str, pl.DataFrame]]:
    """Return the cells of methods that are matched by each law, and what to add to a name there.

    One table with nothing to add where all are matched alike; methods without a calibrated limit are in each.
    """
    table = completed(table)
    laws = list(dict.fromkeys(table["match"].drop_nulls().to_list()))
    if len(laws) < 2:
        return [("", table)]
    return [(f", matched by the {law}", table.filter(pl.col("match").fill_null(law) == law)) for law in laws]


def through(table: pl.DataFrame, channel: str) -> pl.DataFrame:
    """Return the cells of methods that read this channel of what their task offers."""
    return looking(table).filter(pl.col("channel") == channel)


def needs_of(channel: str) -> str:
    """Return what whoever reads a channel needs: ``labels`` or ``none``.

    Examples
    --------
    >>> needs_of("errors"), needs_of("inputs")
    ('labels', 'none')
    """
    return "labels" if channel in LABELLED else "none"


# -- leaderboards -------------------------------------------------------------------------------


def leaderboard(table: pl.DataFrame) -> pl.DataFrame:
    """Aggregate the cell table to one row a method, in groups by what they read, shortest delay first.

    Parameters
    ----------
    table : polars.DataFrame
        Cells: task, method, seed, status, reasons, the track's metrics and attributes.

    Returns
    -------
    polars.DataFrame
        method; ``reads``, ``needs``: what it read in the pooled tasks (:func:`pooled_tasks`) and what that
        takes, what it can read where no cell says so; ``known``; the means of :data:`MEANS` over the pooled
        tasks with ``_low``, ``_high``, ``_n`` (seeds) and ``_reason``; ``met``, ``laws``: laws on which fresh
        signals show the asked false-alarm behaviour, of all on which the method was calibrated; ``cells``:
        done; ``family``, ``role``, ``limit``, ``sides``, ``match``; ``rank``: mean rank of the restricted
        delay within tasks and seeds among those that read the same (:func:`mean_ranks`); ``share``, ``rate``,
        ``hazard``: what the limits give on fresh signals. Attributes are null where they are not known.
        Restricted delay, delay, recall, precision and F1 are of rises of the error of a model that does not
        change; falls are in :mod:`mlopsim.tracks.drift.rises_falls`.
    """
    table = completed(table)
    chosen = table.filter(pl.col("task").is_in(pooled_tasks(table)))
    methods = list(dict.fromkeys(table["method"].to_list()))
    known = fact_columns(table, methods, FACTS)
    columns: dict[str, Any] = {"method": methods}
    columns |= reading({m: channels_read(chosen, m) or channels_read(table, m) for m in methods}, known)
    columns["known"] = known["known"]
    ranks = ranks_of(chosen)
    for name in MEANS:
        columns |= interval_columns(name, [pooled_mean(chosen, method, name) for method in methods])
        if name == MEANS[0]:
            nothing = Interval(value=math.nan, n=0, reason="only methods that know nothing are ranked")
            columns |= interval_columns("rank", [ranks.get(method, nothing) for method in methods])
    columns |= realised_columns(calibrations(table), methods)
    laws = _laws(table)
    columns["met"] = pl.Series([laws.get(m, (0, 0))[0] for m in methods], dtype=pl.Int64)
    columns["laws"] = [laws.get(m, (0, 0))[1] for m in methods]
    counts = dict(done(chosen).group_by("method").len().iter_rows())
    columns["cells"] = [int(counts.get(m, 0)) for m in methods]
    columns |= {name: known[name] for name in ("family", "role", "limit", "sides", "match")}
    return in_groups(pl.DataFrame(columns))


def reading(read: Mapping[str, Sequence[str]], known: Mapping[str, pl.Series]) -> dict[str, pl.Series]:
    """Return the columns ``reads`` and ``needs`` from what each method read, else from what it can read."""
    # a control is shown a signal, and reads nothing of it
    own = [[] if role == "control" else r for r, role in zip(read.values(), known["role"], strict=True)]
    reads = [_joined(r) or can for r, can in zip(own, known["reads"], strict=True)]
    needs = [_needs(r) or can for r, can in zip(own, known["needs"], strict=True)]
    return {
        "reads": pl.Series(reads, dtype=pl.String),
        "needs": pl.Series(needs, dtype=pl.String),
    }


def ranks_of(rows: pl.DataFrame, name: str = "restricted_delay") -> dict[str, Interval]:
    """Return the mean rank of each method of :func:`ranked` among those that read the same."""
    rows = calibrated(rows)
    return mean_ranks(rows.filter(pl.col("method").is_in(ranked(rows))), name)


def in_groups(board: pl.DataFrame, score: str = "restricted_delay", *, largest: bool = False) -> pl.DataFrame:
    """Sort a leaderboard: methods that read the same stand together, shortest delay first, controls last.

    Parameters
    ----------
    board : polars.DataFrame
        With a column ``reads``.
    score : str
        Column that decides the order within a group.
    largest : bool
        Whether its largest value comes first instead of the smallest.

    Examples
    --------
    >>> board = pl.DataFrame({"method": ["always", "ks", "ddm", "adwin"],
    ...     "reads": ["nothing", "inputs", "errors", "errors"],
    ...     "restricted_delay": [math.nan, 1.0, math.nan, 7.0]})
    >>> in_groups(board)["method"].to_list()
    ['adwin', 'ddm', 'ks', 'always']
    """
    order = {name: place for place, name in enumerate(CHANNELS)} | {"nothing": len(CHANNELS) + 1}
    # what reads several kinds of signals, or nobody knows what, stands between the groups and the controls
    group = pl.col("reads").replace_strict(order, default=len(CHANNELS), return_dtype=pl.Int64)
    value = pl.col(score).cast(pl.Float64).fill_nan(None)
    keys, down = [group > len(CHANNELS), group, value], [False, False, largest]
    if "match" in board.columns and board["match"].drop_nulls().n_unique() > 1:
        # limits of another law of matching are other conditions
        keys.insert(1, pl.col("match"))
        down.insert(1, False)
    return board.sort(keys, descending=down, nulls_last=True, maintain_order=True)


def channels_read(table: pl.DataFrame, method: str) -> list[str]:
    """Return the channels that a method read in these cells, the preferred one first."""
    read = set(done(table).filter(pl.col("method") == method)["channel"].drop_nulls().to_list())
    return [name for name in CHANNELS if name in read]


def _joined(read: Sequence[str]) -> str | None:
    return ", ".join(read) or None


def _needs(read: Sequence[str]) -> str | None:
    return max(map(needs_of, read), key=lambda what: what != "none") if read else None


def _laws(table: pl.DataFrame) -> dict[str, tuple[int | None, int]]:
    """Return on how many laws each method does what was asked (None: not known), and on how many at all."""
    found = {}
    for (method,), rows in calibrations(table).group_by("method"):
        met = rows["met"]
        unknown = rows["share"].is_finite() & met.is_null()
        found[str(method)] = None if unknown.any() else int(met.sum()), len(rows)
    return found


def pooled_mean(table: pl.DataFrame, method: str, name: str) -> Interval:
    """Return the mean of a metric over tasks and seeds, tasks weighing the same, seeds resampled.

    Undefined, every metric alike, where the method was not run in one of the tasks (no limit gives what is
    asked there, or it does not read the task): averages over different tasks are not comparable.
    """
    rows = done(table).filter(pl.col("method") == method)
    tasks = table["task"].n_unique()
    values = rows.filter(pl.col(name).is_finite())
    if not len(values):
        return Interval(value=math.nan, n=0, reason=first_reason(rows, name) or "no cell is done")
    ran = len(_ran(rows)) == tasks
    if not ran or (name in WHOLE and values["task"].n_unique() < tasks):
        return Interval(value=math.nan, n=0, reason=NOT_POOLED)
    if name in DELAYS and found_by_chance(rows, chance_of(name)):
        return Interval(value=math.nan, n=0, reason=MANY)
    found = aggregate(values, name, "method").to_dicts()[0]
    return Interval(
        value=found[name],
        low=found[f"{name}_low"],
        high=found[f"{name}_high"],
        n=found[f"{name}_n"],
        reason=found[f"{name}_reason"],
    )


def _ran(rows: pl.DataFrame) -> set[str]:
    """Return the tasks in which cells were run: their alarms are known, however many there are."""
    # a table without that column is not of the track: the delay is defined where something can be found
    name = "alarms" if "alarms" in rows.columns else "restricted_delay"
    return set(rows.filter(pl.col(name).is_finite())["task"].to_list())


def chance_of(delay: str) -> str:
    """Return which recall of alarms at random belongs to a delay: that of rises or of falls.

    Examples
    --------
    >>> chance_of("delay"), chance_of("fall_restricted_delay")
    ('chance_recall', 'fall_chance_recall')
    """
    return "fall_chance_recall" if delay.startswith("fall_") else "chance_recall"


def found_by_chance(rows: pl.DataFrame, name: str = "chance_recall") -> bool:
    """Return whether as many alarms at random would have found nearly all changes of these cells."""
    if name not in rows.columns:
        return False
    mean = rows.filter(pl.col(name).is_finite())[name].mean()
    return isinstance(mean, float) and mean > BY_CHANCE


def first_reason(rows: pl.DataFrame, name: str) -> str:
    """Return why a metric is undefined in the first of these cells that says so."""
    for text in rows["reasons"].to_list():
        found = json.loads(text or "{}").get(name)
        if found:
            return str(found)
    return ""


def over_seeds(rows: pl.DataFrame, name: str) -> Interval:
    """Return the mean over tasks and seeds, seeds resampled."""
    grid: np.ndarray = pivot(rows, name)[0]
    return mean_interval(grid, np.random.default_rng(0))


def by_channel(table: pl.DataFrame) -> pl.DataFrame:
    """Compare the methods of :func:`ranked` that read the same, each group on all tasks that it shares.

    Returns
    -------
    polars.DataFrame
        reads, needs, tasks (how many), method, the means of restricted delay, recall and false alarms, the
        mean rank, and what the limits give;
        groups one after the other, shortest delay first in each.
    """
    frames = []
    for channel in channels(table):
        rows = through(table, channel)
        frames += _group(rows, channel, pooled_tasks(rows))
    return pl.concat(frames) if frames else pl.DataFrame()


def lacking_limits(table: pl.DataFrame) -> dict[str, list[str]]:
    """Return by channel the ranked methods that have no limit in some of the tasks of their group."""
    found = {}
    for channel in channels(table):
        rows = through(table, channel)
        pool, ran = set(pooled_tasks(rows)), _ran_by(rows)
        if lacking := [method for method, tasks in ran.items() if not pool <= tasks]:
            found[channel] = lacking
    return found


def where_all_have_limits(table: pl.DataFrame) -> pl.DataFrame:
    """Compare as :func:`by_channel` where some methods have no limit in some tasks, on the other tasks.

    Returns
    -------
    polars.DataFrame
        As :func:`by_channel`, with ``f1`` and ``without``: the methods that lack a limit somewhere, by name.
        Only groups of :func:`lacking_limits`; empty where no task has limits of all.
    """
    frames = []
    for channel, lacking in lacking_limits(table).items():
        rows = through(table, channel)
        ran = _ran_by(rows).values()
        common = [task for task in pooled_tasks(rows) if all(task in tasks for tasks in ran)]
        found = _group(rows, channel, common, ("restricted_delay", "recall", "f1", "false_per_1000"))
        frames += [frame.with_columns(without=pl.lit(", ".join(lacking))) for frame in found]
    return pl.concat(frames) if frames else pl.DataFrame()


def _ran_by(rows: pl.DataFrame) -> dict[str, set[str]]:
    """Return the tasks in which each ranked method was run."""
    return {method: _ran(rows.filter(pl.col("method") == method)) for method in ranked(rows)}


def _group(
    rows: pl.DataFrame,
    channel: str,
    pool: Sequence[str],
    metrics: Sequence[str] = ("restricted_delay", "recall", "false_per_1000"),
) -> list[pl.DataFrame]:
    """Return the frame of a channel's ranked methods over tasks, none if there are none."""
    rows = rows.filter(pl.col("task").is_in(pool))
    methods = ranked(rows)
    if not methods:
        return []
    columns: dict[str, Any] = {
        "reads": [channel] * len(methods),
        "needs": [needs_of(channel)] * len(methods),
        "tasks": [len(pool)] * len(methods),
        "method": methods,
    }
    ranks = ranks_of(rows)
    known = fact_columns(rows, methods, ("sides", "match"))
    columns |= {"sides": known["sides"], "match": known["match"]}
    for name in metrics:
        columns |= interval_columns(name, [pooled_mean(rows, method, name) for method in methods])
        if name == "restricted_delay":
            columns |= interval_columns("rank", [ranks[method] for method in methods])
    return [with_realised(in_groups(pl.DataFrame(columns)), calibrations(rows))]


def known_parameters(table: pl.DataFrame) -> pl.DataFrame:
    """Compare methods on the tasks in which parameters can be known beforehand, those that know the same.

    Returns
    -------
    polars.DataFrame
        tasks (names), known, method, means of restricted delay and false alarms; empty without such a task.
    """
    rows = looking(table).filter(pl.col("restricted_delay").is_finite())
    knowing = rows.filter(pl.col("known").fill_null("nothing") != "nothing")
    rows = rows.filter(pl.col("task").is_in(knowing["task"].unique().to_list()))
    if not len(rows):
        return pl.DataFrame()
    known = facts(rows, "known")
    # what reads errors reads no normal numbers: the tasks that a method is averaged over decide its group
    tasks = {
        str(method): ", ".join(sorted(found["task"].unique())) for (method,), found in rows.group_by("method")
    }
    order = sorted(tasks, key=lambda m: (tasks[m], str(known[m])))
    chosen = {m: rows.filter(pl.col("method") == m) for m in order}
    frame = pl.DataFrame(
        {
            "tasks": [tasks[m] for m in order],
            "known": [known[m] for m in order],
            "method": order,
            **interval_columns(
                "restricted_delay", [over_seeds(chosen[m], "restricted_delay") for m in order]
            ),
            **interval_columns("false_per_1000", [over_seeds(chosen[m], "false_per_1000") for m in order]),
        }
    )
    frame = frame.sort("tasks", "known", "restricted_delay", descending=[False, True, False])
    return with_realised(frame, calibrations(rows))


def per_task(table: pl.DataFrame) -> pl.DataFrame:
    """Means of the main metrics by task and method, with intervals, n and reasons, and what was read."""
    rows = done(completed(table))
    keys = [(t, m) for t in dict.fromkeys(table["task"]) for m in dict.fromkeys(table["method"])]
    groups = dict(rows.group_by(["task", "method"]))
    columns: dict[str, Any] = {"task": [t for t, _ in keys], "method": [m for _, m in keys]}
    read = [groups[key]["channel"].drop_nulls().to_list()[:1] if key in groups else [] for key in keys]
    columns["channel"] = pl.Series([found[0] if found else None for found in read], dtype=pl.String)
    shown: tuple[str, ...] = ("restricted_delay", "recall", "fall_restricted_delay", "fall_recall")
    shown = tuple(name for name in shown if name in table.columns)
    for name in (*shown, "false_per_1000", "harmless_alarmed", "risk_change"):
        columns |= interval_columns(name, [_mean(groups.get(key), name) for key in keys])
    for name in REALISED:
        one = [groups[key].head(1) if key in groups else rows.head(0) for key in keys]
        columns |= interval_columns(name, [pooled_over_laws(each, name) for each in one])
    return pl.DataFrame(columns)


def _mean(rows: pl.DataFrame | None, name: str) -> Interval:
    if rows is None:
        return Interval(value=math.nan, n=0, reason="no cell is done")
    values = rows[name].to_numpy()
    if name in DELAYS and np.isfinite(values).any() and found_by_chance(rows, chance_of(name)):
        return Interval(value=math.nan, n=0, reason=MANY)
    if not np.isfinite(values).any():
        return Interval(value=math.nan, n=0, reason=first_reason(rows, name))
    return mean_interval(values[np.isfinite(values)], np.random.default_rng(0))


def delays_by_task(table: pl.DataFrame, method: str, tasks: Sequence[str]) -> np.ndarray:
    """Return the mean restricted delay of a method on each task, float64 (tasks,).

    NaN where it is undefined on a seed on which others have one: a seed without a rise is nobody's.
    """
    rows = done(table).filter(pl.col("restricted_delay").is_finite())
    own = rows.filter(pl.col("method") == method)
    counts, sums = np.zeros(len(tasks)), np.zeros(len(tasks))
    asked = np.zeros(len(tasks))
    for place, task in enumerate(tasks):
        found = own.filter(pl.col("task") == task)["restricted_delay"]
        counts[place], sums[place] = len(found), float(found.sum())
        asked[place] = rows.filter(pl.col("task") == task)["seed"].n_unique()
    means: np.ndarray = np.where((counts == asked) & (counts > 0), sums / np.maximum(counts, 1.0), np.nan)
    return means


# -- what calibration and alarms gave ---------------------------------------------------------------


def calibrations(table: pl.DataFrame) -> pl.DataFrame:
    """Return one cell of each method and law that a limit was found or checked for, in table order."""
    return once_a_law(looking(table).filter(pl.col("fit").is_not_null()))


def once_a_law(rows: pl.DataFrame) -> pl.DataFrame:
    """Return the first cell of each method and calibration, in table order.

    Where a wait was tuned the fit of a cell is that tuning, and ``limits`` names the calibration behind it.

    Examples
    --------
    >>> once_a_law(pl.DataFrame({"method": ["a", "a"], "fit": ["w", "c"], "limits": ["c", None]})).rows()
    [('a', 'w', 'c')]
    """
    law = pl.coalesce("limits", "fit") if "limits" in rows.columns else pl.col("fit")
    found = rows.with_columns(law.alias("_law"))
    return found.unique(["method", "_law"], keep="first", maintain_order=True).drop("_law")


def realised(table: pl.DataFrame) -> pl.DataFrame:
    """Return the share of test streams in which a calibrated method alarms before anything changes.

    Returns
    -------
    polars.DataFrame
        method; ``of_known_laws``, ``on_given_rows``: means over the tasks of each kind, seeds resampled;
        empty without a calibrated method.
    """
    rows = calibrated(table).filter(pl.col("alarm_before").is_finite())
    if not len(rows):
        return pl.DataFrame()
    methods = list(dict.fromkeys(rows["method"].to_list()))
    columns: dict[str, Any] = {"method": methods}
    for name, real in (("of_known_laws", False), ("on_given_rows", True)):
        kept = rows.filter(pl.col("real") == real)
        found = [kept.filter(pl.col("method") == method) for method in methods]
        nothing = Interval(value=math.nan, n=0, reason="no such task, or none that it reads")
        columns |= interval_columns(
            name, [over_seeds(part, "alarm_before") if len(part) else nothing for part in found]
        )
    return pl.DataFrame(columns)
