"""Delays of optimal procedures, and of any chart, after a change at the start, at a time, in the long run.

One convention: a delay counts ticks from the first changed one on, so that an alarm on that very tick has a
delay of 1. A change at ``tau`` comes after tau unchanged ticks without an alarm.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from mlopsim.core.errors import ConfigError
from mlopsim.core.spec import check_range
from mlopsim.drift.detector import Detector
from mlopsim.drift.law import Bernoulli, Law, Normal
from mlopsim.drift.run_length.chains import STATES, Chain, chains, walk, whole_steps
from mlopsim.drift.run_length.exact import limit_for, make_chart

#: values of R, evenly spaced in log R, that stand for those of errors
GRID = 1500
#: halvings of the bracket of a limit where R takes values without a density
HALVINGS = 30


def steady_state_delay(detector: Detector, law: Law, shift: float) -> float:
    """Return the mean delay after a change in the long run, given that there was no alarm before it.

    Parameters
    ----------
    detector : Detector
        shewhart, one-sided cusum, ewma, shiryaev_roberts of normal ticks; bernoulli_cusum of errors.
    law : Law
        Before the change.
    shift : float
        See :func:`mlopsim.drift.run_length.exact.run_length`.

    Returns
    -------
    float
        ``lim E[T - tau | T > tau]`` as tau grows, in ticks.

    Notes
    -----
    The quasi-stationary law of the chart (left eigenvector of its transition matrix) times its mean remaining
    run lengths under the changed law (Crosier 1986; Moustakides, Polunchenko and Tartakovsky 2009, equation
    for the conditional average delay).

    Examples
    --------
    >>> chart = make_chart("cusum", k=0.5, h=4.0, side="up")
    >>> round(steady_state_delay(chart, Normal(), 1.0), 2), round(delay_at(chart, Normal(), 1.0, 0), 2)
    (7.72, 8.38)
    """
    before, after = chains(detector, law, [0.0, shift])
    return _steady(before, after)


def delay_at(detector: Detector, law: Law, shift: float, tau: int) -> float:
    """Return the mean delay after a change at a known time, ``E[T - tau | T > tau]``.

    Parameters
    ----------
    detector, law, shift
        See :func:`steady_state_delay`.
    tau : int
        Unchanged ticks before the change; 0 is a change at a fresh start.

    Examples
    --------
    >>> chart = make_chart("cusum", k=0.5, h=4.0, side="up")
    >>> [round(delay_at(chart, Normal(), 1.0, tau), 3) for tau in (0, 1, 5, 50)]
    [8.383, 8.117, 7.787, 7.722]
    """
    check_range("delay: tau", tau, 0, 10**12)
    before, after = chains(detector, law, [0.0, shift])
    row = before.after(tau)
    return float(row @ after.remaining / row.sum())


@dataclass(frozen=True, kw_only=True)
class Reference:
    """What a procedure that knows both laws attains at an in-control average run length.

    Parameters
    ----------
    arl0 : float
        Its in-control average run length, in ticks.
    limit : float
        Of its statistic: the sum of log-likelihood ratios, or log R. Of errors the mean of the two limits
        that it is randomised between, by their weights.
    zero_state : float
        Mean delay of a change at a fresh start; of both procedures the worst case of tau.
    steady_state : float
        Mean delay in the long run, given no alarm before.
    stationary : float
        Mean delay in the long run of the repeated procedure, false alarms before the change allowed:
        ``sum over tau of E[(T - tau)+] / E[T]`` (Pollak and Tartakovsky 2009).
    method : str
        How it was computed.
    error : float
        Largest relative change of the three delays when the grid has half as many points; 0 where the method
        is exact to rounding.
    """

    arl0: float
    limit: float
    zero_state: float
    steady_state: float
    stationary: float
    method: str
    error: float = 0.0


def cusum_reference(before: Law, after: Law, arl0: float) -> Reference:
    """Return what the CUSUM of the likelihood ratio attains: its zero-state delay is the floor of Lorden's.

    Parameters
    ----------
    before, after : Law
        Two normal laws of one spread, or two error rates.
    arl0 : float
        In ticks.

    Notes
    -----
    Of errors, as of any statistic on a lattice, the procedure is randomised at its start between two limits
    and all its delays are means over them.

    Examples
    --------
    >>> found = cusum_reference(Normal(), Normal(mean=1.0), 465.4)
    >>> round(found.zero_state, 2), round(found.steady_state, 2), round(found.stationary, 2)
    (9.02, 8.33, 8.34)
    """
    shift = _normal_shift(before, after)
    if shift is not None:
        chart: Any = make_chart("cusum", k=0.5 * shift, side="up")
        limit = limit_for(chart, Normal(), arl0)
        pair = chains(chart.limited(limit), Normal(), [0.0, shift])
        # the sum of z - k is that of log-likelihood ratios over the shift
        return _reference(limit * shift, pair[0], pair[1], "integral equation")
    p0, p1 = _rising(before, after)
    up, down, unit = whole_steps(math.log(p1 / p0), math.log((1.0 - p0) / (1.0 - p1)))
    low = high = 1
    while walk(up, down, high, p0).mean < arl0:
        # one more state than there may be is refused with its reason
        low, high = high, high * 2 if high * 2 <= STATES else max(STATES, high + 1)
    while high - low > 1:
        middle = (low + high) // 2
        if walk(up, down, middle, p0).mean < arl0:
            low = middle
        else:
            high = middle
    ends = [
        _reference((s - 1) * unit, walk(up, down, s, p0), walk(up, down, s, p1), "Markov chain")
        for s in (low, high)
    ]
    return _between(ends[0], ends[1], arl0)


def shiryaev_roberts_reference(before: Law, after: Law, arl0: float) -> Reference:
    """Return what the Shiryaev-Roberts procedure attains: its stationary delay is the least of all.

    Parameters
    ----------
    before, after : Law
        Two normal laws of one spread, or two error rates.
    arl0 : float
        In ticks.

    Notes
    -----
    Normal ticks: the integral equation in log R (Moustakides, Polunchenko and Tartakovsky 2009). Errors:
    R has no lattice, and its law no density. R is put between two points of a grid that is even in log R,
    with the probabilities that keep its mean; as ``E[R_T] = E[T]`` before a change (Pollak 1987), the grid
    leaves the in-control average run length right but for the overshoot. ``error`` says what half the
    grid changes.

    Examples
    --------
    >>> found = shiryaev_roberts_reference(Normal(), Normal(mean=1.0), 465.4)
    >>> round(found.zero_state, 2), round(found.steady_state, 2), round(found.stationary, 2)
    (9.64, 8.18, 8.19)
    """
    shift = _normal_shift(before, after)
    if shift is not None:
        chart: Any = make_chart("shiryaev_roberts", shift=shift)
        limit = limit_for(chart, Normal(), arl0)
        pair = chains(chart.limited(limit), Normal(), [0.0, shift])
        return _reference(limit, pair[0], pair[1], "integral equation")
    p0, p1 = _rising(before, after)
    fine, coarse = (_errors_reference(p0, p1, arl0, size) for size in (GRID, GRID // 2))
    names = ("zero_state", "steady_state", "stationary")
    error = max(abs(getattr(coarse, name) / getattr(fine, name) - 1.0) for name in names)
    return Reference(**{**vars(fine), "error": error})


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
    return cusum_reference(before, after, arl0).zero_state


def _normal_shift(before: Law, after: Law) -> float | None:
    """Return how far apart two normal means are, None for two error rates."""
    if isinstance(before, Normal) and isinstance(after, Normal) and before.sd == after.sd:
        shift = abs(after.mean - before.mean) / before.sd
        if shift > 0.0:
            return shift
    elif (
        isinstance(before, Bernoulli)
        and isinstance(after, Bernoulli)
        and before.p != after.p
        and min(before.p, after.p) > 0.0
        and max(before.p, after.p) < 1.0
    ):
        return None
    raise ConfigError(
        "a floor is known for two normal laws of one spread or two error rates",
        remedy="they must differ, and rates lie within (0, 1)",
    )


def _rising(before: Any, after: Any) -> tuple[float, float]:
    """A fall of the error rate is a rise of the rate of right answers."""
    return (before.p, after.p) if after.p > before.p else (1.0 - before.p, 1.0 - after.p)


def _steady(before: Chain, after: Chain) -> float:
    return float(before.settled @ after.remaining)


def _stationary(before: Chain, after: Chain) -> float:
    return float(before.visits @ after.remaining / before.mean)


def _reference(limit: float, before: Chain, after: Chain, method: str) -> Reference:
    return Reference(
        arl0=before.mean,
        limit=limit,
        zero_state=after.mean,
        steady_state=_steady(before, after),
        stationary=_stationary(before, after),
        method=method,
    )


def _between(low: Reference, high: Reference, arl0: float) -> Reference:
    """Return the procedure that is randomised between two so that its ARL0 is as asked."""
    gap = high.arl0 - low.arl0
    weight = min(max((arl0 - low.arl0) / gap, 0.0), 1.0) if gap > 0.0 else 1.0

    def mean(of: Callable[[Reference], float], share: float = weight) -> float:
        return (1.0 - share) * of(low) + share * of(high)

    # the change finds either procedure as often as it is running then
    now = mean(lambda r: r.arl0)
    running = weight * high.arl0 / now
    return Reference(
        arl0=now,
        limit=mean(lambda r: r.limit),
        zero_state=mean(lambda r: r.zero_state),
        steady_state=mean(lambda r: r.steady_state),
        stationary=mean(lambda r: r.stationary, running),
        method=high.method,
    )


def _errors_chain(p0: float, p1: float, p: float, limit: float, size: int) -> Chain:
    """State 0 is R = 0, the others are values of R up to the limit, even in log R."""
    wrong, right = p1 / p0, (1.0 - p1) / (1.0 - p0)
    # after one tick R is never below what a right answer makes of R = 0
    at = np.concatenate([[0.0], np.exp(np.linspace(math.log(right), limit, size))])
    Q = np.zeros((size + 1, size + 1))
    rows = np.arange(size + 1)
    for ratio, mass in ((wrong, p), (right, 1.0 - p)):
        to = (1.0 + at) * ratio
        inside = to <= at[-1]
        place = np.clip(np.searchsorted(at, to, side="right") - 1, 1, size - 1)
        share = np.clip((to - at[place]) / (at[place + 1] - at[place]), 0.0, 1.0)
        np.add.at(Q, (rows[inside], place[inside]), mass * (1.0 - share[inside]))
        np.add.at(Q, (rows[inside], place[inside] + 1), mass * share[inside])
    return Chain(Q=Q, start=0)


def _errors_reference(p0: float, p1: float, arl0: float, size: int) -> Reference:
    def pair(limit: float) -> Reference:
        before, after = (_errors_chain(p0, p1, p, limit, size) for p in (p0, p1))
        return _reference(limit, before, after, f"Markov chain on {size} values of log R")

    # E[R_T] = E[T] lies between the limit and what one error makes of it
    low = max(math.log(arl0 * p0 / p1) - 1.0, math.log((1.0 - p1) / (1.0 - p0)) + 1e-6)
    high = max(math.log(arl0), low) + 1e-6
    for _ in range(HALVINGS):
        middle = 0.5 * (low + high)
        if _errors_chain(p0, p1, p0, middle, size).mean < arl0:
            low = middle
        else:
            high = middle
        if high - low < 1e-7:
            break
    return _between(pair(low), pair(high), arl0)
