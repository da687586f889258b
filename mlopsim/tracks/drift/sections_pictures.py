"""Figures of the drift report beside the leaderboard: floors, run lengths, distribution functions."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import polars as pl

from mlopsim.core.track import Section
from mlopsim.numerics.ecdf import two_cdfs
from mlopsim.plots.cdf import cdf as draw_cdf
from mlopsim.plots.curves import Curve
from mlopsim.plots.curves import curves as draw_curves
from mlopsim.plots.style import Mark, marks_for
from mlopsim.stats.bootstrap import mean_interval
from mlopsim.tracks.drift.analysis import done
from mlopsim.tracks.drift.evidence import PICTURED
from mlopsim.tracks.drift.fits import Calibration

#: methods in a figure of curves, at most
SHOWN = 8
#: pictures of two distribution functions, at most
PICTURES = 3
NAMES = {"floor": "floor (Lorden)", "cusum": "CUSUM, long run", "roberts": "SR, long run"}
Curves = Callable[[str], Mapping[str, np.ndarray]]


def floors(table: pl.DataFrame, curves: Curves) -> Section | None:
    """Delay against false alarms on each pair of known laws, with the exact floor under it."""
    rows = done(table).filter((pl.col("control") == 0.0) & pl.col("restricted_delay").is_finite())
    figures, frames = {}, []
    for task in dict.fromkeys(rows["task"].to_list()):
        chosen = rows.filter(pl.col("task") == task)
        known = _known(table, task, curves)
        if not known:
            continue
        arl0 = curves(chosen["key"][0])["by_arl0_arl0"]
        lines = _measured(chosen, curves)
        best = sorted(lines, key=lambda name: float(np.nanmean(lines[name].y)))[:SHOWN]
        shown = {name: lines[name] for name in best}
        shown |= {n: Curve(x=arl0, y=values) for n, values in known.items() if np.isfinite(values).any()}
        marks = marks_for([*best, *known]) | {NAMES["floor"]: Mark(colour="#000000", dash="-")}
        seeds = chosen["seed"].n_unique()
        figures[f"Delay on {task}"] = draw_curves(
            shown,
            xlabel="in-control average run length asked, in rows",
            ylabel="restricted delay, in rows",
            xscale="log",
            yscale="log",
            marks=marks,
            legend=True,
            note=f"{task}: the {len(best)} shortest, means over {seeds} scenario seeds with 95 % intervals; "
            "references: exact",
        )
        for name, values in known.items():
            entries = {f"{value:,.0f}": delay for value, delay in zip(arl0, values, strict=True)}
            frames.append({"task": task, "reference": name, **entries})
    if not figures:
        return None
    text = (
        "On independent ticks with known laws. **floor**: no procedure with that in-control average run "
        "length has a shorter worst-case delay (Lorden's criterion), which the CUSUM told both laws attains "
        "(Moustakides 1986). The other two lines are what CUSUM and Shiryaev-Roberts (SR), told both, need "
        "in the long run without a false alarm before. A delay at one given change is no worst case "
        "and may lie a little below the floor; the detectors are calibrated by P(alarm within H), the "
        "references by the average run length. Delays count the rows from the first changed one to the "
        "alarm's, 0 if they are the same. The table has the references at each run "
        "length; empty: no exact method for these laws."
    )
    return Section(title="Floor", text=text, table=pl.DataFrame(frames), figures=figures)


def _known(table: pl.DataFrame, task: str, curves: Curves) -> dict[str, np.ndarray]:
    """Return the references that the clairvoyant's cell holds, at each run length."""
    rows = done(table).filter((pl.col("task") == task) & (pl.col("method") == "clairvoyant"))
    found = curves(rows["key"][0]) if len(rows) else {}
    return {text: found[f"reference_{name}"] for name, text in NAMES.items() if f"reference_{name}" in found}


