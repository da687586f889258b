"""Moments, halves and held-out rank sums of linear discriminants, one for each window, half and group."""

from __future__ import annotations

import numpy as np
from numba import njit


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


@njit(cache=True)
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
    d = values.shape[1]
    for t in range(len(bounds) - 1):
        low, high = bounds[t], bounds[t + 1]
        rows = np.empty(high - low, dtype=np.int64)
        for h in range(2):
            n = 0
            for i in range(low, high):
                if half[i] == h:
                    rows[n] = i
                    n += 1
            place = np.empty(n)
            for g in range(weights.shape[2]):
                learnt = weights[t, 1 - h, g]
                if np.isnan(learnt[0]):
                    pairs[t, h, g], variance[t, h, g] = np.nan, np.nan
                    continue
                own = 0
                for r in range(n):
                    found = 0.0
                    for j in range(d):
                        found += values[rows[r], j] * learnt[j]
                    place[r] = found
                    own += group[rows[r]] == g
                order = np.argsort(place)
                total, tied = 0.0, 0.0
                first = 0
                while first < n:
                    last = first
                    inside = 0
                    while last < n and place[order[last]] == place[order[first]]:
                        inside += group[rows[order[last]]] == g
                        last += 1
                    size = last - first
                    total += inside * (first + 0.5 * (size + 1.0))
                    tied += float(size) * (float(size) * size - 1.0)
                    first = last
                other = n - own
                pairs[t, h, g] = total - 0.5 * own * (n + 1.0)
                variance[t, h, g] = own * other / 12.0 * (n + 1.0 - tied / (n * (n - 1.0)))
