"""Rows moved to another group, window by window."""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True)
def move(
    X: np.ndarray,
    group: np.ndarray,
    bounds: np.ndarray,
    counts: np.ndarray,
    column: np.ndarray,
    least: int,
    out: np.ndarray,
) -> None:
    """Write one column of each window into ``out``, see :func:`mlopsim.fairness.flipping.moved`.

    Parameters
    ----------
    X : ndarray of float64, shape (n, d)
    group : ndarray of int64, shape (n,)
    bounds : ndarray of int64, shape (T + 1,)
    counts : ndarray of int64, shape (T, G)
        Rows.
    column : ndarray of int64, shape (T,)
        The column; -1: the window stays as it is.
    least : int
        Rows below which a group is left out.
    out : ndarray of float64, shape (n, d)
        A copy of X; written.
    """
    groups = counts.shape[1]
    for t in range(len(bounds) - 1):
        low, high = bounds[t], bounds[t + 1]
        if column[t] < 0:
            continue
        own, values = group[low:high], X[low:high, column[t]].copy()
        starts = np.zeros(groups + 1, dtype=np.int64)
        starts[1:] = np.cumsum(counts[t])
        ranked = np.empty(high - low, dtype=np.int64)
        seen = np.zeros(groups, dtype=np.int64)
        for i in np.argsort(values, kind="mergesort"):
            ranked[starts[own[i]] + seen[own[i]]] = i
            seen[own[i]] += 1
        for one in range(groups):
            if counts[t, one] < least:
                continue
            other = (one + 1) % groups
            # the next group that is large enough, the group itself if there is no other
            while counts[t, other] < least:
                other = (other + 1) % groups
            for k in range(counts[t, one]):
                # the middle of rank k's share of the group, as a place among the other group's ranks
                place = int((k + 0.5) / counts[t, one] * counts[t, other])
                out[low + ranked[starts[one] + k], column[t]] = values[ranked[starts[other] + place]]
