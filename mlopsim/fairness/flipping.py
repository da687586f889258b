"""Rows as if they belonged to another group."""

from __future__ import annotations

import numpy as np
from numba import njit


def moved(X: np.ndarray, group: np.ndarray, bounds: np.ndarray, groups: int) -> np.ndarray:
    """Return rows of which, window by window, the column that tells the groups best is another group's.

    That column is the one with the largest Kolmogorov-Smirnov distance between the rows of some group and all
    others. A value becomes the one that stands at the same place among the values of the next group (the last
    one's next is the first): nobody's rank within the group changes.

    Parameters
    ----------
    X : ndarray of float64, shape (n, d)
    group : ndarray of int64, shape (n,)
        0..groups-1.
    bounds : ndarray of int64, shape (T + 1,)
        Rows of the windows.
    groups : int
        G; with one group nothing changes.

    Returns
    -------
    ndarray of float64, shape (n, d)
        Windows in which a group has no rows are as they were.

    Examples
    --------
    >>> X = np.array([[0.0, 5.0], [1.0, 6.0], [0.0, 8.0], [1.0, 9.0]])
    >>> moved(X, np.array([0, 0, 1, 1]), np.array([0, 4]), 2)
    array([[0., 8.],
           [1., 9.],
           [0., 5.],
           [1., 6.]])
    """
    out = np.array(X, dtype=np.float64)
    if groups > 1:
        _move(np.ascontiguousarray(X), np.ascontiguousarray(group), bounds.astype(np.int64), groups, out)
    return out


@njit(cache=True)
def _distance(order: np.ndarray, values: np.ndarray, group: np.ndarray, one: int, count: int) -> float:
    """Return the KS distance between the rows of a group and all others; ``order`` sorts the values."""
    n = len(order)
    inside = outside = 0
    largest = 0.0
    for i in range(n):
        if group[order[i]] == one:
            inside += 1
        else:
            outside += 1
        # equal values count together
        if i + 1 < n and values[order[i + 1]] == values[order[i]]:
            continue
        gap = abs(inside / count - outside / (n - count))
        largest = max(largest, gap)
    return largest


@njit(cache=True)
def _move(X: np.ndarray, group: np.ndarray, bounds: np.ndarray, groups: int, out: np.ndarray) -> None:
    for t in range(len(bounds) - 1):
        low, high = bounds[t], bounds[t + 1]
        own = group[low:high]
        counts = np.zeros(groups, dtype=np.int64)
        for g in own:
            counts[g] += 1
        if high == low or counts.min() == 0:
            continue
        best, told = -1, -1.0
        best_order = np.empty(0, dtype=np.int64)
        for j in range(X.shape[1]):
            values = X[low:high, j].copy()
            order = np.argsort(values, kind="mergesort")
            for one in range(groups):
                gap = _distance(order, values, own, one, counts[one])
                if gap > told:
                    told, best, best_order = gap, j, order
        values = X[low:high, best].copy()
        starts = np.zeros(groups + 1, dtype=np.int64)
        starts[1:] = np.cumsum(counts)
        ranked = np.empty(high - low, dtype=np.int64)
        seen = np.zeros(groups, dtype=np.int64)
        for i in best_order:
            ranked[starts[own[i]] + seen[own[i]]] = i
            seen[own[i]] += 1
        for one in range(groups):
            other = (one + 1) % groups
            for k in range(counts[one]):
                # the middle of rank k's share of the group, as a place among the other group's ranks
                place = int((k + 0.5) / counts[one] * counts[other])
                out[low + ranked[starts[one] + k], best] = values[ranked[starts[other] + place]]
