"""Sums, strata, quarters and distances of the rows of windows and groups."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numba import njit


@njit(cache=True)
def sums(values: np.ndarray, place: np.ndarray, out: np.ndarray) -> None:
    """Add the rows of values (m, d) to the rows ``place`` (m,) of ``out`` (cells, d)."""
    for i in range(len(values)):
        for j in range(values.shape[1]):
            out[place[i], j] += values[i, j]


@njit(cache=True)
def strata(score: np.ndarray, bounds: np.ndarray, count: int, out: np.ndarray) -> None:
    """Write which of ``count`` equally large parts of its window, by rising score, each row is in.

    Equal scores are in one part: the one of the first of them.

    Parameters
    ----------
    score : ndarray of float64, shape (n,)
    bounds : ndarray of int64, shape (T + 1,)
    count : int
    out : ndarray of int64, shape (n,)
        Written.
    """
    for t in range(len(bounds) - 1):
        low, high = bounds[t], bounds[t + 1]
        order = np.argsort(score[low:high])
        part = 0
        for rank in range(high - low):
            if rank == 0 or score[low + order[rank]] != score[low + order[rank - 1]]:
                part = rank * count // (high - low)
            out[low + order[rank]] = part


@njit(cache=True)
def cuts(X: np.ndarray, bounds: np.ndarray, places: np.ndarray, out: np.ndarray) -> None:
    """Write order statistics of each feature of each window.

    Parameters
    ----------
    X : ndarray of float64, shape (n, d)
    bounds : ndarray of int64, shape (T + 1,)
    places : ndarray of int64, shape (T, 3)
        Of each window's values by size, from 0.
    out : ndarray of float64, shape (T, d, 3)
        Written, but for windows without rows.
    """
    for t in range(len(bounds) - 1):
        low, high = bounds[t], bounds[t + 1]
        if high == low:
            continue
        for j in range(X.shape[1]):
            values = np.sort(X[low:high, j])
            for k in range(3):
                out[t, j, k] = values[places[t, k]]


@njit(cache=True)
def quarters(
    X: np.ndarray, right: np.ndarray, window: np.ndarray, cut: np.ndarray, rows: np.ndarray, hits: np.ndarray
) -> None:
    """Count rows and right decisions in the quarters of each feature of each window.

    Parameters
    ----------
    X : ndarray of float64, shape (n, d)
    right : ndarray of bool, shape (n,)
    window : ndarray of int64, shape (n,)
    cut : ndarray of float64, shape (T, d, 3)
        Largest values of the first three quarters.
    rows, hits : ndarray of int64, shape (T, d, 4)
        Zeros; written.
    """
    for i in range(len(X)):
        t = window[i]
        for j in range(X.shape[1]):
            value = X[i, j]
            quarter = int(value > cut[t, j, 0]) + int(value > cut[t, j, 1]) + int(value > cut[t, j, 2])
            rows[t, j, quarter] += 1
            hits[t, j, quarter] += right[i]


def distances(
    columns: np.ndarray, group: np.ndarray, bounds: np.ndarray, counts: np.ndarray, out: np.ndarray
) -> None:
    """Write the Kolmogorov-Smirnov distance of each group and all others, times the rows of both.

    Missing values are one value, above all others.

    Parameters
    ----------
    columns : ndarray of float64, shape (d, m)
    group : ndarray of int64, shape (m,)
    bounds : ndarray of int64, shape (T + 1,)
    counts : ndarray of int64, shape (T, G)
        Rows.
    out : ndarray of int64, shape (T, G, d)
        Zeros; written.

    Examples
    --------
    >>> out = np.zeros((1, 2, 1), dtype=np.int64)
    >>> values, group = np.array([[1.0, 2.0, 2.0, 3.0, np.nan]]), np.array([0, 0, 1, 1, 1])
    >>> distances(values, group, np.array([0, 5]), np.array([[2, 3]]), out)
    >>> int(out[0, 0, 0])  # of 2 * 3
    4
    """
    # numpy sorts several times as fast as a compiled loop; the order of equal values does not matter
    _farthest(columns, sorted_segments(columns, bounds), group, bounds, counts, out)


def sorted_segments(columns: np.ndarray, bounds: np.ndarray) -> np.ndarray:
    """Return the places in their segment of each column's values from the least to the largest.

    Parameters
    ----------
    columns : ndarray of float64, shape (d, m)
    bounds : ndarray of int64, shape (T + 1,)
        From 0 to m.

    Returns
    -------
    ndarray of int64, shape (d, m)
        NaN comes last.

    Examples
    --------
    >>> sorted_segments(np.array([[2.0, 1.0, 5.0, 3.0, 4.0]]), np.array([0, 2, 5]))
    array([[1, 0, 1, 2, 0]])
    """
    order = np.empty(columns.shape, dtype=np.int64)
    for low, high in pairwise(bounds.tolist()):
        order[:, low:high] = np.argsort(columns[:, low:high], axis=1)
    return order


@njit(cache=True)
def _farthest(
    columns: np.ndarray,
    orders: np.ndarray,
    group: np.ndarray,
    bounds: np.ndarray,
    counts: np.ndarray,
    out: np.ndarray,
) -> None:
    groups = counts.shape[1]
    # of two groups one is enough
    shown = 1 if groups == 2 else groups
    seen = np.empty(groups, dtype=np.int64)
    for t in range(len(bounds) - 1):
        low, high = bounds[t], bounds[t + 1]
        n = high - low
        for j in range(len(columns)):
            values = columns[j, low:high]
            order = orders[j, low:high]
            seen[:] = 0
            for k in range(n):
                seen[group[low + order[k]]] += 1
                # equal values count together
                if k + 1 < n and (values[order[k + 1]] == values[order[k]] or np.isnan(values[order[k]])):
                    continue
                for g in range(shown):
                    gap = abs(seen[g] * n - (k + 1) * counts[t, g])
                    if gap > out[t, g, j]:
                        out[t, g, j] = gap
        for g in range(shown, groups):
            out[t, g] = out[t, 0]
