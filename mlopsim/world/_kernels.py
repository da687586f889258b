"""Compiled loops; imported by the builder only, since numba is slow to import."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit


@njit(cache=True)
def count_kernel(
    predicted: Any, y: Any, g: Any, bounds: Any, first_row: int, counts: Any, correct: Any
) -> None:
    """Add predictions (V, m) of the rows ``first_row..`` to counts (V, T, G, C, C) and mark correct ones.

    ``predicted``, ``y`` and ``g`` are uint8, so that the loops over rows compile to vector instructions.
    """
    versions, rows = predicted.shape
    groups, classes = counts.shape[2], counts.shape[3]
    for v in range(versions):
        for i in range(rows):
            correct[v, i] = predicted[v, i] == y[first_row + i]
    for t in range(len(bounds) - 1):
        low = max(bounds[t], first_row)
        high = min(bounds[t + 1], first_row + rows)
        if low >= high:
            continue
        labels = y[low:high]
        members = g[low:high]
        size = high - low
        for v in range(versions):
            answers = predicted[v, low - first_row : high - first_row]
            cells = counts[v, t]
            if classes > 2 or groups > 4:
                for i in range(size):
                    cells[members[i], labels[i], answers[i]] += 1
                continue
            for k in range(groups):
                # three sums determine the 2 x 2 table, and need no scattered additions
                total = np.int32(0)
                positive = np.int32(0)
                answered = np.int32(0)
                both = np.int32(0)
                for i in range(size):
                    inside = np.int32(members[i] == k)
                    total += inside
                    positive += inside & labels[i]
                    answered += inside & answers[i]
                    both += inside & labels[i] & answers[i]
                if classes == 2:
                    cells[k, 1, 1] += both
                    cells[k, 1, 0] += positive - both
                    cells[k, 0, 1] += answered - both
                    cells[k, 0, 0] += total - positive - answered + both
                else:
                    cells[k, 0, 0] += total


@njit(cache=True)
def histogram_kernel(X: Any, bounds: Any, edges: Any, n_edges: Any, hist: Any) -> None:
    """Count bin codes by window: hist (T, d, B), see :func:`mlopsim.world.shift.bin_codes` for the codes."""
    d, width = edges.shape
    for t in range(len(bounds) - 1):
        for r in range(bounds[t], bounds[t + 1]):
            for j in range(d):
                x = X[r, j]
                if np.isnan(x):
                    hist[t, j, n_edges[j] + 1] += 1
                    continue
                # all edges are compared: that is faster than a search with unforeseeable branches; the
                # infinite ones of the padding are never below x
                code = np.int64(0)
                for b in range(width):
                    code += np.int64(edges[j, b] < x)
                hist[t, j, code] += 1


@njit(cache=True)
def distribution(hist: Any, rows: int, coarse: Any, bins: int, cdf: Any, share: Any, log_share: Any) -> None:
    """From one histogram (B,): CDF (B,), smoothed shares of the coarse bins and their logarithms."""
    share[:bins] = 0.5
    total = 0
    for b in range(len(hist)):
        total += hist[b]
        cdf[b] = total / rows
        if hist[b] > 0:
            share[coarse[b]] += hist[b]
    for b in range(bins):
        share[b] /= rows + 0.5 * bins
        log_share[b] = np.log(share[b])


@njit(cache=True)
def shift_kernel(
    hist: Any,
    sums: Any,
    bounds: Any,
    start: Any,
    v0: int,
    coarse: Any,
    n_coarse: Any,
    n_edges: Any,
    shift: Any,
) -> None:
    """Compare the training data of every version with every window: shift (T, T, 3) is filled from v0 on.

    One feature at a time, so that what is compared stays in the nearest memory cache, with windows as
    the last axis, so that the innermost loops run over independent entries and compile to vector
    instructions without reordering any sum.
    """
    windows, d, width = hist.shape
    columns = sums.shape[1]
    bins = coarse.shape[1]
    cdf = np.empty((width, windows))
    share = np.empty((bins, windows))
    log_share = np.empty((bins, windows))
    own_cdf = np.zeros(width)
    own_share = np.zeros(bins)
    own_log = np.zeros(bins)
    cumulative = np.zeros((windows + 1, width), dtype=np.int64)
    ks = np.zeros((windows, windows))
    psi = np.zeros((windows, windows))
    for j in range(d):
        count = n_coarse[j]
        for t in range(windows):
            rows = bounds[t + 1] - bounds[t]
            distribution(hist[t, j], rows, coarse[j], count, own_cdf, own_share, own_log)
            cdf[:, t] = own_cdf
            share[:count, t] = own_share[:count]
            log_share[:count, t] = own_log[:count]
            cumulative[t + 1] = cumulative[t] + hist[t, j]
        for v in range(v0, windows):
            rows = bounds[v + 1] - bounds[start[v]]
            own = cumulative[v + 1] - cumulative[start[v]]
            distribution(own, rows, coarse[j], count, own_cdf, own_share, own_log)
            largest = ks[v]
            # the last value of the CDF, the one that includes missing cells, is 1 on both sides
            for b in range(n_edges[j] + 1):
                x = own_cdf[b]
                row = cdf[b]
                for t in range(windows):
                    distance = abs(x - row[t])
                    largest[t] = distance if distance > largest[t] else largest[t]
            total = psi[v]
            for b in range(count):
                x = own_share[b]
                z = own_log[b]
                row = share[b]
                logs = log_share[b]
                for t in range(windows):
                    total[t] += (x - row[t]) * (z - logs[t])
    means = np.empty((columns, windows))
    for t in range(windows):
        for c in range(columns):
            means[c, t] = sums[t, c] / (bounds[t + 1] - bounds[t])
    own_mean = np.empty(columns)
    distances = np.empty(windows)
    for v in range(v0, windows):
        # sums of floats are added up afresh: differences of running sums would keep the rounding of
        # an outlier that has left the training windows long ago
        own_mean[:] = 0.0
        for t in range(start[v], v + 1):
            for c in range(columns):
                own_mean[c] += sums[t, c]
        distances[:] = 0.0
        for c in range(columns):
            x = own_mean[c] / (bounds[v + 1] - bounds[start[v]])
            row = means[c]
            for t in range(windows):
                distance = abs(x - row[t])
                distances[t] = distance if distance > distances[t] else distances[t]
        for t in range(windows):
            shift[v, t, 0] = ks[v, t]
            shift[v, t, 1] = psi[v, t] / d
            shift[v, t, 2] = distances[t]
