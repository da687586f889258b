"""Cross-fitted ridge regression of 'reference or window', in closed form."""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from mlopsim.drift.kernels.ranks import rank_sum


@njit(cache=True)
def moments(X: np.ndarray, counts: np.ndarray, sums: np.ndarray, products: np.ndarray) -> None:
    """Write number, sum and cross products (lower triangle) of the rows of each fold; row i is in fold i % K.

    ``counts``: (K,), ``sums``: (K, q), ``products``: (K, q, q).
    """
    folds, q = sums.shape
    counts[:], sums[:], products[:] = 0.0, 0.0, 0.0
    for i in range(len(X)):
        fold = i % folds
        counts[fold] += 1.0
        for j in range(q):
            sums[fold, j] += X[i, j]
            for k in range(j + 1):
                products[fold, j, k] += X[i, j] * X[i, k]


@njit(cache=True)
def add_scatter(A: np.ndarray, fold: int, counts: np.ndarray, sums: np.ndarray, products: np.ndarray) -> None:
    """Add the scatter about their mean of the rows of all folds but one to the lower triangle of A (q, q)."""
    folds, q = sums.shape
    total, mean = 0.0, np.zeros(q)
    for other in range(folds):
        if other != fold:
            total += counts[other]
            mean += sums[other]
    mean /= total
    for other in range(folds):
        if other != fold:
            for j in range(q):
                for k in range(j + 1):
                    A[j, k] += products[other, j, k]
    for j in range(q):
        for k in range(j + 1):
            A[j, k] -= total * mean[j] * mean[k]


@njit(cache=True)
def solve(A: np.ndarray, b: np.ndarray) -> None:
    """Solve ``A x = b`` in place (Cholesky); pivots lost to rounding are lifted to that rounding."""
    q = len(b)
    least, column = np.empty(q), np.empty(q)
    for j in range(q):
        least[j] = q * 2.3e-16 * A[j, j]
    # column by column off the rest: its inner loop has no sum that would have to be kept in order
    for k in range(q):
        A[k, k] = math.sqrt(max(A[k, k], least[k]))
        for i in range(k + 1, q):
            A[i, k] /= A[k, k]
            column[i] = A[i, k]
        for i in range(k + 1, q):
            at = column[i]
            # views: the compiler does not vectorise with offsets in the index
            row, others = A[i, k + 1 : i + 1], column[k + 1 : i + 1]
            for j in range(len(row)):
                row[j] -= at * others[j]
    for i in range(q):
        for k in range(i):
            b[i] -= A[i, k] * b[k]
        b[i] /= A[i, i]
    for i in range(q - 1, -1, -1):
        for k in range(i + 1, q):
            b[i] -= A[k, i] * b[k]
        b[i] /= A[i, i]


@njit(cache=True)
def project(X: np.ndarray, weights: np.ndarray, fold: int, folds: int) -> np.ndarray:
    """Return the sorted predictions of a fold's rows."""
    found = np.zeros((len(X) - fold + folds - 1) // folds)
    for i in range(len(found)):
        for j in range(len(weights)):
            found[i] += X[fold + i * folds, j] * weights[j]
    return np.sort(found)


@njit(cache=True)
def compare(
    reference: np.ndarray,
    counts: np.ndarray,
    sums: np.ndarray,
    products: np.ndarray,
    windows: np.ndarray,
    alpha: float,
    score: np.ndarray,
) -> None:
    """Write z of the AUC summed over the folds of each window (k, r, q) into ``score`` (k,).

    ``reference`` (n, q) has mean 0 and the moments ``counts``, ``sums``, ``products``.
    """
    folds, q = sums.shape
    own_counts, own_sums, own_products = np.empty(folds), np.empty((folds, q)), np.empty((folds, q, q))
    A, weights, centre = np.empty((q, q)), np.empty(q), np.empty(q)
    for w in range(len(windows)):
        window = windows[w]
        if len(window) < 2 or len(reference) < 2:
            score[w] = np.nan
            continue
        for j in range(q):
            centre[j] = 0.0
            for i in range(len(window)):
                centre[j] += window[i, j]
            centre[j] /= len(window)
        # about its own mean: that of a window far away would swallow the digits of its scatter
        moments(window - centre, own_counts, own_sums, own_products)
        gap, variance = 0.0, 0.0
        for fold in range(folds):
            if own_counts[fold] == 0.0 or counts[fold] == 0.0:
                continue
            A[:] = 0.0
            add_scatter(A, fold, counts, sums, products)
            add_scatter(A, fold, own_counts, own_sums, own_products)
            n, m = counts.sum() - counts[fold], own_counts.sum() - own_counts[fold]
            weights[:] = centre
            for other in range(folds):
                if other != fold:
                    weights += own_sums[other] / m - sums[other] / n
            A /= n + m
            for j in range(q):
                A[j, j] += alpha
            solve(A, weights)
            found = rank_sum(project(reference, weights, fold, folds), project(window, weights, fold, folds))
            gap, variance = gap + found[0], variance + found[1]
        score[w] = gap / math.sqrt(variance) if variance > 1e-9 else 0.0
