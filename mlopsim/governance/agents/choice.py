"""Which snapshots of a training are stored: a choice on validation scenarios.

A single snapshot must not be chosen: an optimum under a limit mixes in general, and the best of several noisy
returns among those that seem to comply is the luckiest. What is chosen is **how many** snapshots. The
candidates are the mixtures of the k that are the least above the limits, then cost least, k = 1..S. Among
those whose upper confidence limit of the cost is at most the limit the one with the highest return wins;
where there is none, the one whose upper limits are the least above the limits, each in shares of its limit,
as rules are ranked (:mod:`mlopsim.governance.within`). The mixture of all snapshots (k = S), for which alone
the method promises something, is a candidate.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from mlopsim.governance.constraint import kept


@dataclass(frozen=True, kw_only=True)
class Chosen:
    """What was chosen.

    Parameters
    ----------
    members : tuple of int
        Numbers of the snapshots, in the order of training.
    met : bool
        Whether the upper limit of its cost is at most the limit, of each constraint in each context.
    returns : float
        Mean return a window on the validation scenarios.
    cost, upper : ndarray of float64, shape (contexts, constraints)
        Mean cost a window there, and its one-sided upper confidence limit.
    """

    members: tuple[int, ...]
    met: bool
    returns: float
    cost: np.ndarray
    upper: np.ndarray


@lru_cache(maxsize=256)
def _quantile(level: float, freedom: int) -> float:
    from scipy.stats import t

    return float(t.ppf(level, freedom))


def upper_limit(costs: np.ndarray, level: float) -> np.ndarray:
    """Return the one-sided upper limit of the mean along the first axis, by Student's t.

    Parameters
    ----------
    costs : ndarray of float64, shape (n, ...)
        One entry a scenario: entries must be independent, so deployments with the same rows enter as
        their mean.
    level : float
        Confidence, 0..1.

    Returns
    -------
    ndarray of float64, shape (...)
        Infinite with less than two entries: nothing is known then.

    Examples
    --------
    >>> upper_limit(np.array([.1, .3, .2]), .95).round(4).item()
    0.3686
    """
    n = len(costs)
    if n < 2:
        return np.full(costs.shape[1:], math.inf)
    spread = costs.std(axis=0, ddof=1) / math.sqrt(n)
    return np.asarray(costs.mean(axis=0) + _quantile(level, n - 1) * spread)


def choose(returns: np.ndarray, costs: np.ndarray, limits: np.ndarray, level: float) -> Chosen:
    """Choose a mixture of snapshots.

    Parameters
    ----------
    returns : ndarray of float64, shape (S, contexts, n)
        Mean return a window of each snapshot in each of n validation scenarios, the same for all.
    costs : ndarray of float64, shape (S, contexts, n, constraints)
        Mean cost a window.
    limits : ndarray of float64, shape (contexts, constraints)
        What is allowed.
    level : float
        Confidence of the upper limits, one-sided.

    Returns
    -------
    Chosen

    Examples
    --------
    >>> cost = np.array([.5, .1, .3])[:, None, None, None] + np.array([-.01, .01])[None, None, :, None]
    >>> choose(cost[..., 0], cost, np.array([[.2]]), .95).members
    (1,)
    >>> choose(cost[..., 0], cost, np.array([[.4]]), .95).members
    (0, 1, 2)
    >>> choose(cost[..., 0], cost, np.array([[.05]]), .95).met
    False
    """
    means = costs.mean(axis=2)
    # what is below one limit does not pay for what is above another
    order = np.lexsort((means.sum(axis=(1, 2)), _above(means, limits).round(12)))
    candidates = [_candidate(order[: k + 1], returns, costs, limits, level) for k in range(len(order))]
    met = [one for one in candidates if one.met]
    if met:
        return max(met, key=lambda one: one.returns)
    # the fewest snapshots where several are equal
    return min(candidates, key=lambda one: (float(_above(one.upper, limits)), -one.returns))


def _above(costs: np.ndarray, limits: np.ndarray) -> np.ndarray:
    """Return what lies above the limits in shares of them (of 0: as it is), summed over the last two axes."""
    above = np.maximum(costs - limits, 0.0)
    return np.asarray((above / np.where(limits > 0.0, limits, 1.0)).sum(axis=(-2, -1)))


def _candidate(
    members: np.ndarray, returns: np.ndarray, costs: np.ndarray, limits: np.ndarray, level: float
) -> Chosen:
    # a scenario's expected cost: over the snapshots that it may get
    each = costs[members].mean(axis=0).transpose(1, 0, 2)
    upper = upper_limit(each, level)
    return Chosen(
        members=tuple(sorted(int(i) for i in members)),
        met=bool(kept(upper, limits).all()),
        returns=float(returns[members].mean()),
        cost=each.mean(axis=0),
        upper=upper,
    )
