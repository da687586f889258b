"""Run lengths by simulation: signals of a law, as many of them as a detector's ticks allow."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import overload

import numpy as np

from mlopsim.core.seeds import Axis, Split, seed_sequence
from mlopsim.core.spec import check_range
from mlopsim.drift.detector import Detector
from mlopsim.drift.law import Law
from mlopsim.drift.signal import SignalKind
from mlopsim.stats.interval import Interval
from mlopsim.stats.proportions import clopper_pearson

#: effort of a simulation whose size is not given, in the unit of :attr:`Detector.effort`
EFFORT = 4_000_000.0
#: effort of starting a detector on a signal and of drawing one number of it
START, NUMBER = 40.0, 0.012
#: fewest signals, whatever they take
FEWEST = 20
#: runs over all signals that the search for a limit may take where the score depends on it: what one limit of
#: a detector takes that is certain of nothing (:meth:`mlopsim.drift.detector.Detector.certain`)
SEARCH = 30
#: ticks that are drawn at once before the first alarm: rows, windows
CHUNK = {False: 1024, True: 32}


@dataclass(frozen=True, kw_only=True)
class Quiet(Sequence[np.ndarray]):
    """Signals of a law without a change, each from a seed of its own, drawn when they are asked for.

    Parameters
    ----------
    law : Law
        Of a row; of inputs: of each number, all independent.
    runs, ticks : int
        Number of signals and their length.
    window : tuple of int
        Rows and features of a tick for detectors that compare windows of inputs; empty for rows.
    split : Split, default train
        Which seeds.

    Examples
    --------
    >>> from mlopsim.drift.law import Normal
    >>> signals = Quiet(law=Normal(), runs=3, ticks=5, window=(20, 2))
    >>> len(signals), signals[0].shape, bool((signals[0] == signals[0]).all())
    (3, (5, 20, 2), True)
    """

    law: Law
    runs: int
    ticks: int
    window: tuple[int, ...] = ()
    split: Split = Split.TRAIN

    def __len__(self) -> int:
        """Return the number of signals."""
        return self.runs

    @overload
    def __getitem__(self, index: int) -> np.ndarray: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[np.ndarray]: ...
    def __getitem__(self, index: int | slice) -> np.ndarray | Sequence[np.ndarray]:
        """Draw a signal, or those of a slice."""
        if isinstance(index, slice):
            return [self[i] for i in range(self.runs)[index]]
        return self.law.sample(self.rng(range(self.runs)[index]), (self.ticks, *self.window))

    def rng(self, index: int) -> np.random.Generator:
        """Return the generator of a signal, before its first tick."""
        return np.random.default_rng(seed_sequence(Axis.CALIBRATION, self.split, index))


def effort_of(detector: Detector, window: Sequence[int] = ()) -> float:
    """Return what a tick takes, drawing it included."""
    return detector.effort + NUMBER * math.prod(window)


def affordable(detector: Detector, ticks: int, passes: int, most: int, window: Sequence[int] = ()) -> int:
    """Return how many signals can be read ``passes`` times: at most ``most``, at least ``FEWEST``.

    Examples
    --------
    >>> from mlopsim.core.spec import make
    >>> affordable(make("detector", "ddm"), 1000, 2, 4000), affordable(make("detector", "mmd"), 1000, 2, 4000)
    (4000, 20)
    """
    signal = START + ticks * effort_of(detector, window)
    return min(most, max(FEWEST, int(EFFORT / (passes * signal))))


@dataclass(frozen=True, kw_only=True)
class Simulated:
    """First alarms on simulated signals.

    Parameters
    ----------
    first : ndarray of float64, shape (m,)
        Tick of the first alarm (1 = the first tick), inf without one.
    ticks : int
        Length of the signals: where they are censored.
    asked : int
        Signals that would have been read if their effort were no matter.

    Examples
    --------
    >>> found = Simulated(first=np.array([3.0, 5.0, np.inf]), ticks=9, asked=3)
    >>> round(found.censored, 2), round(found.restricted_mean, 2)
    (0.33, 5.67)
    """

    first: np.ndarray
    ticks: int
    asked: int

    @property
    def censored(self) -> float:
        """Share of the signals without an alarm."""
        return float(np.isinf(self.first).mean())

    @property
    def restricted_mean(self) -> float:
        """Mean of min(first alarm, length)."""
        return float(np.minimum(self.first, self.ticks).mean())

    @property
    def error(self) -> float:
        """Standard error of the restricted mean."""
        return float(np.minimum(self.first, self.ticks).std(ddof=1)) / math.sqrt(len(self.first))

    def within(self, n: int) -> Interval:
        """Return P(alarm within n ticks) with its Clopper-Pearson interval."""
        return clopper_pearson(int((self.first <= n).sum()), len(self.first))


def default_ticks(detector: Detector, window: Sequence[int] = ()) -> int:
    """Return the length of signals that is simulated by default: 20,000 rows, or 100 to 1000 windows.

    Examples
    --------
    >>> from mlopsim.core.spec import make
    >>> [default_ticks(make("detector", name)) for name in ("ddm", "ks", "mmd_permutation")]
    [20000, 1000, 100]
    """
    if detector.reads is not SignalKind.INPUTS:
        return 20_000
    hundreds = int(EFFORT / (FEWEST * effort_of(detector, window)) / 100.0)
    return 100 * min(10, max(1, hundreds))


def simulate(
    detector: Detector,
    law: Law,
    *,
    ticks: int,
    runs: int,
    whole: bool,
    window: tuple[int, ...] = (),
    progress: Iterable[int] | None = None,
) -> Simulated:
    """Read signals until their first alarms.

    Parameters
    ----------
    detector : Detector
    law : Law
        Of the ticks.
    ticks, runs : int
        Length and number of the signals.
    whole : bool
        Whether all ``runs`` are read, whatever they take; otherwise as many as ``EFFORT`` allows by what the
        first ``FEWEST`` took. The count of ticks decides, not a clock.
    window : tuple of int
        See :class:`Quiet`.
    progress : iterable of int, optional
        ``range(runs)`` in a bar that is shown.

    Returns
    -------
    Simulated

    Examples
    --------
    >>> from mlopsim.core.spec import make
    >>> from mlopsim.drift.law import Normal
    >>> found = simulate(make("detector", "periodic", every=7), Normal(), ticks=50, runs=4, whole=True)
    >>> found.first
    array([7., 7., 7., 7.])
    """
    check_range("runs", runs, 2, 10**8)
    check_range("ticks", ticks, 1, 10**12)
    quiet = Quiet(law=law, runs=runs, ticks=ticks, window=window)
    unit, taken = effort_of(detector, window), 0.0
    chunk = CHUNK[detector.reads is SignalKind.INPUTS]
    first: list[float] = []
    asked = runs
    for i in range(runs) if progress is None else progress:
        rng = quiet.rng(i)
        detector.reset(np.random.default_rng([1, i]))
        place, alarm = 0, math.inf
        while place < ticks and alarm == math.inf:
            data = law.sample(rng, (min(chunk, ticks - place), *window))
            alarms = detector.advance(data).alarms
            if len(alarms):
                alarm = place + float(alarms[0]) + 1.0
            place += len(data)
        first.append(alarm)
        taken += START + place * unit
        if not whole and len(first) == FEWEST:
            runs = max(FEWEST, min(runs, int(EFFORT * FEWEST / taken)))
        if len(first) >= runs:
            break
    return Simulated(first=np.array(first), ticks=ticks, asked=asked)
