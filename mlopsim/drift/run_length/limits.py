"""Limits by run lengths that are known exactly: no signal is drawn."""

from __future__ import annotations

import math

import numpy as np

from mlopsim.core.errors import ConfigError
from mlopsim.drift.calibration import Boundary, target_share
from mlopsim.drift.detector import Detector
from mlopsim.drift.forms import Batches, ErrorSum, Standardised
from mlopsim.drift.law import Bernoulli, Law, Normal
from mlopsim.drift.run_length.exact import INDEPENDENT, batch_scores, limit_for, run_length
from mlopsim.drift.signal import Known

#: most states times ticks that one limit may take
WORK = 2_000_000_000
#: chance of what is left out of the lattice of a sum of errors
LEFT_OUT = 1e-12
#: change of the law of a sum in 64 ticks below which it stays as it is
STILL = 1e-13
#: scores that differ by less are one value
SAME = 1e-9


def exact_boundary(detector: Detector, law: Law, arl0: float, horizon: int) -> Boundary | None:
    """Return the limit with which P(alarm within H) = 1 - exp(-H / ARL0), without simulation.

    Parameters
    ----------
    detector : Detector
        A chart with known in-control parameters: shewhart, cusum, ewma (with its settled spread) or
        shiryaev_roberts of normal ticks; p_chart or bernoulli_cusum of errors. Its own limit does not matter.
    law : Law
        Of the ticks before the change; they are independent.
    arl0 : float
        In the detector's own ticks.
    horizon : int
        H, in the detector's own ticks.

    Returns
    -------
    Boundary or None
        None where there is no exact method: another detector or law, a chart that learns its reference, a
        two-sided CUSUM or a lattice with too many states, a target that only a limit below all values would
        reach. With a reason where the detector has no limit that gives what is asked.

    Raises
    ------
    ConfigError
        If arl0 or horizon is out of range.

    Notes
    -----
    Scores with a density: the run-length law of :func:`mlopsim.drift.run_length.exact.run_length` is solved
    for the limit. A p-chart has a geometric run length in batches. A sum of errors lives on the values
    ``i up - j down``: they are put on a lattice whose unit is so small that no two that matter change their
    order (a convergent of the continued fraction of the steps' ratio), and the chain on it is followed tick
    by tick (Brook and Evans 1972). On a lattice the thresholds lie between two values, so that rounding
    decides nothing.

    Examples
    --------
    >>> from mlopsim.drift.run_length.exact import make_chart
    >>> exact_boundary(make_chart("cusum"), Normal(), 10_000.0, 2500)
    Boundary(threshold=8.04954..., lower=8.04954..., weight=0.0, reason='')
    >>> chart = make_chart("p_chart", size=50)
    >>> found = exact_boundary(chart, Bernoulli(p=0.1), 10_000.0, 2500)
    >>> round(found.threshold, 3), round(found.lower, 3), round(found.weight, 3)
    (3.064, 2.593, 0.32)
    """
    target = target_share(arl0, horizon)
    if detector.known is Known.NOTHING:
        return None
    found: Boundary | None = None
    form = detector.form()
    if isinstance(law, Bernoulli) and isinstance(form, Batches):
        found = _batches(form, law, target, horizon)
    elif isinstance(law, Bernoulli) and isinstance(form, ErrorSum):
        found = _error_sum(form, law, target, horizon)
    elif isinstance(law, Normal) and isinstance(form, Standardised):
        found = _smooth(detector, law, arl0, horizon)
    return None if found is None else _in_range(detector, found)


def _undefined(reason: str) -> Boundary:
    return Boundary(threshold=math.nan, lower=math.nan, weight=math.nan, reason=reason)


def _in_range(detector: Detector, found: Boundary) -> Boundary:
    if found.reason:
        return found
    try:
        for threshold in (found.threshold, found.lower) if found.weight > 0.0 else (found.threshold,):
            detector.limited(threshold)
    except ConfigError as error:
        return _undefined(f"its limit would be out of range: {error.message}")
    return found


def _smooth(chart: Detector, law: Normal, arl0: float, horizon: int) -> Boundary | None:
    try:
        limit = limit_for(chart, law, arl0, horizon)
        method = run_length(chart.limited(limit), law).method
    except ConfigError:
        return None
    if method == INDEPENDENT:
        return None
    return Boundary(threshold=limit, lower=limit, weight=0.0)


def _between(target: float, upper: tuple[float, float], lower: tuple[float, float]) -> Boundary:
    """Randomise between (threshold, share of alarms) with a share up to the target and one above it."""
    weight = (target - upper[1]) / (lower[1] - upper[1])
    return Boundary(threshold=upper[0], lower=lower[0], weight=min(max(weight, 0.0), 1.0))


