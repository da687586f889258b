"""Hypergeometric laws: one, and sums of independent ones."""

from __future__ import annotations

import math

import numpy as np
from numba import njit

#: probabilities below this are left off the ends of a law
NEGLIGIBLE = 1e-300


@njit(cache=True)
def _choose(n: int, k: int) -> float:
    """Return the logarithm of a binomial coefficient."""
    return math.lgamma(n + 1.0) - math.lgamma(k + 1.0) - math.lgamma(n - k + 1.0)


@njit(cache=True)
def _point(x: int, rows: int, hits: int, total: int) -> float:
    """Return the probability of x hits in ``rows`` of ``total`` rows of which ``hits`` are hits."""
    return math.exp(_choose(hits, x) + _choose(total - hits, rows - x) - _choose(total, rows))


@njit(cache=True)
def _up(x: int, rows: int, hits: int, total: int) -> float:
    """Return the ratio of the probabilities of x + 1 and x."""
    return (hits - x) / (x + 1.0) * ((rows - x) / (total - hits - rows + x + 1.0))


@njit(cache=True)
def tails(
    x: np.ndarray,
    rows: np.ndarray,
    hits: np.ndarray,
    total: np.ndarray,
    below: np.ndarray,
    at: np.ndarray,
    above: np.ndarray,
) -> None:
    """Write P(X < x), P(X = x) and P(X > x) of m hypergeometric laws.

    The tail on the side of x is summed, term by term outwards, so that its relative error stays that of
    rounding however small it is; the other one is what is left.

    Parameters
    ----------
    x, rows, hits, total : ndarray of int64, shape (m,)
        Hits found in ``rows`` rows, drawn from ``total`` of which ``hits`` are hits.
    below, at, above : ndarray of float64, shape (m,)
        Written.
    """
    for i in range(len(x)):
        k, n, w, size = x[i], rows[i], hits[i], total[i]
        low, high = max(0, n + w - size), min(n, w)
        at[i] = _point(k, n, w, size)
        lower = k * size <= n * w
        term, tail = 1.0, 0.0
        place = k
        while (place > low) if lower else (place < high):
            if lower:
                place -= 1
                term /= _up(place, n, w, size)
            else:
                term *= _up(place, n, w, size)
                place += 1
            tail += term
            if term < 1e-18 * tail:
                break
        outer = at[i] * tail
        rest = max(1.0 - at[i] - outer, 0.0)
        below[i], above[i] = (outer, rest) if lower else (rest, outer)


@njit(cache=True)
def _law(rows: int, hits: int, total: int, law: np.ndarray) -> tuple[int, int]:
    """Write the law into the start of ``law``; return its first value and its length."""
    low, high = max(0, rows + hits - total), min(rows, hits)
    mode = min(max((rows + 1) * (hits + 1) // (total + 2), low), high)
    top = _point(mode, rows, hits, total)
    first, last = mode, mode
    value = top
    while first > low:
        value /= _up(first - 1, rows, hits, total)
        if value < NEGLIGIBLE:
            break
        first -= 1
    law[mode - first] = top
    value = top
    for x in range(mode - 1, first - 1, -1):
        value /= _up(x, rows, hits, total)
        law[x - first] = value
    value = top
    while last < high:
        value *= _up(last, rows, hits, total)
        if value < NEGLIGIBLE:
            break
        last += 1
        law[last - first] = value
    return first, last - first + 1


@njit(cache=True)
def summed_tails(
    rows: np.ndarray,
    hits: np.ndarray,
    total: np.ndarray,
    x: np.ndarray,
    below: np.ndarray,
    at: np.ndarray,
    above: np.ndarray,
) -> None:
    """Write P(S < x), P(S = x) and P(S > x) of sums S of B independent hypergeometric variables.

    Parameters
    ----------
    rows, hits, total : ndarray of int64, shape (m, B)
        Of each stratum; ``total`` may be 0.
    x : ndarray of int64, shape (m,)
    below, at, above : ndarray of float64, shape (m,)
        Written.
    """
    for i in range(len(x)):
        most = 1
        widest = 1
        for b in range(rows.shape[1]):
            width = min(rows[i, b], hits[i, b]) - max(0, rows[i, b] + hits[i, b] - total[i, b])
            most += width
            widest = max(widest, width + 1)
        held, fresh, law = np.zeros(most), np.zeros(most), np.empty(widest)
        held[0] = 1.0
        start, size = 0, 1
        for b in range(rows.shape[1]):
            first, width = _law(rows[i, b], hits[i, b], total[i, b], law)
            start += first
            if width == 1:
                continue
            longer = size + width - 1
            fresh[:longer] = 0.0
            for j in range(width):
                share = law[j]
                for k in range(size):
                    fresh[j + k] += share * held[k]
            # what is negligible at the ends is not carried on
            left, right = 0, longer
            while right - left > 1 and fresh[left] < NEGLIGIBLE:
                left += 1
            while right - left > 1 and fresh[right - 1] < NEGLIGIBLE:
                right -= 1
            size = right - left
            held[:size] = fresh[left:right]
            start += left
        place = x[i] - start
        below[i] = held[: min(max(place, 0), size)].sum()
        above[i] = held[min(max(place + 1, 0), size) : size].sum()
        at[i] = held[place] if 0 <= place < size else 0.0
