"""Changes that a task declares harmless: what they do to the error as measured, and who alarms on them."""

from __future__ import annotations

import math

import numpy as np
import polars as pl

from mlopsim.drift.scenario import CHANNELS
from mlopsim.stats.bootstrap import mean_interval
from mlopsim.stats.interval import Interval
from mlopsim.stats.table import interval_columns
from mlopsim.tracks.cell_table import done
from mlopsim.tracks.drift.analysis import calibrations, looking, over_seeds
from mlopsim.tracks.drift.realised_alarms import with_realised

UNMEASURED = Interval(
    value=math.nan, n=0, reason="an earlier version did not measure it, or there is no model"
)
#: what a change does to the error of the model, by the interval of its mean over seeds
RISES, FALLS, LEVEL = "error rises", "error falls", "no change of the error seen"


def risk_directions(table: pl.DataFrame, name: str = "harmless_risk") -> dict[str, tuple[str, Interval]]:
    """Return what the changes of each task do to the error of its model, as measured.

    Parameters
    ----------
    table : polars.DataFrame
        Cells.
    name : str
        Metric with the error after less that before: ``harmless_risk`` or ``risk_change``.

    Returns
    -------
    dict of str to (str, Interval)
        By task: one of :data:`RISES`, :data:`FALLS`, :data:`LEVEL` (the interval holds 0, or one seed gives
        none), and the mean over seeds. Tasks in which it is known in no cell are left out.
    """
    found = {}
    rows = done(table).filter(pl.col(name).is_finite()).unique(["task", "seed"], maintain_order=True)
    for task in dict.fromkeys(table["task"].to_list()):
        values = rows.filter(pl.col("task") == task)[name].to_numpy()
        if not len(values):
            continue
        mean = mean_interval(values, np.random.default_rng(0))
        known = len(values) > 1 and math.isfinite(mean.low) and math.isfinite(mean.high)
        text = RISES if known and mean.low > 0.0 else FALLS if known and mean.high < 0.0 else LEVEL
        found[task] = text, mean
    return found


def harmless(table: pl.DataFrame) -> pl.DataFrame:
    """Return how often each method alarms on changes that a task declares harmless.

    Returns
    -------
    polars.DataFrame
        ``error``: what these changes do to the error of the model, measured
        (:func:`risk_directions`); ``tasks`` with that, by name; ``harmless_risk``: the mean error after less
        before over these tasks; reads, method, ``harmless_alarmed``. Tasks of different directions are never
        pooled, nor are methods that read different things in one row. Empty where there is no such change.
    """
    rows = looking(table).filter(pl.col("harmless_alarmed").is_finite())
    directions = risk_directions(table) if "harmless_risk" in table.columns else {}
    frames = []
    for text in (RISES, LEVEL, FALLS, ""):
        tasks = [t for t in dict.fromkeys(rows["task"]) if directions.get(t, ("", None))[0] == text]
        for channel in (*CHANNELS, None):
            own = rows.filter(pl.col("task").is_in(tasks), pl.col("channel").eq_missing(channel))
            methods = list(dict.fromkeys(own["method"].to_list()))
            if not methods:
                continue
            chosen = [own.filter(pl.col("method") == method) for method in methods]
            risks = [over_seeds(part, "harmless_risk") if text else UNMEASURED for part in chosen]
            frame = pl.DataFrame(
                {
                    "error": [text or "not measured"] * len(methods),
                    "tasks": [", ".join(dict.fromkeys(part["task"].to_list())) for part in chosen],
                    **interval_columns("harmless_risk", risks),
                    "reads": pl.Series([channel] * len(methods), dtype=pl.String),
                    "method": methods,
                    **interval_columns(
                        "harmless_alarmed", [over_seeds(part, "harmless_alarmed") for part in chosen]
                    ),
                }
            )
            frame = frame.sort("harmless_alarmed", descending=True)
            frames.append(with_realised(frame, calibrations(own)))
    return pl.concat(frames) if frames else pl.DataFrame()
