"""What sections of the drift track share: settings, marks, and the words for what nobody knows."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from mlopsim.core.section import Results
from mlopsim.tracks.drift.fits import RATE, Calibration

if TYPE_CHECKING:
    from mlopsim.plots.style import Mark

#: methods in a figure of curves, at most
SHOWN = 8


def calibration_of(results: Results) -> Calibration:
    """Return what limits were asked to do."""
    track: Any = results.track
    return Calibration.of(track.calibration)


def asked_of(results: Results) -> str:
    """Say what is made equal by the limits of calibrated detectors, and what is not."""
    calibration, cells = calibration_of(results), results.cells
    found = cells["match"].drop_nulls().unique(maintain_order=True) if "match" in cells.columns else ()
    laws = [str(law).replace(" ", "_") for law in found] or [calibration.match]
    texts = [equal_by(replace(calibration, match=law)) for law in laws]
    if len(laws) > 1:
        texts.append("Methods that are matched by different laws (`match`) are ranked apart.")
    return " ".join(texts)


def equal_by(calibration: Calibration) -> str:
    """Say what one law of matching makes equal.

    Examples
    --------
    >>> print(equal_by(Calibration(match="rate"))[:70])
    Limits are matched by the rate: on long drift-free signals (10,000 row
    """
    share = -math.expm1(-calibration.horizon / calibration.arl0)
    rate = 1000.0 / calibration.arl0
    if calibration.match == RATE:
        return (
            f"Limits are matched by the rate: on long drift-free signals ({calibration.rate_rows:,} rows), "
            f"with the reset that follows each alarm, every calibrated detector is asked for {rate:g} alarms "
            f"in 1,000 rows. Limits have that rate on {calibration.rate_runs:,} signals; on as many fresh "
            "ones (`rate`) it is off by the chance of both, while its interval holds that of the fresh ones "
            "alone. "
            f"Equal is that rate; the chance of a first alarm within {calibration.horizon} rows ({share:.1%} "
            "for a memoryless detector) and the hazard at the change are not."
        )
    return (
        f"Limits are matched by the first alarm: with them {share:.1%} of the drift-free signals have an "
        "alarm "
        f"within {calibration.horizon} rows, as a memoryless detector with an average run length of "
        f"{calibration.arl0:,.0f} rows has. Equal is that chance; the rate in the long run ({rate:g} in "
        "1,000 "
        "rows for a memoryless detector) and the hazard at the change are not."
    )


def tolerance_of(results: Results) -> int:
    """Return how many rows after the end of a change an alarm counts for it."""
    track: Any = results.track
    return int(track.tolerance)


def marks_of(results: Results) -> dict[str, Mark]:
    """Return how each method looks in all figures of a report."""
    from mlopsim.plots.style import marks_for

    return marks_for(results.leaderboard["method"].to_list())
