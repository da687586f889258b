"""Shapley values of the k nearest neighbours, exactly."""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True)
def distances(columns: np.ndarray, queries: np.ndarray, out: np.ndarray) -> None:
    """Write squared distances of queries (b, d) to rows given as columns (d, n) into ``out`` (b, n)."""
    out[:] = 0.0
    for a in range(len(queries)):
        for j in range(len(columns)):
            column, value = columns[j], queries[a, j]
            for i in range(columns.shape[1]):
                gap = column[i] - value
                out[a, i] += gap * gap


@njit(cache=True)
def add(
    keys: np.ndarray,
    distance: np.ndarray,
    mask: np.uint64,
    labels: np.ndarray,
    asked: np.ndarray,
    weight: np.ndarray,
    value: np.ndarray,
) -> None:
    """Add the Shapley values of n rows for b queries to ``value`` (n,).

    Parameters
    ----------
    keys : ndarray of uint64, shape (b, n)
        Rows by rising distance, a row's place in the bits of ``mask``; the other bits are the leading ones
        of the distance.
    distance : ndarray of float64, shape (b, n)
    mask : uint64
    labels : ndarray of int64, shape (n,)
    asked : ndarray of int64, shape (b,)
        Labels of the queries.
    weight : ndarray of float64, shape (n,)
        ``min(k, i) / (k i)`` for the ranks i = 1..n.
    value : ndarray of float64, shape (n,)
    """
    b, n = keys.shape
    order = np.empty(n, dtype=np.int64)
    for a in range(b):
        for i in range(n):
            place = np.int64(keys[a, i] & mask)
            # the leading bits may be equal where the distances are not
            j = i
            while j > 0:
                before = order[j - 1]
                if distance[a, before] < distance[a, place] or (
                    distance[a, before] == distance[a, place] and before < place
                ):
                    break
                order[j] = before
                j -= 1
            order[j] = place
        hit = 1.0 if labels[order[n - 1]] == asked[a] else 0.0
        share = weight[n - 1] * hit
        value[order[n - 1]] += share
        for i in range(n - 2, -1, -1):
            now = 1.0 if labels[order[i]] == asked[a] else 0.0
            share += weight[i] * (now - hit)
            hit = now
            value[order[i]] += share
