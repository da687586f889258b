"""Exact run lengths of control charts: how long until the first alarm, with and without a change."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from mlopsim.core.errors import ConfigError
from mlopsim.core.spec import check_range
from mlopsim.drift.detector import Detector
from mlopsim.drift.forms import Batches, Cusum, Individual, Standardised
from mlopsim.drift.law import Bernoulli, Law, NoExactLaw, Normal
from mlopsim.drift.run_length.chains import (
    Chain,
    chains,
    cusum_side,
    is_chart,
    standard,
    tail,
    two_sided,
)
from mlopsim.drift.signal import Known, Side, SignalKind

#: method where the mean is exact and the distribution is not
INDEPENDENT = (
    "integral equation, the chance within n ticks as if the two sides were independent: too low, "
    "by up to .09 where k is near 0"
)


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
    """Build a detector for a run length: a chart that can know its in-control parameters does."""
    from mlopsim.core.registry import find
    from mlopsim.core.spec import make

    cls = find("detector", name)
    names = {field.name for field in dataclasses.fields(cls)}
    if "told" in names and "told" not in params:
        params = {**params, "told": "p0"}
    detector: Detector = make("detector", name, **params)
    return detector


def run_length(detector: Detector, law: Law, shift: float = 0.0) -> RunLength:
    """Compute the law of the run length of a chart with known in-control parameters.

    Parameters
    ----------
    detector : Detector
        One with a :mod:`form <mlopsim.drift.forms>`: shewhart, cusum, ewma, shiryaev_roberts (of normal
        ticks), p_chart or bernoulli_cusum (of errors), or somebody else's.
        A mean or sd that it is given may differ from the law's.
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
    Shewhart charts and p-charts: geometric. CUSUM, EWMA and Shiryaev-Roberts of normal ticks: Fredholm
    equation of the second kind by Gauss-Legendre quadrature (Page 1954; Crowder 1987; Moustakides,
    Polunchenko and Tartakovsky 2009), the last in log R. The mean of a two-sided CUSUM follows exactly
    from those of its sides, ``1/L = 1/L+ + 1/L-`` (van Dobben de Bruyn 1968). Its distribution is that of
    both sums followed together: with k = 0.5 and h = 5 the chance of an alarm within 1000 ticks is 88.53 %
    (a million simulated signals: 88.52 % +- 0.06 %), with k = 0 and h = 5 that of one within 20 ticks is
    64.19 % (as many: 64.17 % +- 0.10 %). Where that takes too many states (0 < k < h / 400, a wide chart with
    a small k, h above 43 at k = 0) it is that of two independent sides (there 88.36 % and 57.32 %: up to .09
    too low where k is near 0), and ``method`` says so. Bernoulli CUSUM: a Markov chain on the
    lattice of its two steps (Reynolds and Stoumbos 1999), whose ratio is replaced by a fraction if it is
    none.

    Examples
    --------
    >>> round(run_length(make_chart("cusum", k=0.5, h=4.0), Normal()).mean, 1)
    167.7
    """
    return _law_of(detector, law, shift, joint=True)


def _law_of(detector: Detector, law: Law, shift: float = 0.0, *, joint: bool) -> RunLength:
    form, learns = detector.form(), detector.known is Known.NOTHING
    if isinstance(law, Normal) and is_chart(detector):
        z = standard(detector, law, shift)
        if isinstance(form, Individual):
            return _geometric(tail(form.width, z, form.side), 1)
        if isinstance(form, Cusum) and form.side is Side.BOTH:
            return _two_sided(form, z, joint)
    if isinstance(law, Bernoulli) and isinstance(form, Batches) and not learns:
        scores, mass = batch_scores(form, law, shift)
        return _geometric(float(mass[scores > form.width].sum()), form.size)
    chain = chains(detector, law, [shift])[0]
    method = "Markov chain" if isinstance(law, Bernoulli) else "integral equation"
    return _one(chain, method)


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
        If no limit below 1e4 gives it, or there is no exact method: for the chance within H of a two-sided
        CUSUM, too, whose states are too many (see :func:`run_length`).

    Examples
    --------
    >>> round(limit_for(make_chart("ewma", lam=0.5), Normal(), 500.0), 3)
    3.071
    """
    from scipy.optimize import brentq

    check_range("run length: arl0", arl0, 1.0, 1e12)
    target = -math.expm1(-horizon / arl0) if horizon is not None else arl0

    if detector.reads is SignalKind.ERRORS:
        raise NoExactLaw(
            f"there is no exact run length between the values of a lattice: {detector.full_name}",
            remedy="mlopsim.drift.run_length.limits.exact_boundary randomises between two of them",
        )

    def gap(threshold: float, joint: bool = False) -> float:
        found = _law_of(detector.limited(threshold), law, joint=joint)
        if horizon is not None:
            return target - found.within(horizon)
        return math.log(found.mean / target)

    form = detector.form()
    low, high = form.lowest if isinstance(form, Standardised) else 1e-6, 1.0
    if gap(low) > 0.0:
        raise ConfigError(f"{detector.full_name}: the smallest limit has a longer run length already")
    while gap(high) < 0.0:
        low, high = high, high * 1.5
        if high > 1e4:
            raise ConfigError(f"{detector.full_name}: no limit below 1e4 gives that")
    found = float(brentq(gap, low, high, xtol=1e-10, rtol=1e-12))
    if horizon is None or not isinstance(form, Cusum) or form.side is not Side.BOTH:
        return found
    if _law_of(detector.limited(found), law, joint=True).method == INDEPENDENT:
        raise NoExactLaw(
            f"the chance within {horizon} ticks of {detector.full_name} with this k takes too many states",
            remedy="simulate it, or match the mean",
        )
    # two sides alarm more often than independent ones would: the exact limit lies above
    if gap(found, True) >= 0.0:
        return found
    step = 0.02
    while gap(found + step, True) < 0.0:
        step *= 2.0
    return float(brentq(gap, found, found + step, args=(True,), xtol=1e-9, rtol=1e-12))


