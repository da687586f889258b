"""Limits that give every detector the same false-alarm behaviour."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from mlopsim.core.errors import ConfigError, DataError
from mlopsim.core.spec import check_range
from mlopsim.drift.detector import Detector
from mlopsim.stats.interval import Interval
from mlopsim.stats.proportions import clopper_pearson

D = TypeVar("D", bound=Detector)
#: halvings of the bracket where a score depends on its limit
HALVINGS = 40
#: doublings of the bracket before the search is given up
DOUBLINGS = 60
#: alarms within so many ticks (rows, where H is given in rows) are called early
EARLY = 1000


def target_share(arl0: float, horizon: int) -> float:
    """Return P(alarm within H) = 1 - exp(-H / ARL0) of a memoryless detector.

    Parameters
    ----------
    arl0 : float
        In-control average run length, in ticks of the detector's own signal.
    horizon : int
        H, in ticks: the length of the signal before the change.

    Examples
    --------
    >>> round(target_share(465, 1000), 2)
    0.88
    """
    check_range("calibration.arl0", arl0, 1.0, 1e12)
    check_range("calibration.horizon", horizon, 1, 10**12)
    return -math.expm1(-horizon / arl0)


@dataclass(frozen=True, kw_only=True)
class Boundary:
    """A limit, randomised between two thresholds where no single one gives the asked share.

    Of a score with atoms (counts, sums of errors) the weight belongs to the law. Of a continuous score it
    only says that the signals are finitely many: the two thresholds are neighbours among their highest scores
    and meet as the signals become more.

    Parameters
    ----------
    threshold : float
        The higher one: alarms within H no more often than asked.
    lower : float
        The next lower one: more often than asked.
    weight : float
        Probability, drawn once a signal, of using ``lower``, in [0, 1].
    reason : str
        Why no limit gives the asked behaviour; empty if one does. The thresholds are NaN then.
    """

    threshold: float
    lower: float
    weight: float
    reason: str = ""

    def draw(self, rng: np.random.Generator) -> float:
        """Return the threshold for one signal."""
        return self.lower if rng.random() < self.weight else self.threshold


def boundary(maxima: np.ndarray, target: float) -> Boundary:
    """Return the limit that a share ``target`` of these highest scores exceeds.

    Parameters
    ----------
    maxima : ndarray of float64, shape (m,)
        Highest score of each drift-free signal; -inf where the score was never defined.
    target : float
        Share that shall exceed the limit, in (0, 1).

    Returns
    -------
    Boundary
        Over the m signals, ``weight`` makes the share exact.

    Notes
    -----
    Exceedance is strict, as alarms are. Among finitely many maxima the share jumps over the target at one
    value, by 1/m of a continuous score and by more at an atom; the randomisation between it and the next
    lower one closes the gap, as in a randomised test (Lehmann and Romano 2005, section 3.1).

    Examples
    --------
    >>> boundary(np.array([1.0, 2.0, 2.0, 3.0]), 0.5)
    Boundary(threshold=2.0, lower=1.0, weight=0.5, reason='')
    """
    if len(maxima) == 0 or np.isnan(maxima).any():
        raise DataError("highest scores are missing")
    check_range("calibration.target", target, 0.0, 1.0, open_low=True)
    values, counts = np.unique(maxima, return_counts=True)
    # share of the maxima above each value
    above = 1.0 - np.cumsum(counts) / len(maxima)
    above[-1] = 0.0
    place = int(np.argmax(above <= target))
    nan = math.nan
    if values[place] == np.inf:
        share = counts[-1] / len(maxima)
        text = f"its score is infinite in {share:.1%} of the drift-free signals, more than {target:.1%}"
        return Boundary(threshold=nan, lower=nan, weight=nan, reason=text)
    if values[place] == -np.inf:
        share = 1.0 - counts[0] / len(maxima)
        text = f"its score is defined in only {share:.1%} of the drift-free signals, less than {target:.1%}"
        return Boundary(threshold=nan, lower=nan, weight=nan, reason=text)
    highest = float(values[place])
    if place == 0:
        # below the least maximum everything is an alarm
        lower, share = math.nextafter(highest, -math.inf), 1.0
    else:
        lower, share = float(values[place - 1]), float(above[place - 1])
        if lower == -np.inf:
            lower = math.nextafter(highest, -math.inf)
    gap = share - float(above[place])
    weight = (target - float(above[place])) / gap if gap > 0.0 else 0.0
    return Boundary(threshold=highest, lower=lower, weight=min(max(weight, 0.0), 1.0))


@dataclass(frozen=True, kw_only=True)
class Attained:
    """How a limit behaves on drift-free signals.

    Parameters
    ----------
    share : Interval
        P(alarm within H) with its Clopper-Pearson interval.
    restricted_mean : float
        Mean of min(first alarm, H), in the unit of H.
    censored : float
        Share of the signals without an alarm.
    early : float
        Share with an alarm within the first 1000 units of H.
    """

    share: Interval
    restricted_mean: float
    censored: float
    early: float


def first_alarms(
    detector: Detector,
    signals: Sequence[np.ndarray] | np.ndarray,
    rngs: Sequence[np.random.Generator] | None = None,
) -> np.ndarray:
    """Return the tick count at the first alarm of each signal (1 = the first tick), inf without one."""
    first = np.full(len(signals), np.inf)
    for i, signal in enumerate(signals):
        alarms = detector.alarms(signal, None if rngs is None else rngs[i])
        if len(alarms):
            first[i] = alarms[0] + 1.0
    return first


def attained(first: np.ndarray, horizon: int, level: float = 0.95) -> Attained:
    """Summarise first alarms.

    Parameters
    ----------
    first : ndarray of float64, shape (m,)
        See :func:`first_alarms`.
    horizon : int
        H.
    level : float
        Of the interval.
    """
    inside = first <= horizon
    return Attained(
        share=clopper_pearson(int(inside.sum()), len(first), level),
        restricted_mean=float(np.minimum(first, horizon).mean()),
        censored=float(1.0 - inside.mean()),
        early=float((first <= min(EARLY, horizon)).mean()),
    )


def calibrate(
    detector: D,
    signals: Sequence[np.ndarray] | np.ndarray,
    target: float,
    seeds: Sequence[np.random.SeedSequence],
) -> Boundary:
    """Find the limit with which a share ``target`` of drift-free signals has an alarm.

    Parameters
    ----------
    detector : Detector
        Its own limit is not used where its score does not depend on it.
    signals : sequence of ndarray
        m drift-free signals of H ticks.
    target : float
        See :func:`target_share`.
    seeds : sequence of SeedSequence
        One a signal: the detector's random numbers are the same at every limit that is tried.

    Returns
    -------
    Boundary
        With a reason instead of numbers where no limit does.

    Raises
    ------
    ConfigError
        If there is not one seed for each signal.
    """
    return calibrate_all(detector, signals, [target], seeds)[0]


def calibrate_all(
    detector: Detector,
    signals: Sequence[np.ndarray] | np.ndarray,
    targets: Sequence[float],
    seeds: Sequence[np.random.SeedSequence],
) -> list[Boundary]:
    """Find the limits of several shares: what was read for one serves the others; see :func:`calibrate`."""
    if len(seeds) != len(signals):
        raise ConfigError(f"{len(signals)} signals need as many seeds, got {len(seeds)}")
    if detector.separable:
        maxima = np.empty(len(signals))
        for i, signal in enumerate(signals):
            maxima[i] = highest(detector, signal, seeds[i])
        return [boundary(maxima, target) for target in targets]
    tried = Tried(detector, signals, seeds)
    return [halve(tried, target) for target in targets]


def highest(detector: Detector, signal: np.ndarray, seed: np.random.SeedSequence) -> float:
    """Return the highest score on a signal without a limit, -inf if it is never defined.

    Examples
    --------
    >>> from mlopsim.core.spec import make
    >>> highest(make("detector", "never"), np.zeros(5), np.random.SeedSequence(0))
    0.0
    """
    scores = detector.unlimited([signal], [np.random.default_rng(seed)])[0]
    defined = scores[~np.isnan(scores)]
    return float(defined.max()) if len(defined) else -math.inf


class Tried:
    """Which share of signals has an alarm at a threshold; what former thresholds tell is not read again.

    Parameters
    ----------
    detector : Detector
        Its score may depend on its limit; see :meth:`mlopsim.drift.detector.Detector.certain`.
    signals : sequence of ndarray
        m signals.
    seeds : sequence of SeedSequence
        One a signal.

    Notes
    -----
    A lower threshold need not lead to more alarms where it moves what the detector compares with: HDDM-A may
    have an alarm at one threshold and none at a lower one. So nothing is taken to be monotone: a signal is
    left out only between thresholds where its answer is certain.

    Examples
    --------
    >>> from mlopsim.core.spec import make
    >>> signals = np.repeat([[0.0, 1.0], [1.0, 1.0]], 30, axis=1)
    >>> tried = Tried(make("detector", "hddm_a"), signals, np.random.SeedSequence(0).spawn(2))
    >>> tried.share(9.0), tried.share(9.1), tried.reads
    (0.5, 0.5, 2)
    """

    def __init__(
        self,
        detector: Detector,
        signals: Sequence[np.ndarray] | np.ndarray,
        seeds: Sequence[np.random.SeedSequence],
    ) -> None:
        self.detector, self._signals, self._seeds = detector, signals, seeds
        #: signals read so far
        self.reads = 0
        # answers, each of a signal between two thresholds
        self._of = np.zeros(0, dtype=np.int64)
        self._alarm = np.zeros(0, dtype=np.bool_)
        self._low, self._high = np.zeros(0), np.zeros(0)

    @property
    def count(self) -> int:
        """Number of signals."""
        return len(self._signals)

    def share(self, threshold: float) -> float:
        """Return the share of the signals that have an alarm at a threshold.

        Raises
        ------
        ConfigError
            If the detector's limit cannot be set to it.
        """
        limited = self.detector.limited(threshold)
        alarm = np.zeros(len(self._signals), dtype=np.bool_)
        unread = np.ones(len(self._signals), dtype=np.bool_)
        known = (self._low <= threshold) & (threshold <= self._high)
        alarm[self._of[known]] = self._alarm[known]
        unread[self._of[known]] = False
        places = np.flatnonzero(unread)
        low, high = np.empty(len(places)), np.empty(len(places))
        for row, i in enumerate(places.tolist()):
            rng = np.random.default_rng(self._seeds[i]) if limited.random else None
            alarm[i], low[row], high[row] = limited.certain(self._signals[i], rng)
        # what its limit makes of the threshold may differ by rounding: it is the threshold that was asked
        low, high = np.minimum(low, threshold), np.maximum(high, threshold)
        self.reads += len(places)
        self._of = np.concatenate([self._of, places])
        self._alarm = np.concatenate([self._alarm, alarm[places]])
        self._low, self._high = np.concatenate([self._low, low]), np.concatenate([self._high, high])
        return float(alarm.mean())


def search(
    detector: Detector,
    signals: Sequence[np.ndarray] | np.ndarray,
    target: float,
    seeds: Sequence[np.random.SeedSequence],
) -> Boundary:
    """Find one limit of a detector whose score depends on it; see :func:`calibrate`."""
    return halve(Tried(detector, signals, seeds), target)


def halve(tried: Tried, target: float) -> Boundary:
    """Halve a bracket of thresholds: the share falls as the threshold rises.

    Parameters
    ----------
    tried : Tried
        Answers for one target serve the next ones.
    target : float
        See :func:`target_share`.

    Returns
    -------
    Boundary
        With a reason instead of numbers where no limit was found.

    Raises
    ------
    ConfigError
        If the detector's own threshold, where the search starts, is not finite.
    """
    share, detector = tried.share, tried.detector
    nan = math.nan
    low = high = detector.threshold
    if not math.isfinite(low):
        raise ConfigError(f"{detector.full_name}: the search needs a finite limit to start from")
    step = max(abs(low), 1.0) / 8.0
    above = below = share(low)
    refused = False
    for _ in range(DOUBLINGS):
        if above > target:
            break
        try:
            above = share(low - step)
        except ConfigError:
            # out of range: nearer, as far as a step is one
            refused, step = True, 0.5 * step
            if step <= 1e-9 * max(abs(low), 1.0):
                text = f"at its lowest limit only {above:.1%} of the drift-free signals have an alarm"
                reason = f"{text}, less than {target:.1%}"
                return Boundary(threshold=nan, lower=nan, weight=nan, reason=reason)
            continue
        low, step = low - step, step if refused else 2.0 * step
    step = max(abs(high), 1.0) / 8.0
    refused = False
    for _ in range(DOUBLINGS):
        if below <= target:
            break
        try:
            below = share(high + step)
        except ConfigError:
            refused, step = True, 0.5 * step
            continue
        high, step = high + step, step if refused else 2.0 * step
    if below > target or above <= target:
        text = f"no limit was found: {above:.1%} at the lowest tried, {below:.1%} at the highest"
        return Boundary(threshold=nan, lower=nan, weight=nan, reason=text)
    for _ in range(HALVINGS):
        middle = 0.5 * (low + high)
        if not low < middle < high or above - below <= 1.0 / tried.count:
            break
        now = share(middle)
        if now > target:
            low, above = middle, now
        else:
            high, below = middle, now
    return Boundary(threshold=high, lower=low, weight=(target - below) / (above - below))


def records(scores: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return where a score exceeds all earlier ones, and how high it is there.

    Parameters
    ----------
    scores : ndarray of float64, shape (n,)
        NaN where undefined.

    Returns
    -------
    places : ndarray of int64, shape (r,)
    values : ndarray of float64, shape (r,)
        Rising: the first alarm at a threshold is at the first record above it.

    Examples
    --------
    >>> places, values = records(np.array([np.nan, 1.0, 0.5, 2.0, 2.0]))
    >>> places, values
    (array([1, 3]), array([1., 2.]))
    """
    top = np.fmax.accumulate(np.where(np.isnan(scores), -np.inf, scores))
    before = np.concatenate([[-np.inf], top[:-1]]) if len(top) else top
    places = np.flatnonzero(top > before)
    return places, scores[places]
