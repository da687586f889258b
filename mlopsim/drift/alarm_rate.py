"""The rate of alarms in the long run, with the resets that follow them: the other law of matching.

Two detectors with the same chance of a first alarm within H rows may alarm at very different rates: one that
estimates the law anew after each alarm is in its nervous beginning again and again, another becomes ever
calmer. Where an alarm is followed by a reset, the rate is what an operator meets.
"""

from __future__ import annotations

import math
from collections.abc import Generator, Sequence

import numpy as np

from mlopsim.core.errors import ConfigError
from mlopsim.drift.calibration import Boundary
from mlopsim.drift.detector import Detector
from mlopsim.stats.bootstrap import mean_interval
from mlopsim.stats.interval import Interval
from mlopsim.stats.proportions import clopper_pearson

#: part of H before its end in which the hazard is measured
LAST = 0.2
#: limits that are tried in one search, at most
TRIES = 60
#: rates of the two thresholds of a boundary that differ by less than this part of what is asked are near
#: enough
NEAR = 0.04
#: a search may ask for the alarms a signal at a threshold; NaN answers that the threshold is out of range
Search = Generator[float, float, Boundary]


def counted(detector: Detector, signal: np.ndarray, rng: np.random.Generator | None = None) -> int:
    """Return the number of alarms on a signal; after each the detector starts afresh.

    Examples
    --------
    >>> from mlopsim.core.spec import make
    >>> counted(make("detector", "periodic", every=10), np.zeros(35))
    3
    """
    return len(detector.alarms(signal, rng))


def rate_per_1000(counts: np.ndarray, rows: int, level: float = 0.95) -> Interval:
    """Return alarms per 1000 rows from the alarms on each of several signals.

    Parameters
    ----------
    counts : ndarray of float64, shape (m,)
        Alarms on each signal.
    rows : int
        Rows that a signal is made of.
    level : float, default 0.95
        Of the interval: signals are resampled; without any alarm the upper end is Poisson's exact one.

    Returns
    -------
    Interval
        ``n`` counts signals.

    Examples
    --------
    >>> rate_per_1000(np.array([0.0, 2.0, 1.0, 1.0]), 10_000).value
    0.1
    >>> rate_per_1000(np.zeros(100), 10_000)
    Interval(0 [0, 0.00369], n=100)
    """
    per_row = 1000.0 / rows
    if not counts.any():
        high = -math.log((1.0 - level) / 2.0) * per_row / len(counts)
        return Interval(value=0.0, low=0.0, high=high, n=len(counts), level=level)
    return mean_interval(counts * per_row, np.random.default_rng(0), level=level)


def hazard_at_the_end(first: np.ndarray, horizon: int, level: float = 0.95) -> Interval:
    """Return P(first alarm in the last fifth of the H ticks | none before it): what a change after H meets.

    Parameters
    ----------
    first : ndarray of float64, shape (m,)
        Tick of the first alarm of each signal (1 = the first tick), inf without one.
    horizon : int
        H, in ticks.
    level : float, default 0.95
        Of the Clopper-Pearson interval.

    Examples
    --------
    >>> hazard_at_the_end(np.array([10.0, 90.0, np.inf, np.inf]), 100)
    Interval(0.333 [0.0084, 0.906], n=3)
    """
    start = horizon - max(1, round(LAST * horizon))
    left = first > start
    if not left.any():
        return Interval(value=math.nan, n=0, reason="every signal has an alarm before")
    return clopper_pearson(int((left & (first <= horizon)).sum()), int(left.sum()), level)