def _batches(chart: Batches, law: Bernoulli, target: float, horizon: int) -> Boundary:
    batches = horizon // chart.size
    if batches == 0:
        return _undefined(f"its first batch of {chart.size} rows ends after {horizon} ticks")
    scores, mass = batch_scores(chart, law)
    order = np.argsort(scores)
    scores, mass = scores[order], mass[order]
    new = np.concatenate([[True], np.diff(scores) > SAME])
    values, weights = scores[new], np.add.reduceat(mass, np.flatnonzero(new))
    # one threshold below all values, one above each
    beyond = np.concatenate([np.cumsum(weights[::-1])[::-1], [0.0]])
    shares = -np.expm1(batches * np.log1p(-np.minimum(beyond, 1.0 - 1e-16)))
    below = 0.5 * values[0] if values[0] > SAME else values[0] - 1.0
    thresholds = np.concatenate([[below], 0.5 * (values[1:] + values[:-1]), [values[-1] + 1.0]])
    place = int(np.argmax(shares <= target))
    upper = float(thresholds[place]), float(shares[place])
    if place == 0:
        return Boundary(threshold=upper[0], lower=upper[0], weight=0.0)
    return _between(target, upper, (float(thresholds[place - 1]), float(shares[place - 1])))


def _error_sum(chart: ErrorSum, law: Bernoulli, target: float, horizon: int) -> Boundary | None:
    up, down, flip = chart.steps
    p = 1.0 - law.p if flip else law.p
    if not 0.0 < p < 1.0:
        return None
    rises = _most_rises(up, down, p, horizon, target)
    a, b = _convergent(up / down, rises)
    unit = down / b

    def share(limit: int) -> float:
        return _alarmed(a, b, limit, p, horizon)

    low, high = 0, max(1, math.ceil(math.log(1.0 + horizon) / unit))
    at_low, at_high = 1.0, math.nan
    while True:
        if high * min(horizon, 10_000) > WORK:
            return None
        at_high = share(high)
        if at_high <= target:
            break
        low, at_low, high = high, at_high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        now = share(middle)
        if now > target:
            low, at_low = middle, now
        else:
            high, at_high = middle, now
    return _between(target, ((high - 0.5) * unit, at_high), ((low - 0.5) * unit, at_low))


def _most_rises(up: float, down: float, p: float, horizon: int, target: float) -> int:
    """Return how many rises a sum that stays positive has at most, but for a chance of ``LEFT_OUT``.

    A sum that is positive after n ticks has a chance of at most rho^n, rho the least value of its moment
    generating function (Chernoff 1952).
    """
    q = 1.0 - p
    tilt = max(math.log(q * down / (p * up)) / (up + down), 0.0)
    rho = p * math.exp(tilt * up) + q * math.exp(-tilt * down)
    ticks = horizon
    if rho < 1.0:
        ticks = min(horizon, math.ceil(math.log(horizon / LEFT_OUT) / -math.log(rho)))
    # the sum of log-likelihood ratios exceeds h from one start with a chance of at most exp(-h)
    likelihood = abs(p * math.exp(up) + q * math.exp(-down) - 1.0) < 1e-9
    limit = math.log(horizon / target) + up + down if likelihood else ticks * up
    return min(ticks, math.ceil((limit + ticks * down) / (up + down)))


def _convergent(ratio: float, rises: int) -> tuple[int, int]:
    """Return a / b so close to the ratio that this many rises move a value by less than a quarter unit."""
    last, now = (1, 0), (math.floor(ratio), 1)
    rest = ratio - math.floor(ratio)
    while (now[0] == 0 or rises * abs(ratio * now[1] - now[0]) >= 0.25) and rest > 1e-12:
        whole = math.floor(1.0 / rest)
        rest = 1.0 / rest - whole
        last, now = now, (whole * now[0] + last[0], whole * now[1] + last[1])
    return now


def _alarmed(up: int, down: int, limit: int, p: float, horizon: int) -> float:
    """Return P(a sum with whole steps reaches ``limit`` within the horizon)."""
    law, last = np.zeros(limit), np.zeros(limit)
    law[0] = 1.0
    alive = 1.0
    for tick in range(1, horizon + 1):
        step = np.zeros(limit)
        if up < limit:
            step[up:] = p * law[:-up]
        if down < limit:
            step[:-down] += (1.0 - p) * law[down:]
        step[0] += (1.0 - p) * law[:down].sum()
        law = step
        if tick % 64 == 0 or tick == horizon:
            total = float(law.sum())
            if total <= 0.0:
                return 1.0
            now = law / total
            if float(np.abs(now - last).sum()) < STILL:
                # from here on only the total falls, by the same factor at every tick
                return float(1.0 - total * (total / alive) ** ((horizon - tick) / 64.0))
            last, alive = now, total
    return 1.0 - float(law.sum())
