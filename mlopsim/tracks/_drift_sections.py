"""The report sections of the drift track."""

from __future__ import annotations

from typing import Any

import polars as pl

from mlopsim.core.track import Section
from mlopsim.tracks._drift_fits import Calibration
from mlopsim.tracks._drift_report import leaderboard, per_task


def sections(table: pl.DataFrame, curves: Any, calibration: Calibration, tolerance: int) -> list[Section]:
    """Make the sections of a report."""
    return [
        Section(title="Leaderboard", table=leaderboard(table)),
        Section(title="Tasks", table=per_task(table)),
    ]
