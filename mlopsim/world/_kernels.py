"""Compiled loops; imported by the builder only, since numba is slow to import."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit


@njit(cache=True)
def count_kernel(
    predicted: Any, y: Any, g: Any, window: Any, first_row: int, counts: Any, correct: Any
) -> None:
    """Add predictions (V, m) of the rows ``first_row..`` to counts (V, T, G, C, C) and mark correct ones."""
    versions, rows = predicted.shape
    for v in range(versions):
        for i in range(rows):
            r = first_row + i
            label = y[r]
            answer = predicted[v, i]
            counts[v, window[r], g[r], label, answer] += 1
            correct[v, i] = answer == label


@njit(cache=True)
def histogram_kernel(X: Any, bounds: Any, edges: Any, n_edges: Any, hist: Any) -> None:
    """Count bin codes by window: hist (T, d, B), see :func:`mlopsim.world.shift.bin_codes` for the codes."""
    d = X.shape[1]
    for t in range(len(bounds) - 1):
        for r in range(bounds[t], bounds[t + 1]):
            for j in range(d):
                x = X[r, j]
                if np.isnan(x):
                    hist[t, j, n_edges[j] + 1] += 1
                    continue
                low = 0
                high = n_edges[j]
                while low < high:
                    middle = (low + high) // 2
                    if edges[j, middle] < x:
                        low = middle + 1
                    else:
                        high = middle
                hist[t, j, low] += 1


@njit(cache=True)
def distribution_kernel(
    hist: Any, rows: int, coarse: Any, n_coarse: Any, cdf: Any, share: Any, log_share: Any
) -> None:
    """From one histogram (d, B): CDF (d, B), smoothed shares of the coarse bins and their logarithms."""
    d, width = hist.shape
    for j in range(d):
        for b in range(n_coarse[j]):
            share[j, b] = 0.5
        total = 0
        for b in range(width):
            total += hist[j, b]
            cdf[j, b] = total / rows
            if hist[j, b] > 0:
                share[j, coarse[j, b]] += hist[j, b]
        for b in range(n_coarse[j]):
            share[j, b] /= rows + 0.5 * n_coarse[j]
            log_share[j, b] = np.log(share[j, b])


@njit(cache=True)
def shift_kernel(
    hist: Any,
    sums: Any,
    bounds: Any,
    start: Any,
    v0: int,
    coarse: Any,
    n_coarse: Any,
    shift: Any,
) -> None:
    """Compare the training data of every version with every window: shift (T, T, 3) is filled from v0 on."""
    windows, d, width = hist.shape
    columns = sums.shape[1]
    bins = coarse.shape[1]
    cdf = np.zeros((windows, d, width))
    share = np.zeros((windows, d, bins))
    log_share = np.zeros((windows, d, bins))
    means = np.empty((windows, columns))
    cumulative = np.zeros((windows + 1, d, width), dtype=np.int64)
    for t in range(windows):
        rows = bounds[t + 1] - bounds[t]
        distribution_kernel(hist[t], rows, coarse, n_coarse, cdf[t], share[t], log_share[t])
        for c in range(columns):
            means[t, c] = sums[t, c] / rows
        for j in range(d):
            for b in range(width):
                cumulative[t + 1, j, b] = cumulative[t, j, b] + hist[t, j, b]
    own = np.zeros((d, width), dtype=np.int64)
    own_cdf = np.zeros((d, width))
    own_share = np.zeros((d, bins))
    own_log = np.zeros((d, bins))
    own_mean = np.empty(columns)
    for v in range(v0, windows):
        first = start[v]
        rows = bounds[v + 1] - bounds[first]
        for j in range(d):
            for b in range(width):
                own[j, b] = cumulative[v + 1, j, b] - cumulative[first, j, b]
        distribution_kernel(own, rows, coarse, n_coarse, own_cdf, own_share, own_log)
        # sums of floats are added up afresh: differences of running sums would keep the rounding of
        # an outlier that has left the training windows long ago
        for c in range(columns):
            own_mean[c] = 0.0
        for t in range(first, v + 1):
            for c in range(columns):
                own_mean[c] += sums[t, c]
        for c in range(columns):
            own_mean[c] /= rows
        for t in range(windows):
            ks = 0.0
            psi = 0.0
            for j in range(d):
                for b in range(width):
                    ks = max(ks, abs(own_cdf[j, b] - cdf[t, j, b]))
                for b in range(n_coarse[j]):
                    psi += (own_share[j, b] - share[t, j, b]) * (own_log[j, b] - log_share[t, j, b])
            largest = 0.0
            for c in range(columns):
                largest = max(largest, abs(own_mean[c] - means[t, c]))
            shift[v, t, 0] = ks
            shift[v, t, 1] = psi / d
            shift[v, t, 2] = largest
