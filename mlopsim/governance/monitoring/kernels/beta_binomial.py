"""Tails of beta-binomial laws."""

from __future__ import annotations

import math

import numpy as np
from numba import njit


@njit(cache=True)
def _point(k: int, n: int, p: float, rho: float) -> float:
    """Return the probability of k successes in n rows of mean p and intraclass correlation rho."""
    choose = math.lgamma(n + 1.0) - math.lgamma(k + 1.0) - math.lgamma(n - k + 1.0)
    if rho <= 0.0:
        return math.exp(choose + k * math.log(p) + (n - k) * math.log1p(-p))
    total = (1.0 - rho) / rho
    a, b = total * p, total * (1.0 - p)
    top = math.lgamma(k + a) + math.lgamma(n - k + b) - math.lgamma(n + total)
    return math.exp(choose + top - (math.lgamma(a) + math.lgamma(b) - math.lgamma(total)))


@njit(cache=True)
def _up(k: int, n: int, p: float, rho: float) -> float:
    """Return the ratio of the probabilities of k + 1 and k."""
    # both shapes times rho, so that no correlation is no special case
    rise = (1.0 - rho) * p + k * rho
    fall = (1.0 - rho) * (1.0 - p) + (n - k - 1.0) * rho
    return (n - k) / (k + 1.0) * (rise / fall)


@njit(cache=True)
def tails(
    k: np.ndarray,
    n: np.ndarray,
    p: np.ndarray,
    rho: np.ndarray,
    below: np.ndarray,
    at: np.ndarray,
    above: np.ndarray,
) -> None:
    """Write P(K < k), P(K = k) and P(K > k) of m beta-binomial laws; without correlation binomial ones.

    The tail on the side of k is summed, term by term outwards, so that its relative error stays that of
    rounding however small it is; the other one is what is left.

    Parameters
    ----------
    k, n : ndarray of int64, shape (m,)
        Successes and rows.
    p, rho : ndarray of float64, shape (m,)
        Mean rate, and intraclass correlation in [0, 1); where p is NaN, so is what is written.
    below, at, above : ndarray of float64, shape (m,)
        Written.
    """
    for i in range(len(k)):
        place, rows, mean, corr = k[i], n[i], p[i], rho[i]
        if not (mean >= 0.0 and mean <= 1.0 and corr >= 0.0):
            below[i] = at[i] = above[i] = np.nan
            continue
        if mean == 0.0 or mean == 1.0:
            only = 0 if mean == 0.0 else rows
            below[i] = 1.0 if only < place else 0.0
            at[i] = 1.0 if only == place else 0.0
            above[i] = 1.0 if only > place else 0.0
            continue
        at[i] = _point(place, rows, mean, corr)
        lower = place <= rows * mean
        term, tail = 1.0, 0.0
        while (place > 0) if lower else (place < rows):
            if lower:
                place -= 1
                term /= _up(place, rows, mean, corr)
            else:
                term *= _up(place, rows, mean, corr)
                place += 1
            tail += term
            if term < 1e-18 * tail:
                break
        outer = at[i] * tail
        rest = max(1.0 - at[i] - outer, 0.0)
        below[i], above[i] = (outer, rest) if lower else (rest, outer)
