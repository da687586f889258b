"""Moments, halves and held-out rank sums of linear discriminants, one for each window, half and group."""

from __future__ import annotations

import numpy as np
from numba import njit

from mlopsim.fairness.kernels.segments import sorted_segments


@njit(cache=True)
def halves(
    window: np.ndarray, group: np.ndarray, counts: np.ndarray, u: np.ndarray, half: np.ndarray
) -> None:
    """Draw half of the rows of each window and group (Knuth's selection sampling).

    Parameters
    ----------
    window, group : ndarray of int64, shape (m,)
    counts : ndarray of int64, shape (T, G)
        Rows.
    u : ndarray of float64, shape (m,)
        Uniform in [0, 1).
    half : ndarray of int64, shape (m,)
        Written: 0 or 1; the 0s are the larger half.
    """
    left = counts.copy()
    wanted = counts // 2
    for i in range(len(window)):
        t, g = window[i], group[i]
        if u[i] * left[t, g] < wanted[t, g]:
            half[i] = 1
            wanted[t, g] -= 1
        else:
            half[i] = 0
        left[t, g] -= 1


@njit(cache=True)
def moments(
    values: np.ndarray,
    window: np.ndarray,
    half: np.ndarray,
    group: np.ndarray,
    centre: np.ndarray,
    count: np.ndarray,
    total: np.ndarray,
    product: np.ndarray,
) -> None:
    """Add up rows, values and products of values, centred.

    Parameters
    ----------
    values : ndarray of float64, shape (m, d)
    window, half, group : ndarray of int64, shape (m,)
    centre : ndarray of float64, shape (T, d)
        Taken off.
    count : ndarray of int64, shape (T, 2, G)
    total : ndarray of float64, shape (T, 2, G, d)
    product : ndarray of float64, shape (T, 2, d, d)
        Zeros; written.
    """
    d = values.shape[1]
    row = np.empty(d)
    for i in range(len(values)):
        t, h, g = window[i], half[i], group[i]
        count[t, h, g] += 1
        for j in range(d):
            row[j] = values[i, j] - centre[t, j]
            total[t, h, g, j] += row[j]
        for j in range(d):
            for k in range(j + 1):
                product[t, h, j, k] += row[j] * row[k]
    for t in range(product.shape[0]):
        for h in range(2):
            for j in range(d):
                for k in range(j):
                    product[t, h, k, j] = product[t, h, j, k]


def rank_sums(
    values: np.ndarray,
    half: np.ndarray,
    group: np.ndarray,
    bounds: np.ndarray,
    weights: np.ndarray,
    pairs: np.ndarray,
    variance: np.ndarray,
) -> None:
    """Compare the groups' held-out rows by the discriminant that was learnt on the other half.

    Parameters
    ----------
    values : ndarray of float64, shape (m, d)
    half, group : ndarray of int64, shape (m,)
    bounds : ndarray of int64, shape (T + 1,)
    weights : ndarray of float64, shape (T, 2, H, d)
        Learnt on each half; NaN: nothing was.
    pairs, variance : ndarray of float64, shape (T, 2, H)
        Written: pairs of a row of the group and one of all others in which the former stands higher, ties as
        halves, less what is expected; and its variance if both have one law (Mann and Whitney 1947).
    """
    segment = 2 * np.repeat(np.arange(len(bounds) - 1), np.diff(bounds)) + half
    by = np.argsort(segment, kind="stable")
    edges = np.searchsorted(segment[by], np.arange(2 * len(bounds) - 1))
    place = np.empty((weights.shape[2], len(values)))
    _project(values, by, edges, weights, place)
    _ranked(place, sorted_segments(place, edges), group[by], edges, weights, pairs, variance)


@njit(cache=True)
def _project(
    values: np.ndarray, by: np.ndarray, edges: np.ndarray, weights: np.ndarray, place: np.ndarray
) -> None:
    """Write where rows stand by what was learnt on the other half."""
    d = values.shape[1]
    for s in range(len(edges) - 1):
        for g in range(len(place)):
            learnt = weights[s // 2, 1 - s % 2, g]
            for r in range(edges[s], edges[s + 1]):
                found = 0.0
                for j in range(d):
                    found += values[by[r], j] * learnt[j]
                place[g, r] = found


@njit(cache=True)
def _ranked(
    places: np.ndarray,
    orders: np.ndarray,
    group: np.ndarray,
    edges: np.ndarray,
    weights: np.ndarray,
    pairs: np.ndarray,
    variance: np.ndarray,
) -> None:
    for s in range(len(edges) - 1):
        t, h = s // 2, s % 2
        low, n = edges[s], edges[s + 1] - edges[s]
        for g in range(len(places)):
            if np.isnan(weights[t, 1 - h, g, 0]):
                pairs[t, h, g], variance[t, h, g] = np.nan, np.nan
                continue
            place, order = places[g, low : low + n], orders[g, low : low + n]
            own = 0
            for r in range(n):
                own += group[low + r] == g
            total, tied = 0.0, 0.0
            first = 0
            while first < n:
                last = first
                inside = 0
                while last < n and place[order[last]] == place[order[first]]:
                    inside += group[low + order[last]] == g
                    last += 1
                size = last - first
                total += inside * (first + 0.5 * (size + 1.0))
                tied += float(size) * (float(size) * size - 1.0)
                first = last
            other = n - own
            pairs[t, h, g] = total - 0.5 * own * (n + 1.0)
            variance[t, h, g] = own * other / 12.0 * (n + 1.0 - tied / (n * (n - 1.0)))
