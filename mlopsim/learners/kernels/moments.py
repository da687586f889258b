"""Compiled moments of windows and versions; imported inside methods only (numba is heavy).

Every sum runs in a fixed order (windows first to last, rows and features in order), so a version
fitted alone has the same bits as among others, whatever BLAS is installed. Deviations are merged,
never raw second moments subtracted: nothing is lost far from zero.

Arrays are copied number by number: numba takes seconds to compile an assignment of an array.
"""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True)
def window_means(X, y, weight, bounds, classes):  # type: ignore[no-untyped-def]
    """Return weights (T, C) and weighted means (T, C, d) of every window and class."""
    windows, d = len(bounds) - 1, X.shape[1]
    count = np.zeros((windows, classes))
    mean = np.zeros((windows, classes, d))
    base = np.zeros((classes, d))
    for t in range(windows):
        for i in range(bounds[t], bounds[t + 1]):
            c = y[i]
            if count[t, c] == 0.0:
                for j in range(d):
                    base[c, j] = X[i, j]
            count[t, c] += weight[i]
            for j in range(d):
                # relative to the first row of the class: no digits are lost far from zero
                mean[t, c, j] += weight[i] * (X[i, j] - base[c, j])
        for c in range(classes):
            if count[t, c] > 0.0:
                for j in range(d):
                    mean[t, c, j] = base[c, j] + mean[t, c, j] / count[t, c]
    return count, mean


@njit(cache=True)
def window_scatter(X, y, weight, bounds, mean):  # type: ignore[no-untyped-def]
    """Return the weighted within-class scatter (T, d, d) of every window, pooled over classes."""
    windows, d = len(bounds) - 1, X.shape[1]
    scatter = np.zeros((windows, d, d))
    deviation = np.empty(d)
    for t in range(windows):
        for i in range(bounds[t], bounds[t + 1]):
            c = y[i]
            for j in range(d):
                deviation[j] = X[i, j] - mean[t, c, j]
            for j in range(d):
                for k in range(j + 1):
                    scatter[t, j, k] += weight[i] * deviation[j] * deviation[k]
    return scatter


@njit(cache=True)
def window_squares(X, y, weight, bounds, mean):  # type: ignore[no-untyped-def]
    """Return the weighted sums of squared deviations (T, C, d) of every window and class."""
    windows, classes, d = mean.shape
    squares = np.zeros((windows, classes, d))
    for t in range(windows):
        for i in range(bounds[t], bounds[t + 1]):
            c = y[i]
            for j in range(d):
                squares[t, c, j] += weight[i] * (X[i, j] - mean[t, c, j]) ** 2
    return squares


@njit(cache=True)
def fold_scatter(count, mean, scatter, first, last):  # type: ignore[no-untyped-def]
    """Merge windows ``first[i]..last[i]`` (Chan, Golub and LeVeque 1983): counts, means, scatter.

    A version that starts where its predecessor starts goes on from there, which is the same sum in
    the same order. Returns (V, C), (V, C, d), (V, d, d); the scatter's lower triangle only.
    """
    versions, classes, d = len(first), mean.shape[1], mean.shape[2]
    n = np.zeros((versions, classes))
    centre = np.zeros((versions, classes, d))
    within = np.zeros((versions, d, d))
    delta = np.empty(d)
    for i in range(versions):
        start = first[i]
        if i > 0 and first[i] == first[i - 1] and last[i] >= last[i - 1]:
            for c in range(classes):
                n[i, c] = n[i - 1, c]
                for j in range(d):
                    centre[i, c, j] = centre[i - 1, c, j]
            for j in range(d):
                for k in range(d):
                    within[i, j, k] = within[i - 1, j, k]
            start = last[i - 1] + 1
        for t in range(start, last[i] + 1):
            for j in range(d):
                for k in range(j + 1):
                    within[i, j, k] += scatter[t, j, k]
            for c in range(classes):
                more = count[t, c]
                if more == 0.0:
                    continue
                total = n[i, c] + more
                if n[i, c] == 0.0:
                    for j in range(d):
                        centre[i, c, j] = mean[t, c, j]
                else:
                    factor = n[i, c] * more / total
                    for j in range(d):
                        delta[j] = mean[t, c, j] - centre[i, c, j]
                        centre[i, c, j] += delta[j] * more / total
                    for j in range(d):
                        for k in range(j + 1):
                            within[i, j, k] += factor * delta[j] * delta[k]
                n[i, c] = total
    return n, centre, within


@njit(cache=True)
def fold_squares(count, mean, squares, first, last):  # type: ignore[no-untyped-def]
    """Merge windows as :func:`fold_scatter`, per class and feature: (V, C), (V, C, d), (V, C, d)."""
    versions, classes, d = len(first), mean.shape[1], mean.shape[2]
    n = np.zeros((versions, classes))
    centre = np.zeros((versions, classes, d))
    square = np.zeros((versions, classes, d))
    for i in range(versions):
        start = first[i]
        if i > 0 and first[i] == first[i - 1] and last[i] >= last[i - 1]:
            for c in range(classes):
                n[i, c] = n[i - 1, c]
                for j in range(d):
                    centre[i, c, j], square[i, c, j] = centre[i - 1, c, j], square[i - 1, c, j]
            start = last[i - 1] + 1
        for t in range(start, last[i] + 1):
            for c in range(classes):
                more = count[t, c]
                if more == 0.0:
                    continue
                if n[i, c] == 0.0:
                    for j in range(d):
                        centre[i, c, j], square[i, c, j] = mean[t, c, j], squares[t, c, j]
                    n[i, c] = more
                    continue
                total = n[i, c] + more
                factor = n[i, c] * more / total
                for j in range(d):
                    delta = mean[t, c, j] - centre[i, c, j]
                    centre[i, c, j] += delta * more / total
                    square[i, c, j] += squares[t, c, j] + factor * delta * delta
                n[i, c] = total
    return n, centre, square