def _measured(rows: pl.DataFrame, curves: Curves) -> dict[str, Curve]:
    lines = {}
    for method in dict.fromkeys(rows["method"].to_list()):
        found = [curves(key) for key in rows.filter(pl.col("method") == method)["key"].to_list()]
        grid = np.array([c["by_arl0_restricted_delay"] for c in found])
        known = np.isfinite(grid).all(axis=0)
        if known.any():
            means = [
                mean_interval(values, np.random.default_rng(0)) if ok else None
                for values, ok in zip(grid.T, known, strict=True)
            ]
            lines[method] = Curve(
                x=found[0]["by_arl0_arl0"],
                y=np.array([math.nan if mean is None else mean.value for mean in means]),
                low=np.array([math.nan if mean is None else mean.low for mean in means]),
                high=np.array([math.nan if mean is None else mean.high for mean in means]),
            )
    return lines


def run_lengths(table: pl.DataFrame, curves: Curves, calibration: Calibration) -> Section | None:
    """P(alarm within n) on fresh drift-free signals, beside that of the memoryless detector."""
    rows = done(table).filter(pl.col("fit").is_not_null() & pl.col("share").is_finite())
    rows = rows.unique(["method", "fit"], keep="first", maintain_order=True)
    groups: dict[tuple[str, str], dict[str, Curve]] = {}
    for row in rows.select("key", "task", "method").iter_rows(named=True):
        found = curves(row["key"])
        if "run_length_survival" in found:
            at = found["run_length_at"]
            rest = 1.0 - found["run_length_survival"]
            unit = "windows" if at[-1] * 5 < calibration.horizon else "rows"
            groups.setdefault((row["task"], unit), {})[row["method"]] = Curve(x=at, y=rest)
    # one law with errors and one with windows of inputs: those that most methods are calibrated on
    figures = {}
    for unit in ("rows", "windows"):
        names = [key for key in groups if key[1] == unit]
        if not names:
            continue
        task = max(names, key=lambda key: len(groups[key]))[0]
        lines = groups[task, unit]
        at = next(iter(lines.values())).x
        rows_a_tick = round(calibration.horizon / at[-1])
        ideal = Curve(x=at, y=-np.expm1(-at * rows_a_tick / calibration.arl0))
        shown = {"memoryless": ideal} | lines
        figures[f"Run lengths in {unit}"] = draw_curves(
            shown,
            xlabel=f"n, in {unit}",
            ylabel="P(alarm within n)",
            marks=marks_for(list(shown)) | {"memoryless": Mark(colour="#000000", dash="-")},
            legend=True,
            note=f"{task}, without its change; {calibration.checks} fresh signals a method",
        )
    if not figures:
        return None
    text = (
        "All are made to meet at the right end, n = H; on the way there they differ: a method that estimates "
        "the law anew raises its false alarms early, another hardly at all. An average run length alone "
        "does not tell them apart. The black line is the memoryless detector's 1 - exp(-n / ARL0)."
    )
    return Section(title="Run lengths without a change", text=text, figures=figures)


def distribution_functions(table: pl.DataFrame, curves: Curves) -> Section | None:
    """What stood behind the first right alarm of the Kolmogorov-Smirnov detector on some tasks."""
    name = PICTURED.split("/")[-1]
    rows = done(table).filter((pl.col("method") == name) & (pl.col("seed") == 0))
    shown = []
    for row in rows.select("key", "task").iter_rows(named=True):
        found = curves(row["key"])
        if "cdf_place" in found:
            both = two_cdfs(found["cdf_reference"], found["cdf_window"])
            shown.append((both.pvalue * int(found["cdf_place"][1]), row["task"], both, found["cdf_place"]))
    figures: dict[str, Any] = {}
    # in many tasks only the labels change: there an alarm is a chance one
    for _, task, both, place in sorted(shown, key=lambda entry: entry[:2])[:PICTURES]:
        feature, features, window = (int(v) for v in place)
        figures[f"Distribution functions: {task}"] = draw_cdf(
            both,
            names=("reference", f"window {window}"),
            xlabel=f"feature {feature}, standardised",
            note=f"{task}, seed 0; the most distant of {features} features",
        )
    if not figures:
        return None
    text = (
        f"The two empirical distribution functions at the first alarm of `{name}` after a change, with the "
        f"Kolmogorov-Smirnov distance and the confidence bands: of the {len(shown)} tasks with such an alarm "
        f"those with the smallest p-values; p in the figure is not corrected for the number of features."
    )
    return Section(title="Distribution functions", text=text, figures=figures)
