"""Alarms scored against the rises of a frozen model's error, or against its falls; never against both."""

from __future__ import annotations

import numpy as np

from mlopsim.drift.direction import Direction
from mlopsim.drift.scenario import Scenario
from mlopsim.drift.scoring import Score, score_alarms


def ways_of(scenario: Scenario) -> list[Direction]:
    """Return the direction of each harmful change; where nobody knows it, it counts as a rise."""
    return list(scenario.directions) or [Direction.RISE] * len(scenario.harmful)


def score_of(alarms: np.ndarray, scenario: Scenario, tolerance: int, way: Direction, lag: int = 0) -> Score:
    """Score alarms against the harmful changes of one direction; those of others stand aside.

    Parameters
    ----------
    alarms : ndarray of int64
        Rows.
    scenario : Scenario
        With its changes and their directions.
    tolerance : int
        Rows after the end of a change within which an alarm counts for it.
    way : Direction
        Which changes count.
    lag : int, default 0
        Rows until anything of a new law can have been seen.

    Examples
    --------
    >>> from mlopsim.drift.scenario import Channel
    >>> from mlopsim.drift.signal import Signal, SignalKind
    >>> channel = Channel(signal=Signal(kind=SignalKind.ERRORS, data=np.zeros(300)))
    >>> changes = (100, 100), (200, 200)
    >>> ways = Direction.RISE, Direction.FALL
    >>> both = Scenario(rows=300, channel=channel, harmful=changes, directions=ways)
    >>> found = [score_of(np.array([130]), both, 80, way) for way in ways]
    >>> [(score.drifts, score.recall, score.restricted_delay, score.false) for score in found]
    [(1, 1.0, 30.0, 0), (1, 0.0, 80.0, 0)]
    """
    ways = ways_of(scenario)
    spans = {
        own: [span for span, found in zip(scenario.harmful, ways, strict=True) if (found is way) == own]
        for own in (True, False)
    }
    return score_alarms(
        alarms,
        spans[True],
        scenario.rows,
        tolerance,
        harmless=scenario.harmless,
        lag=lag,
        aside=spans[False],
    )
