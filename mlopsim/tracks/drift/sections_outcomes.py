"""Sections of the drift report on what alarms mean: on nothing, on harmless changes, for a deployment."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import numpy as np
import polars as pl

from mlopsim.core.track import Section
from mlopsim.plots.curves import Curve
from mlopsim.plots.curves import curves as draw_curves
from mlopsim.plots.style import Mark
from mlopsim.plots.tradeoff import tradeoff
from mlopsim.stats.bootstrap import mean_interval, ns_interval
from mlopsim.stats.interval import Interval
from mlopsim.stats.table import interval_columns, pivot
from mlopsim.tracks.drift.analysis import done
from mlopsim.tracks.drift.fits import Calibration

Curves = Callable[[str], Mapping[str, np.ndarray]]
Marks = dict[str, Mark]
#: methods in a figure of curves, at most
SHOWN = 8


def realised(table: pl.DataFrame, calibration: Calibration) -> Section | None:
    """Share of the test streams with an alarm before anything changes, beside what the asked rate gives."""
    rows = done(table).filter(
        (pl.col("control") == 0.0) & (pl.col("given") == 0.0) & pl.col("alarm_before").is_finite()
    )
    if not len(rows):
        return None
    # rows of a real stream are no draws of a known law: limits come from its warm-up
    real = {
        task: bool(known)
        for task, known in rows.group_by("task").agg((pl.col("real") == 1.0).any()).iter_rows()
    }
    columns: dict[str, list[Interval]] = {"of known laws": [], "on given rows": []}
    methods = list(dict.fromkeys(rows["method"].to_list()))
    for name, wanted in (("of known laws", False), ("on given rows", True)):
        tasks = [task for task, is_real in real.items() if is_real is wanted]
        for method in methods:
            chosen = rows.filter(pl.col("task").is_in(tasks) & (pl.col("method") == method))
            columns[name].append(
                over_seeds(chosen, "alarm_before")
                if len(chosen)
                else Interval(value=math.nan, n=0, reason="no such task, or none that it reads")
            )
    expected = {
        name: rows.filter(pl.col("task").is_in([t for t, is_real in real.items() if is_real is wanted]))[
            "rows_before"
        ]
        for name, wanted in (("of known laws", False), ("on given rows", True))
    }
    words = "; ".join(
        f"{name} {float((1.0 - (-values / calibration.arl0).exp()).mean()):.1%}"  # type: ignore[arg-type]
        for name, values in expected.items()
        if len(values)
    )
    frame = pl.DataFrame(
        {
            "method": methods,
            **{
                column: values
                for name, found in columns.items()
                for column, values in interval_columns(name.replace(" ", "_"), found).items()
            },
        }
    )
    text = (
        "Share of the test streams, tasks pooled, in which a method alarms before anything changes. A "
        f"memoryless detector of the asked rate does so in: {words}. Limits on given rows come from short "
        "warm-ups: what they really give is here."
    )
    return Section(title="False alarms realised", text=text, table=frame)


def harmless(table: pl.DataFrame) -> Section | None:
    """How often changes that need no answer are answered."""
    rows = done(table).filter(pl.col("harmless_alarmed").is_finite() & (pl.col("control") == 0.0))
    if not len(rows):
        return None
    methods = list(dict.fromkeys(rows["method"].to_list()))
    found = [over_seeds(rows.filter(pl.col("method") == method), "harmless_alarmed") for method in methods]
    frame = pl.DataFrame({"method": methods, **interval_columns("harmless_alarmed", found)})
    text = (
        "Share of the changes of P(x) that leave the model's risk as it was, with an alarm in their "
        "window. A "
        "detector of inputs is right to see them and of no use to the deployment; what is left to "
        "chance is the "
        "share that the asked rate gives."
    )
    return Section(title="Harmless changes", text=text, table=frame.sort("harmless_alarmed", descending=True))


def over_seeds(rows: pl.DataFrame, name: str) -> Interval:
    """Return the mean over tasks and seeds, seeds resampled."""
    grid: np.ndarray = pivot(rows, name)[0]
    return mean_interval(grid, np.random.default_rng(0))


def worth(table: pl.DataFrame, board: pl.DataFrame, curves: Curves, marks: Marks) -> Section | None:
    """NS of each detector as the trigger of retraining, beside its delay."""
    rows = done(table).filter(pl.col("return").is_finite())
    tasks = sorted(set(rows["task"].to_list()))
    if not tasks:
        return None

    def grid(method: str, name: str) -> np.ndarray:
        seeds = sorted(set(rows["seed"].to_list()))
        chosen = rows.filter(pl.col("method") == method)
        return pivot(chosen, name, clusters=seeds, tasks=tasks)[0]

    base, top = grid("never", "return"), grid("clairvoyant", "upper")
    methods = list(dict.fromkeys(rows["method"].to_list()))
    found = [ns_interval(grid(m, "return"), base, top, np.random.default_rng(0)) for m in methods]
    retrains = [over_seeds(rows.filter(pl.col("method") == m), "retrains") for m in methods]
    false = [over_seeds(rows.filter(pl.col("method") == m), "false_per_1000") for m in methods]
    frame = pl.DataFrame(
        {
            "method": methods,
            **interval_columns("ns", found),
            **interval_columns("retrains", retrains),
            **interval_columns("false_per_1000", false),
        }
    ).sort("ns", descending=True)
    delay = dict(board.select("method", "restricted_delay").iter_rows())
    both = [m for m in methods if math.isfinite(delay.get(m, math.nan)) and m not in ("clairvoyant", "never")]
    figure = tradeoff(
        both,
        [delay[m] for m in both],
        [found[methods.index(m)].value for m in both],
        xlabel="restricted delay on the pooled tasks, in rows",
        ylabel="NS as the trigger of retraining",
        pareto=False,
        marks=marks,
        note=f"{len(tasks)} tasks with a deployment; n = {rows['seed'].n_unique()} scenario seeds",
    )
    text = (
        "Each calibrated detector triggers the retraining in the same deployment (same Worlds, costs and "
        "cool-down): NS is 0 for never retraining and 1 for the clairvoyant bound. Statistical rank "
        "and worth need not agree: what counts there is whether a retrain is worth its cost, and whether "
        "there are rows of the new concept to train on."
    )
    figures = {"Worth against delay": figure}
    lines = _by_arl0(rows, curves, base, top)
    if lines:
        figures["Worth against false alarms"] = draw_curves(
            lines,
            xlabel="in-control average run length asked, in rows",
            ylabel="NS as the trigger of retraining",
            xscale="log",
            references={"always": found[methods.index("always")].value} if "always" in methods else None,
            marks=marks,
            note=f"the {len(lines)} best; {len(tasks)} tasks, n = {rows['seed'].n_unique()} scenario seeds",
        )
    return Section(title="Worth", text=text, table=frame, figures=figures)


def _by_arl0(
    rows: pl.DataFrame,
    curves: Curves,
    base: np.ndarray,
    top: np.ndarray,
) -> dict[str, Curve]:
    """NS at each arl0 of the methods with the largest means, calibrated ones only."""
    chosen = rows.filter((pl.col("control") == 0.0) & (pl.col("given") == 0.0))
    lines: dict[str, Curve] = {}
    for method in dict.fromkeys(chosen["method"].to_list()):
        own = chosen.filter(pl.col("method") == method)
        found = {key: curves(key) for key in own["key"]}
        arl0 = next(iter(found.values()))["by_arl0_arl0"]
        values = []
        for number in range(len(arl0)):
            returns = pl.Series(
                "by_arl0", [float(found[key]["by_arl0_return"][number]) for key in own["key"]]
            )
            at = pivot(
                own.with_columns(returns),
                "by_arl0",
                clusters=sorted(set(rows["seed"].to_list())),
                tasks=sorted(set(rows["task"].to_list())),
            )[0]
            # a limit that is missing in one scenario would compare different scenarios
            whole = np.isfinite(at).all() and at.shape == base.shape
            values.append(ns_interval(at, base, top, np.random.default_rng(0)) if whole else None)
        if all(value is not None for value in values):
            kept = [value for value in values if value is not None]
            lines[method] = Curve(
                x=arl0,
                y=np.array([value.value for value in kept]),
                low=np.array([value.low for value in kept]),
                high=np.array([value.high for value in kept]),
            )
    best = sorted(lines, key=lambda name: -float(lines[name].y.mean()))[:SHOWN]
    return {name: lines[name] for name in best}
