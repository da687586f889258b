"""What sections of the drift track share: settings, marks, and the words for what nobody knows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlopsim.core.section import Results
from mlopsim.tracks.drift.fits import Calibration

if TYPE_CHECKING:
    from mlopsim.plots.style import Mark

#: methods in a figure of curves, at most
SHOWN = 8


def calibration_of(results: Results) -> Calibration:
    """Return what limits were asked to do."""
    track: Any = results.track
    return Calibration.of(track.calibration)


def tolerance_of(results: Results) -> int:
    """Return how many rows after the end of a change an alarm counts for it."""
    track: Any = results.track
    return int(track.tolerance)


def marks_of(results: Results) -> dict[str, Mark]:
    """Return how each method looks in all figures of a report."""
    from mlopsim.plots.style import marks_for

    return marks_for(results.leaderboard["method"].to_list())
