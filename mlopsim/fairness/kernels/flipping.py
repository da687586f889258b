"""Rows moved to another group, window by window."""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True)
def distance(order: np.ndarray, values: np.ndarray, group: np.ndarray, one: int, count: int) -> float:
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
def move(X: np.ndarray, group: np.ndarray, bounds: np.ndarray, groups: int, out: np.ndarray) -> None:
    """Write into ``out``, see :func:`mlopsim.fairness.flipping.moved`."""
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
                gap = distance(order, values, own, one, counts[one])
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
