"""The report sections of the drift track."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import numpy as np
import polars as pl

from mlopsim.core.track import Section
from mlopsim.plots.critical_difference import critical_difference
from mlopsim.plots.curves import Curve
from mlopsim.plots.curves import curves as draw_curves
from mlopsim.plots.leaderboard import leaderboard as draw_leaderboard
from mlopsim.plots.style import Mark, marks_for
from mlopsim.stats.ranks import cliques, friedman, nemenyi_cd
from mlopsim.stats.table import interval_columns, pivot
from mlopsim.tracks.drift.analysis import (
    BY_CHANCE,
    TOLD,
    done,
    first_reason,
    found_by_chance,
    leaderboard,
    per_task,
    pooled_tasks,
    ranked,
)
from mlopsim.tracks.drift.fits import Calibration
from mlopsim.tracks.drift.sections_outcomes import harmless, over_seeds, realised, worth
from mlopsim.tracks.drift.sections_pictures import SHOWN, distribution_functions, floors, run_lengths

Curves = Callable[[str], Mapping[str, np.ndarray]]
Marks = dict[str, Mark]


def sections(table: pl.DataFrame, curves: Curves, calibration: Calibration, tolerance: int) -> list[Section]:
    """Make the sections of a report.

    Parameters
    ----------
    table : polars.DataFrame
        One row a cell.
    curves : callable
        Cell key to its stored series.
    calibration : Calibration
        Settings of the track.
    tolerance : int
        Rows after the end of a change within which an alarm counts for it.
    """
    board = leaderboard(table)
    marks = marks_for(board["method"].to_list())
    found = [
        _board(table, board, marks, calibration),
        _told(table),
        _ranks(table, marks),
        _calibrations(table, calibration),
        realised(table, calibration),
        _delays(table, curves, marks),
        floors(table, curves),
        run_lengths(table, curves, calibration),
        distribution_functions(table, curves),
        harmless(table),
        worth(table, board, curves, marks),
        Section(title="Tasks", text="Means over seeds by task; n: seeds.", table=per_task(table)),
        _words(calibration, tolerance),
    ]
    return [section for section in found if section is not None]


def _board(table: pl.DataFrame, board: pl.DataFrame, marks: Marks, calibration: Calibration) -> Section:
    asked = -math.expm1(-calibration.horizon / calibration.arl0)
    pool = pooled_tasks(table)
    figure = draw_leaderboard(
        board["method"].to_list(),
        board["restricted_delay"].to_numpy(),
        board["restricted_delay_low"].to_numpy(),
        board["restricted_delay_high"].to_numpy(),
        board["restricted_delay_n"].to_numpy(),
        xlabel="restricted delay, in rows",
        direction="min",
        marks=marks,
        digits=0,
        note=f"mean over {len(pool)} tasks; 95 % bootstrap over scenario seeds; n: scenario seeds",
    )
    text = (
        f"Every calibrated detector has the limit with which {asked:.1%} of the drift-free signals have an "
        f"alarm within {calibration.horizon} rows: that of a memoryless one with an average run length of "
        f"{calibration.arl0:,.0f} rows. The delay of a change that is missed counts as its whole "
        "window. Compare methods that are **told** the same. A method with so many alarms that as many at "
        f"random places would find the changes (chance recall above {BY_CHANCE:.0%}), like `always`, has no "
        "delay.\n\n"
        f"Pooled over the tasks in which all methods that are told nothing can be run ({len(pool)} of "
        f"{table['task'].n_unique()}); the others are in Tasks."
    )
    return Section(title="Leaderboard", text=text, table=board, figures={"Leaderboard": figure})


def _told(table: pl.DataFrame) -> Section | None:
    """Everything on the tasks in which detectors can be told the law, those told the same together."""
    rows = done(table).filter((pl.col("control") == 0.0) & pl.col("restricted_delay").is_finite())
    tasks = rows.filter(pl.col("told") > 0.0)["task"].unique().to_list()
    rows = rows.filter(pl.col("task").is_in(tasks))
    if not len(rows):
        return None
    # what reads errors reads no normal numbers: the tasks that a method is averaged over decide its group
    groups = {
        str(method): (TOLD[int(found["told"][0])], ", ".join(sorted(found["task"].unique())))
        for (method,), found in rows.group_by("method")
    }
    order = sorted(groups, key=lambda m: (groups[m][1], groups[m][0]))
    chosen = {m: rows.filter(pl.col("method") == m) for m in order}
    frame = pl.DataFrame(
        {
            "tasks": [groups[m][1] for m in order],
            "told": [groups[m][0] for m in order],
            "method": order,
            **interval_columns(
                "restricted_delay", [over_seeds(chosen[m], "restricted_delay") for m in order]
            ),
            **interval_columns("false_per_1000", [over_seeds(chosen[m], "false_per_1000") for m in order]),
        }
    ).sort("tasks", "told", "restricted_delay", descending=[False, True, False])
    text = (
        "On independent ticks whose laws are known, ranked within what a detector is **told**: p0, p1 is the "
        "law before and after the change, p0 that before. Means are comparable where the tasks are the same."
    )
    return Section(title="Known laws", text=text, table=frame)


def _ranks(table: pl.DataFrame, marks: Marks) -> Section | None:
    """Friedman's test over the pooled tasks, methods that are told nothing, with Nemenyi's difference."""
    pool, methods = pooled_tasks(table), ranked(table)
    rows = done(table).filter(pl.col("task").is_in(pool))
    methods = [m for m in methods if not found_by_chance(rows.filter(pl.col("method") == m))]
    scores = np.array([_by_task(rows, method, pool) for method in methods]).T
    # a method that could not be run somewhere would cost everybody that task
    whole = np.isfinite(scores).all(axis=0) if len(scores) else np.zeros(0, dtype=bool)
    names = [name for name, ok in zip(methods, whole, strict=True) if ok]
    if len(names) < 3 or len(pool) < 2:
        return None
    test = friedman(scores[:, whole], direction="min")
    cd = nemenyi_cd(test.k, test.n)
    left = [name for name in methods if name not in names]
    note = "n: tasks; Nemenyi at 5 %"
    if left:
        note += f"\nleft out, undefined on a task: {', '.join(left)}"
    figure = critical_difference(
        names, test.ranks, cliques(test.ranks, cd), cd=cd, n=test.n, note=note, marks=marks
    )
    text = (
        f"Ranks by mean restricted delay, one block a task. Friedman: chi-square {test.statistic:.1f}, "
        f"p = {test.p:.2g}, n = {test.n} tasks, {test.k} methods. Tasks that share a concept are no "
        f"independent "
        "blocks: take p-values as a description."
    )
    order = np.argsort(test.ranks, kind="stable")
    frame = pl.DataFrame(
        {
            "method": [names[i] for i in order],
            "mean rank": test.ranks[order],
            "tasks": [test.n] * len(names),
        }
    )
    return Section(title="Ranks", text=text, table=frame, figures={"Critical difference": figure})


def _by_task(rows: pl.DataFrame, method: str, tasks: list[str]) -> np.ndarray:
    grid = pivot(rows.filter(pl.col("method") == method), "restricted_delay", tasks=tasks)[0]
    known = np.isfinite(grid)
    counts = known.sum(axis=0)
    sums = np.where(known, grid, 0.0).sum(axis=0)
    return (
        np.where(counts == len(grid), sums / np.maximum(counts, 1), np.nan)
        if len(grid)
        else np.full(len(tasks), np.nan)
    )


def _calibrations(table: pl.DataFrame, calibration: Calibration) -> Section | None:
    rows = (
        done(table)
        .filter(pl.col("fit").is_not_null() & (pl.col("control") == 0.0))
        .unique(["method", "fit"], keep="first", maintain_order=True)
    )
    if not len(rows):
        return None
    kept = ["method", "task", "target", "share", "share_low", "share_high", "met", "exact"]
    frame = rows.select(*kept, "restricted_mean", "censored", "early")
    frame = frame.with_columns(
        share_n=pl.when(pl.col("share").is_finite()).then(calibration.checks).otherwise(0),
        reason=pl.Series([first_reason(rows[i], "share") for i in range(len(rows))]),
    )
    missed = int((rows["met"] == 0.0).sum())
    undefined = int(rows["share"].is_nan().sum())
    exact = int((rows["exact"] == 1.0).sum())
    text = (
        f"{len(rows)} calibrations, {exact} of them by the exact law of the run length, the others with "
        f"{calibration.runs} drift-free signals each, checked on "
        f"{calibration.checks} fresh ones (95 % Clopper-Pearson intervals). {missed} missed what was "
        f"asked by more "
        f"than three standard errors; for {undefined} there is no limit that gives it, and why. "
        f"`early`: alarm "
        "within the first 1000 ticks; `restricted_mean`: of min(run length, H), in ticks of the "
        "detector's own "
        "signal; the task is the first that uses the law."
    )
    return Section(title="False alarms asked and attained", text=text, table=frame)


def _delays(table: pl.DataFrame, curves: Curves, marks: Marks) -> Section | None:
    """Delay against the run length that was asked, pooled, and on each law with its floor."""
    pool = pooled_tasks(table)
    rows = done(table).filter((pl.col("control") == 0.0) & pl.col("task").is_in(pool))
    lines: dict[str, Curve] = {}
    for method in ranked(table):
        keys = rows.filter(pl.col("method") == method)["key"].to_list()
        found = [c for c in (curves(key) for key in keys) if "by_arl0_arl0" in c]
        if not found or len(found) < len(keys) or found_by_chance(rows.filter(pl.col("method") == method)):
            continue
        grid = np.array([c["by_arl0_restricted_delay"] for c in found])
        if not np.isfinite(grid).all():
            continue
        lines[method] = Curve(x=found[0]["by_arl0_arl0"], y=grid.mean(axis=0))
    if not lines:
        return None
    best = sorted(lines, key=lambda name: float(lines[name].y.mean()))[:SHOWN]
    seeds = table["seed"].n_unique()
    cells = len(pool) * seeds
    figure = draw_curves(
        {name: lines[name] for name in best},
        xlabel="in-control average run length asked, in rows",
        ylabel="restricted delay, in rows",
        xscale="log",
        marks=marks,
        note=f"the {len(best)} shortest; means over {cells} cells ({len(pool)} tasks, {seeds} seeds)",
    )
    text = "A detector buys a shorter delay with false alarms: compare at the same abscissa."
    return Section(
        title="Delay against false alarms", text=text, figures={"Delay against false alarms": figure}
    )


def _words(calibration: Calibration, tolerance: int) -> Section:
    text = (
        f"- **in time**: an alarm from the start of a change to {tolerance} rows after its end.\n"
        "- **restricted delay**: mean over all changes of min(delay, length of the window), in rows.\n"
        "- **false alarms**: alarms outside all windows of changes, per 1000 such rows.\n"
        "- **extra**: further alarms within one change's window.\n"
        "- **chance recall**: share of the changes that alarms at random rows would find, as many as "
        "there are outside the windows of changes.\n"
        f"- **asked**: P(alarm within H) = 1 - exp(-H / ARL0), H = {calibration.horizon} rows, "
        f"ARL0 = {calibration.arl0:,.0f} rows, on drift-free signals.\n"
        "- **told**: what a detector knows beforehand: nothing, the law before the change (p0), or "
        "both laws.\n"
        "- **control**: ignores the signal. `random` and `periodic` alarm at the asked rate; "
        "`clairvoyant` knows "
        "the changes.\n"
        "- A window of inputs is known when its last row is; delayed labels arrive late: both count as delay."
    )
    return Section(title="Words", text=text)