def rate_search(
    start: float, target: float, signals: int, known: dict[float, float], name: str = "the detector"
) -> Search:
    """Search the limit with which a detector raises ``target`` alarms a signal on average, resets and all.

    Parameters
    ----------
    start : float
        Threshold to begin with.
    target : float
        Alarms a signal, above 0.
    signals : int
        How many signals answers are means over.
    known : dict of float to float
        Answers so far, by threshold; searches for other targets share it, and it grows.
    name : str
        Of the detector, for the reason.

    Yields
    ------
    float
        A threshold; send back the mean number of alarms a signal, NaN where the limit is out of range.

    Returns
    -------
    Boundary
        Two thresholds with rates of at most and of more than the target, and the weight that makes the mean
        of both exact on these signals; with a reason where there are none. Rates fall as thresholds rise,
        but for chance.

    Examples
    --------
    >>> search = rate_search(1.0, 2.0, 100, {})
    >>> asked = next(search)
    >>> try:
    ...     while True:
    ...         asked = search.send(8.0 / asked if asked > 0.0 else np.nan)
    ... except StopIteration as end:
    ...     found = end.value
    >>> found.lower <= 4.0 <= found.threshold < 4.2
    True
    """
    if not math.isfinite(start):
        raise ConfigError(f"{name}: the search needs a finite limit to start from")
    step, refused = max(abs(start), 1.0) / 8.0, False
    last: float | None = None
    for _ in range(TRIES):
        low, high = _bracket(known, target)
        if low is not None and high is not None:
            above, below = known[low], known[high]
            if above - below <= max(NEAR * target, 1.0 / signals):
                break
            at = _between(low, high, above, below, target, halve=last is not None and low < last < high)
            if not low < at < high:
                break
            last = None if last is not None else at
        else:
            edge = low if low is not None else high
            at = start if edge is None else edge + step if low is not None else edge - step
        now = known[at] if at in known else (yield at)
        if math.isnan(now):
            if not known:
                raise ConfigError(f"{name}: the limit to start from is out of range")
            refused, step = True, 0.5 * step
            if step <= 1e-9 * max(abs(at), 1.0):
                break
            continue
        if low is None or high is None:
            step = step if refused else 2.0 * step
        known[at] = now
    low, high = _bracket(known, target)
    nan = math.nan
    if low is None or high is None:
        least, most = min(known.values()), max(known.values())
        text = (
            f"alarms a signal go from {least:.3g} to {most:.3g} over all limits tried, {target:.3g} are asked"
        )
        return Boundary(threshold=nan, lower=nan, weight=nan, reason=text)
    weight = (target - known[high]) / (known[low] - known[high])
    return Boundary(threshold=high, lower=low, weight=weight)


def _bracket(known: dict[float, float], target: float) -> tuple[float | None, float | None]:
    """Return the nearest thresholds with more alarms than asked, and with at most as many above it."""
    lows = [at for at, now in known.items() if now > target]
    low = max(lows, default=None)
    high = min((at for at, now in known.items() if now <= target and (low is None or at > low)), default=None)
    return low, high


def _between(low: float, high: float, above: float, below: float, target: float, *, halve: bool) -> float:
    """Return the next threshold: halfway, or where the logarithm of the rate would be right were it "
    "linear.
    """
    if halve or below <= 0.0:
        return 0.5 * (low + high)
    part = math.log(above / target) / math.log(above / below)
    return low + min(max(part, 0.05), 0.95) * (high - low)


def match_rates(
    detector: Detector,
    signals: Sequence[np.ndarray],
    targets: Sequence[float],
    seeds: Sequence[np.random.SeedSequence],
    start: float | None = None,
) -> list[Boundary]:
    """Find the limits with which a detector raises so many alarms a signal on average.

    Parameters
    ----------
    detector : Detector
        Any with a limit.
    signals : sequence of ndarray
        Long drift-free signals.
    targets : sequence of float
        Alarms a signal.
    seeds : sequence of SeedSequence
        One a signal.
    start : float, optional
        Threshold to begin with; by default the detector's own.

    Returns
    -------
    list of Boundary
        One a target.

    Examples
    --------
    >>> from mlopsim.core.spec import make
    >>> chart = make("detector", "shewhart", told="p0", mean=0.0, sd=1.0, side="up")
    >>> signals = np.random.default_rng(0).normal(size=(20, 5000))
    >>> found = match_rates(chart, signals, [5.0], [np.random.SeedSequence(i) for i in range(20)])
    >>> 3.0 < found[0].threshold < 3.2
    True
    """
    if len(seeds) != len(signals):
        raise ConfigError(f"{len(signals)} signals need as many seeds, got {len(seeds)}")
    known: dict[float, float] = {}
    first = detector.threshold if start is None else start
    found = []
    for target in targets:
        search = rate_search(first, target, len(signals), known, detector.full_name)
        answer: float | None = None
        while True:
            try:
                at = next(search) if answer is None else search.send(answer)
            except StopIteration as end:
                found.append(end.value)
                break
            try:
                limited = detector.limited(at)
            except ConfigError:
                answer = math.nan
                continue
            counts = [
                counted(limited, signal, np.random.default_rng(seed))
                for signal, seed in zip(signals, seeds, strict=True)
            ]
            answer = float(np.mean(counts))
    return found
