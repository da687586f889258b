"""Exact run lengths of control charts: how long until the first alarm, with and without a change."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any

import numpy as np

from mlopsim.core.errors import ConfigError
from mlopsim.core.spec import check_range
from mlopsim.drift.detector import Detector
from mlopsim.drift.law import Bernoulli, Law, Normal
from mlopsim.drift.signal import Side

#: Gauss-Legendre nodes of an integral equation
NODES = 96
#: widest lattice of a chain
STATES = 4000
#: a one-sided EWMA is followed down to so many of its standard deviations
DEPTH = 12.0


@dataclass(frozen=True, kw_only=True)
class Side1:
    """A chart that is a Markov chain: transition weights among the states without an alarm.

    Parameters
    ----------
    Q : ndarray of float64, shape (m, m)
        Probability (or quadrature weight times density) of going from state i to j without an alarm.
    start : int
        State before the first tick.
    """

    Q: np.ndarray
    start: int

    @cached_property
    def mean(self) -> float:
        """Mean run length: row ``start`` of ``(I - Q)^-1 1``."""
        m = len(self.Q)
        return float(np.linalg.solve(np.eye(m) - self.Q, np.ones(m))[self.start])

    def survival(self, n: int) -> float:
        """P(no alarm in the first n ticks)."""
        return float(np.linalg.matrix_power(self.Q, n)[self.start].sum())


@dataclass(frozen=True, kw_only=True)
class RunLength:
    """Law of the first alarm, in ticks (1 = the first tick).

    Parameters
    ----------
    mean : float
        Average run length.
    method : str
        How it was computed.
    survival : callable
        n to P(no alarm in the first n ticks).

    Examples
    --------
    >>> found = run_length(make_chart("shewhart"), Normal())
    >>> round(found.mean, 2), found.quantile(0.5), round(found.within(100), 4)
    (370.4, 257, 0.2369)
    """

    mean: float
    method: str
    survival: Callable[[int], float]

    def within(self, n: int) -> float:
        """Return P(alarm within the first n ticks)."""
        check_range("run length: n", n, 0, 10**12)
        return 1.0 - self.survival(n)

    def quantile(self, share: float) -> int:
        """Return the smallest n with P(alarm within n) >= share."""
        check_range("run length: share", share, 0.0, 1.0)
        if share >= 1.0:
            raise ConfigError("a run length has no largest value", remedy="a share below 1")
        high = 1
        while self.within(high) < share:
            high *= 2
            if high > 10**12:
                raise ConfigError(f"the {share:g} quantile lies above 1e12 ticks")
        low = 0
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if self.within(middle) < share else (low, middle)
        return high


def make_chart(name: str, **params: Any) -> Detector:
    """Build a detector for a run length: a chart that can be told the law before the change is told it."""
    from mlopsim.core.registry import find
    from mlopsim.core.spec import make

    cls = find("detector", name)
    names = {field.name for field in dataclasses.fields(cls)}
    if "told" in names and "told" not in params:
        params = {**params, "told": "p0"}
    detector: Detector = make("detector", name, **params)
    return detector


def run_length(detector: Detector, law: Law, shift: float = 0.0) -> RunLength:
    """Compute the law of the run length of a chart that is told the law before the change.

    Parameters
    ----------
    detector : Detector
        shewhart, cusum, ewma (of normal ticks), p_chart or bernoulli_cusum (of errors).
    law : Law
        Before the change.
    shift : float, default 0.0
        Change at the first tick: of the mean in standard deviations (normal), of p (errors).

    Returns
    -------
    RunLength

    Raises
    ------
    ConfigError
        If there is no exact method for this chart and law.

    Notes
    -----
    Shewhart charts and p-charts: geometric. CUSUM and EWMA of normal ticks: Fredholm equation of the second
    kind by Gauss-Legendre quadrature (Page 1954; Crowder 1987). The mean of a two-sided CUSUM follows exactly
    from those of its sides, ``1/L = 1/L+ + 1/L-`` (van Dobben de Bruyn 1968); its distribution is that of two
    sides taken for independent. Bernoulli CUSUM: a Markov chain on the lattice of its
    two steps (Reynolds and Stoumbos 1999), whose ratio is replaced by a fraction if it is none.

    Examples
    --------
    >>> round(run_length(make_chart("cusum", k=0.5, h=4.0), Normal()).mean, 1)
    167.7
    """
    name = detector.name
    chart: Any = detector
    if isinstance(law, Normal):
        if name == "shewhart":
            return _geometric(_tail(chart.width, shift, chart.side), 1)
        if name == "cusum":
            return _cusum(chart, shift)
        if name == "ewma" and not chart.exact:
            return _one(_ewma(chart, shift), "integral equation")
    if isinstance(law, Bernoulli):
        p = law.shifted(shift).p
        if name == "p_chart":
            return _p_chart(chart, law.p, p)
        if name == "bernoulli_cusum":
            step = math.log(chart.p1 / chart.p0), math.log((1.0 - chart.p0) / (1.0 - chart.p1))
            if step[0] > 0.0:
                return _one(_lattice(*step, chart.h, p), "Markov chain")
    kind = type(law).__name__.lower()
    raise ConfigError(
        f"there is no exact run length of {detector.full_name} on {kind} ticks", remedy="simulate it"
    )


def bernoulli_chain(up: int, down: int, limit: int, p: float) -> RunLength:
    """Return the run length of a Bernoulli CUSUM with whole steps that alarms at ``S >= limit``.

    Parameters
    ----------
    up, down : int
        What an error adds and a right answer takes away.
    limit : int
        Alarm at or above it.
    p : float
        Probability of an error.

    Examples
    --------
    >>> round(bernoulli_chain(6, 1, 30, 0.1).mean, 2), round(bernoulli_chain(6, 1, 30, 0.2).mean, 2)
    (923.11, 60.64)
    """
    check_range("run length: limit", limit, 1, STATES)
    Q = np.zeros((limit, limit))
    for s in range(limit):
        if s + up < limit:
            Q[s, s + up] += p
        Q[s, max(0, s - down)] += 1.0 - p
    return _one(Side1(Q=Q, start=0), "Markov chain")


def floor_delay(before: Law, after: Law, arl0: float) -> float:
    """Return the least possible worst-case delay (Lorden) at an in-control average run length.

    Reached by the CUSUM of the likelihood ratio (Moustakides 1986), whose worst case is a change at a fresh
    start: its mean run length under the law after the change.

    Parameters
    ----------
    before, after : Law
        Two normal laws of one spread, or two error rates.
    arl0 : float
        In ticks.

    Returns
    -------
    float
        Ticks.

    Examples
    --------
    >>> round(floor_delay(Normal(), Normal(mean=1.0), 465.4), 1)
    9.0
    """
    if isinstance(before, Normal) and isinstance(after, Normal) and before.sd == after.sd:
        shift = abs(after.mean - before.mean) / before.sd
        chart: Any = make_chart("cusum", k=0.5 * shift, side="up")
        limit = limit_for(chart, Normal(), arl0)
        return run_length(chart.limited(limit), Normal(), shift).mean
    if isinstance(before, Bernoulli) and isinstance(after, Bernoulli):
        # a fall of the error rate is a rise of the rate of right answers
        p0, p1 = (before.p, after.p) if after.p > before.p else (1.0 - before.p, 1.0 - after.p)
        return _lattice_floor(p0, p1, arl0)
    raise ConfigError("a floor is known for two normal laws of one spread or two error rates")


def limit_for(detector: Detector, law: Law, arl0: float, horizon: int | None = None) -> float:
    """Return the threshold with which a chart has an in-control average run length, exactly.

    Parameters
    ----------
    detector : Detector
        See :func:`run_length`.
    law : Law
        Before the change.
    arl0 : float
        In ticks.
    horizon : int, optional
        Match P(alarm within H) = 1 - exp(-H / arl0) instead of the mean.

    Raises
    ------
    ConfigError
        If no limit below 1e6 gives it, or there is no exact method.

    Examples
    --------
    >>> round(limit_for(make_chart("ewma", lam=0.5), Normal(), 500.0), 3)
    3.071
    """
    from scipy.optimize import brentq

    check_range("run length: arl0", arl0, 1.0, 1e12)
    target = -math.expm1(-horizon / arl0) if horizon is not None else arl0

    def gap(threshold: float) -> float:
        found = run_length(detector.limited(threshold), law)
        if horizon is not None:
            return target - found.within(horizon)
        return math.log(found.mean / target)

    low, high = 1e-6, 1.0
    if gap(low) > 0.0:
        raise ConfigError(f"{detector.full_name}: the smallest limit has a longer run length already")
    while gap(high) < 0.0:
        low, high = high, high * 1.5
        if high > 1e4:
            raise ConfigError(f"{detector.full_name}: no limit below 1e4 gives that")
    return float(brentq(gap, low, high, xtol=1e-10, rtol=1e-12))


# -- one chart each ----------------------------------------------------------------------------------


def _one(side: Side1, method: str) -> RunLength:
    return RunLength(mean=side.mean, method=method, survival=side.survival)


def _geometric(p: float, size: int) -> RunLength:
    if p <= 0.0:
        return RunLength(mean=math.inf, method="closed form", survival=lambda n: 1.0)
    return RunLength(mean=size / p, method="closed form", survival=lambda n: (1.0 - p) ** (n // size))


def _phi(x: Any) -> Any:
    from scipy.special import ndtr

    return ndtr(x)


def _density(x: np.ndarray) -> np.ndarray:
    density: np.ndarray = np.exp(-0.5 * x * x) / math.sqrt(2.0 * math.pi)
    return density


def _tail(width: float, shift: float, side: Side) -> float:
    above, below = float(_phi(shift - width)), float(_phi(-shift - width))
    return {Side.UP: above, Side.DOWN: below, Side.BOTH: above + below}[side]


def _nodes(low: float, high: float) -> tuple[np.ndarray, np.ndarray]:
    x, w = np.polynomial.legendre.leggauss(NODES)
    half = 0.5 * (high - low)
    return low + half * (x + 1.0), half * w


def _cusum_side(k: float, h: float, shift: float) -> Side1:
    """State 0 is the sum 0, the others are the nodes in (0, h)."""
    x, w = _nodes(0.0, h)
    at = np.concatenate([[0.0], x])
    Q = np.empty((NODES + 1, NODES + 1))
    Q[:, 0] = _phi(k - shift - at)
    Q[:, 1:] = w * _density(x[None, :] - at[:, None] + k - shift)
    return Side1(Q=Q, start=0)


def _cusum(chart: Any, shift: float) -> RunLength:
    up, down = _cusum_side(chart.k, chart.h, shift), _cusum_side(chart.k, chart.h, -shift)
    if chart.side is Side.UP:
        return _one(up, "integral equation")
    if chart.side is Side.DOWN:
        return _one(down, "integral equation")
    mean = 1.0 / (1.0 / up.mean + 1.0 / down.mean)

    def survival(n: int) -> float:
        return up.survival(n) * down.survival(n)

    return RunLength(mean=mean, method="integral equation", survival=survival)


def _ewma(chart: Any, shift: float) -> Side1:
    """Nodes in the band without an alarm; the last state is the start at 0."""
    unit = math.sqrt(chart.lam / (2.0 - chart.lam))
    edge = chart.width * unit
    low, high = {Side.BOTH: (-edge, edge), Side.UP: (-DEPTH * unit, edge), Side.DOWN: (-edge, DEPTH * unit)}[
        chart.side
    ]
    x, w = _nodes(low, high)
    at = np.concatenate([x, [0.0]])
    Q = np.zeros((NODES + 1, NODES + 1))
    z = (x[None, :] - (1.0 - chart.lam) * at[:, None]) / chart.lam - shift
    Q[:, :NODES] = w / chart.lam * _density(z)
    return Side1(Q=Q, start=NODES)


def _p_chart(chart: Any, p0: float, p: float) -> RunLength:
    from scipy.stats import binom

    mean = p0 if chart.mean is None else chart.mean
    spread = math.sqrt(mean * (1.0 - mean) / chart.size)
    z = (np.arange(chart.size + 1) / chart.size - mean) / spread
    over = {Side.UP: z, Side.DOWN: -z, Side.BOTH: np.abs(z)}[chart.side] > chart.width
    return _geometric(float(binom.pmf(np.flatnonzero(over), chart.size, p).sum()), chart.size)


def _steps(up: float, down: float) -> tuple[int, int, float]:
    """Return whole steps in (nearly) the same ratio, and the unit of one."""
    ratio = Fraction(up / down).limit_denominator(60)
    return ratio.numerator, ratio.denominator, down / ratio.denominator


def _lattice(up: float, down: float, h: float, p: float) -> Side1:
    a, b, unit = _steps(up, down)
    # alarms are strict: the first whole sum above h; a sum that equals h up to rounding is none
    limit = math.floor(h / unit * (1.0 + 1e-12) + 1e-9) + 1
    if limit > STATES:
        raise ConfigError(f"the chain has {limit} states, more than {STATES}", remedy="simulate it")
    Q = np.zeros((limit, limit))
    for s in range(limit):
        if s + a < limit:
            Q[s, s + a] += p
        Q[s, max(0, s - b)] += 1.0 - p
    return Side1(Q=Q, start=0)


def _lattice_floor(p0: float, p1: float, arl0: float) -> float:
    """Interpolate between the two limits around arl0: a randomised choice between them."""
    up, down = math.log(p1 / p0), math.log((1.0 - p0) / (1.0 - p1))
    unit = _steps(up, down)[2]
    low = high = 1
    while _lattice(up, down, (high - 1) * unit, p0).mean < arl0:
        low, high = high, high * 2
    while high - low > 1:
        middle = (low + high) // 2
        if _lattice(up, down, (middle - 1) * unit, p0).mean < arl0:
            low = middle
        else:
            high = middle
    means = [_lattice(up, down, (s - 1) * unit, p0).mean for s in (low, high)]
    delays = [_lattice(up, down, (s - 1) * unit, p1).mean for s in (low, high)]
    if means[1] == means[0]:
        return delays[1]
    weight = min(max((arl0 - means[0]) / (means[1] - means[0]), 0.0), 1.0)
    return (1.0 - weight) * delays[0] + weight * delays[1]
