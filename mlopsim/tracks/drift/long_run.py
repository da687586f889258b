"""What detectors do in the long run: limits by the rate of alarms, and the rates that limits give."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np

from mlopsim.core.errors import ConfigError
from mlopsim.core.seeds import Split
from mlopsim.drift.alarm_rate import Search, counted, hazard_at_the_end, rate_per_1000, rate_search
from mlopsim.drift.calibration import Boundary, highest
from mlopsim.drift.detector import Detector
from mlopsim.stats.interval import Interval


class Plan(Protocol):
    """The calibration of one detector, as far as long signals matter to it."""

    detector: Detector
    part: Any
    limits: list[Boundary]

    def seed(self, split: Split, index: int) -> np.random.SeedSequence:
        """Return the seed of the detector's random numbers on a signal."""
        ...


def find_by_rate(plans: Sequence[Plan], signals: Sequence[np.ndarray], rows: int) -> list[list[Boundary]]:
    """Find the limits of detectors with which they alarm as often as asked; each pass draws a signal once.

    Parameters
    ----------
    plans : sequence of Plan
        Their ``part["arl0"]`` says what is asked: one alarm in so many rows.
    signals : sequence of ndarray
        Long drift-free signals of the split ``train``.
    rows : int
        Rows that each is made of.

    Returns
    -------
    list of list of Boundary
        For each plan one an arl0.
    """
    searches = [
        _Searching(plan, start, rows, len(signals))
        for plan, start in zip(plans, _starts(plans, signals), strict=True)
    ]
    while asking := [one for one in searches if one.asked is not None]:
        counts = np.empty((len(asking), len(signals)))
        for i, signal in enumerate(signals):
            for row, one in enumerate(asking):
                counts[row, i] = one.count(signal, i)
        for one, found in zip(asking, counts, strict=True):
            one.tell(float(found.mean()))
    return [one.found for one in searches]


def _starts(plans: Sequence[Plan], signals: Sequence[np.ndarray]) -> list[float]:
    """Return where each search begins: at the median highest score, where one run tells it."""
    tops: dict[int, list[float]] = {k: [] for k, plan in enumerate(plans) if plan.detector.separable}
    for i, signal in enumerate(signals):
        for k, values in tops.items():
            values.append(highest(plans[k].detector, signal, plans[k].seed(Split.TRAIN, i)))
    starts = [plan.detector.threshold for plan in plans]
    for k, values in tops.items():
        median = float(np.quantile(values, 0.5, method="lower"))
        starts[k] = median if math.isfinite(median) else starts[k]
    return starts


class _Searching:
    """The searches of one detector for its arl0, one after the other; they share what is known."""

    def __init__(self, plan: Plan, start: float, rows: int, signals: int) -> None:
        self._plan, self._start, self._signals = plan, start, signals
        self._targets = [rows / arl0 for arl0 in plan.part["arl0"]]
        self._known: dict[float, float] = {}
        self.found: list[Boundary] = []
        #: the threshold that the next pass is to try; None: all limits are found
        self.asked: float | None = None
        self._begin()

    def _begin(self) -> None:
        if len(self.found) == len(self._targets):
            self.asked = None
            return
        name = self._plan.detector.full_name
        self._search: Search = rate_search(
            self._start, self._targets[len(self.found)], self._signals, self._known, name
        )
        self._step(None)

    def _step(self, answer: float | None) -> None:
        """Let the search go on until it asks for a threshold that the detector can take."""
        while True:
            try:
                at = next(self._search) if answer is None else self._search.send(answer)
            except StopIteration as end:
                self.found.append(end.value)
                self._begin()
                return
            try:
                self._limited = self._plan.detector.limited(at)
            except ConfigError:
                # out of range: the search looks for another
                answer = math.nan
                continue
            self.asked = at
            return

    def count(self, signal: np.ndarray, i: int) -> int:
        """Return the alarms on a signal at the threshold that is asked."""
        return counted(self._limited, signal, np.random.default_rng(self._plan.seed(Split.TRAIN, i)))

    def tell(self, mean: float) -> None:
        """Go on with the mean number of alarms a signal."""
        self._step(mean)


def realised(counts: np.ndarray, first: np.ndarray, rows: int, ticks: int) -> dict[str, list[float]]:
    """Return what fresh signals show of the limits beside P(alarm within H): rates and hazards.

    Parameters
    ----------
    counts : ndarray of float64, shape (A, m)
        Alarms on each long signal; NaN where it was not read.
    first : ndarray of float64, shape (A, n)
        Tick of the first alarm of each short signal, inf without one.
    rows : int
        Rows of a long signal.
    ticks : int
        Ticks of a short one.

    Returns
    -------
    dict of str to list of float
        ``rate``, ``hazard`` with ``_low`` and ``_high``, one an entry of A; ``rate_spread``: standard
        deviation of the rate on one signal.

    Examples
    --------
    >>> found = realised(np.array([[1.0, 0.0]]), np.array([[90.0, np.inf]]), 10_000, 100)
    >>> found["rate"], found["hazard"]
    ([0.05], [0.5])
    """
    columns: dict[str, list[float]] = {}

    def put(name: str, found: Interval) -> None:
        for end, value in (("", found.value), ("_low", found.low), ("_high", found.high)):
            columns.setdefault(f"{name}{end}", []).append(value)

    nothing = Interval(value=math.nan, n=0, reason="not read")
    for own, alarms in zip(counts, first, strict=True):
        known = bool(np.isfinite(own).all()) and len(own) > 1
        put("rate", rate_per_1000(own, rows) if known else nothing)
        put("hazard", hazard_at_the_end(alarms, ticks))
        spread = float(own.std(ddof=1)) * 1000.0 / rows if known else math.nan
        columns.setdefault("rate_spread", []).append(spread)
    return columns
