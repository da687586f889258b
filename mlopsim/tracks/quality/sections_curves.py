"""Sections of the quality track from curves: what serves over time, and groups."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from mlopsim.core.track import Section
from mlopsim.plots.curves import Curve
from mlopsim.plots.curves import curves as draw_curves
from mlopsim.plots.style import marks_for
from mlopsim.plots.tradeoff import tradeoff
from mlopsim.stats.bootstrap import mean_interval
from mlopsim.stats.interval import Interval
from mlopsim.stats.table import interval_columns
from mlopsim.tracks.cell_table import axes_of, done, grid, mean_of
from mlopsim.tracks.quality.analysis import BASE, ORACLE, TOP, cleaning, loss

if TYPE_CHECKING:
    from matplotlib.figure import Figure

#: code of the stage after training
RELEASE = 3.0
#: features listed for a task
NAMED = 3
Curves = Callable[[str], Mapping[str, np.ndarray]]


def over_time(table: pl.DataFrame, board: pl.DataFrame, tasks: list[str], curves: Curves) -> Section | None:
    """Show what serves on the task with the largest loss, window by window."""
    if not tasks:
        return None
    worst = max(tasks, key=lambda task: loss(table, task).value)
    best = [m for m in board["method"].to_list() if m not in (BASE, TOP, ORACLE)][:3]
    rows = done(table).filter(pl.col("task") == worst)
    seeds = sorted(rows["seed"].unique().to_list())
    clean = _over_windows(rows, TOP, seeds, curves)
    lines = {}
    for method in (ORACLE, *best, BASE):
        # against the clean data of the same seed: seeds differ far more in level than in loss
        gap = _over_windows(rows, method, seeds, curves) - clean
        x = np.flatnonzero(np.isfinite(gap).all(axis=0))
        means = [mean_interval(gap[:, t], np.random.default_rng(0)) for t in x]
        lines[method] = Curve(
            x=x.astype(np.float64),
            y=np.array([m.value for m in means]),
            low=np.array([m.low for m in means]),
            high=np.array([m.high for m in means]),
        )
    figure = draw_curves(
        lines,
        xlabel="window",
        ylabel="accuracy of what serves, less that on clean data",
        marks=marks_for(list(lines)),
        note=f"{worst}; means of paired differences and 95 % intervals over {len(seeds)} seeds",
    )
    text = "The task with the largest loss, window by window."
    return Section(title="Over time", text=text, figures={"Accuracy over time": figure})


def _over_windows(rows: pl.DataFrame, method: str, seeds: list[Any], curves: Curves) -> np.ndarray:
    """Return the accuracy of what serves, float64 (seeds, T); NaN for a seed that is not done."""
    keys = dict(rows.filter(pl.col("method") == method).select("seed", "key").iter_rows())
    found = {seed: curves(key)["accuracy"] for seed, key in keys.items()}
    length = max((len(values) for values in found.values()), default=0)
    missing = np.full(length, np.nan)
    return np.array([found.get(seed, missing) for seed in seeds])


def groups(table: pl.DataFrame, board: pl.DataFrame, curves: Curves) -> Section | None:
    """Show right rows that are thrown away, and accuracy, by group."""
    rows = done(table).filter(pl.col("dropped_gap").is_finite())
    tasks = [task for task in axes_of(table)[1] if task in set(rows["task"].to_list())]
    if not tasks:
        return None
    seeds, _ = axes_of(table)
    methods = [m for m in board["method"].to_list() if m not in (BASE, TOP)]
    cells = _cells(table, tasks, curves)
    count = max(len(values["group_dropped"]) for values in cells.values())
    columns: dict[str, list[Interval]] = {"dropped_gap": []}
    for method in methods:
        columns["dropped_gap"].append(mean_of(table, method, "dropped_gap", tasks))
    worst = grid(table, BASE, "score_worst_group", seeds, tasks)
    columns["worst_group_gain"] = [
        _mean(grid(table, m, "score_worst_group", seeds, tasks) - worst) for m in methods
    ]
    for g in range(count):
        base = _group(cells, BASE, tasks, seeds, "group_accuracy", g)
        columns[f"dropped_{g}"] = [_mean(_group(cells, m, tasks, seeds, "group_dropped", g)) for m in methods]
        columns[f"gain_{g}"] = [
            _mean(_group(cells, m, tasks, seeds, "group_accuracy", g) - base) for m in methods
        ]
    named: dict[str, Any] = {"method": methods}
    for name, values in columns.items():
        named |= interval_columns(name, values)
    text = (
        f"On the {len(tasks)} tasks with several groups, which are numbered as in the stream. **dropped**: "
        "right rows of the group that are thrown away; **gain**: accuracy of what serves in the group less "
        "that without a gate; **dropped gap**: largest difference between groups; **worst group gain**: that "
        "of the group that fares worst. Cleaning can cost one group more than another: rows of a small group "
        "look unusual."
    )
    gaps = {task: _largest_gap(table, methods, task) for task in tasks}
    task = max(gaps, key=lambda name: gaps[name])
    figure = _by_group(cells, cleaning(methods), task, seeds)
    return Section(
        title="Groups",
        text=text,
        table=pl.DataFrame(named).sort("dropped_gap", descending=True),
        figures={"Rows dropped by group": figure},
    )


def weak_slices(table: pl.DataFrame, board: pl.DataFrame, curves: Curves) -> Section | None:
    """Show the features whose slices release tests named weak, task by task, those named most often first."""
    seeds, tasks = axes_of(table)
    rows = done(table).filter((pl.col("stage") == RELEASE) & (pl.col("blocked") > 0.0))
    methods = [m for m in board["method"].to_list() if m in set(rows["method"].to_list())]
    found: list[tuple[str, str, str, Interval]] = []
    for method in methods:
        cells = _cells(done(table).filter(pl.col("method") == method), tasks, curves)
        for task in tasks:
            counts = {s: cells[method, task, s].get("weak") for s in seeds if (method, task, s) in cells}
            known = np.array([values for values in counts.values() if values is not None])
            if not known.size:
                continue
            means = known.mean(axis=0)
            for place in np.argsort(-means, kind="stable")[:NAMED]:
                if means[place] > 0.0:
                    name = "group" if place == len(means) - 1 else f"feature {place}"
                    found.append(
                        (task, method, name, mean_interval(known[:, place], np.random.default_rng(0)))
                    )
    if not found:
        return None
    frame = pl.DataFrame(
        {
            "task": [row[0] for row in found],
            "method": [row[1] for row in found],
            "slices of": [row[2] for row in found],
            **interval_columns("verdicts", [row[3] for row in found]),
        }
    )
    text = (
        "Where versions were stopped for being worse than what served on a slice of the held-out rows: "
        f"verdicts a seed that named a slice of the feature (numbered from 0 as in the stream) or a group, "
        f"the {NAMED} named most often for each task."
    )
    return Section(title="Weak slices", text=text, table=frame)


def _by_group(
    cells: Mapping[tuple[str, str, Any], Mapping[str, np.ndarray]],
    methods: list[str],
    task: str,
    seeds: list[Any],
) -> Figure:
    """Draw right rows dropped in the second group against those in the first."""
    found: dict[str, tuple[Interval, Interval]] = {}
    for method in methods:
        one, other = (_mean(_group(cells, method, [task], seeds, "group_dropped", g)) for g in (0, 1))
        # what drops nothing says nothing here
        if math.isfinite(one.value) and math.isfinite(other.value) and one.value + other.value > 0.0:
            found[method] = (one, other)
    names = list(found)
    ends = [
        (np.array([found[m][g].low for m in names]), np.array([found[m][g].high for m in names]))
        for g in (0, 1)
    ]
    return tradeoff(
        names,
        np.array([found[m][0].value for m in names]),
        np.array([found[m][1].value for m in names]),
        cost_ends=ends[0],
        quality_ends=ends[1],
        xlabel="right rows of group 0 that are dropped",
        ylabel="of group 1",
        pareto=False,
        marks=marks_for(names),
        note=f"{task}, gates before and at training; means and 95 % intervals over {len(seeds)} seeds",
    )


def _largest_gap(table: pl.DataFrame, methods: list[str], task: str) -> float:
    found = [mean_of(table, method, "dropped_gap", [task]).value for method in methods]
    return max((value for value in found if math.isfinite(value)), default=-math.inf)


def _cells(
    table: pl.DataFrame, tasks: list[str], curves: Curves
) -> dict[tuple[str, str, Any], Mapping[str, np.ndarray]]:
    """Return the curves of (method, task, seed)."""
    rows = done(table).filter(pl.col("task").is_in(tasks))
    return {
        (m, t, s): curves(key) for m, t, s, key in rows.select("method", "task", "seed", "key").iter_rows()
    }


def _group(
    cells: Mapping[tuple[str, str, Any], Mapping[str, np.ndarray]],
    method: str,
    tasks: list[str],
    seeds: list[Any],
    name: str,
    g: int,
) -> np.ndarray:
    """Return a number of one group, float64 (seeds, tasks); NaN where there is none."""
    found = np.full((len(seeds), len(tasks)), np.nan)
    for i, seed in enumerate(seeds):
        for j, task in enumerate(tasks):
            values = cells.get((method, task, seed), {}).get(name, np.zeros(0))
            if g < len(values):
                found[i, j] = values[g]
    return found


def _mean(values: np.ndarray) -> Interval:
    if not np.isfinite(values).any():
        return Interval(value=math.nan, n=0, reason="undefined in every cell")
    return mean_interval(values, np.random.default_rng(0))