# -- one chart each ----------------------------------------------------------------------------------


def _one(chain: Chain, method: str) -> RunLength:
    return RunLength(mean=chain.mean, method=method, survival=chain.survival)


def _geometric(p: float, size: int) -> RunLength:
    if p <= 0.0:
        return RunLength(mean=math.inf, method="closed form", survival=lambda n: 1.0)
    return RunLength(mean=size / p, method="closed form", survival=lambda n: (1.0 - p) ** (n // size))


def _two_sided(chart: Cusum, z: Normal, joint: bool) -> RunLength:
    up = cusum_side(chart.k, chart.h, z)
    down = cusum_side(chart.k, chart.h, Normal(mean=-z.mean, sd=z.sd))
    mean = 1.0 / (1.0 / up.mean + 1.0 / down.mean)
    both = two_sided(chart.k, chart.h, z, fold=True) if joint else None
    if both is not None:
        return RunLength(mean=mean, method="integral equation", survival=both.survival)

    def survival(n: int) -> float:
        return up.survival(n) * down.survival(n)

    return RunLength(mean=mean, method=INDEPENDENT, survival=survival)


def batch_scores(chart: Batches, law: Bernoulli, shift: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    """Return the score of a p-chart at each number of errors in a batch, and its probability.

    Parameters
    ----------
    chart : Batches
    law : Bernoulli
        Before the change.
    shift : float, default 0.0
        Of p.

    Returns
    -------
    scores, mass : ndarray of float64, shape (size + 1,)
    """
    from scipy.stats import binom

    from mlopsim.drift.kernels.standardised_ticks import SMALLEST

    mean = law.p if chart.mean is None else chart.mean
    counts = np.arange(chart.size + 1)
    # the same operations in the same order as the chart's loop: values on its limit are compared alike
    spread = math.sqrt(max(mean * (1.0 - mean), SMALLEST) / chart.size)
    z = (counts / chart.size - mean) / spread
    scores = {Side.UP: z, Side.DOWN: -z, Side.BOTH: np.abs(z)}[chart.side]
    return scores, binom.pmf(counts, chart.size, law.shifted(shift).p)
