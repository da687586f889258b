"""Cross-fitted ridge regression of 'reference or window', in closed form."""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from mlopsim.drift.kernels.rank_sums import rank_sum


@njit(cache=True)
def moments(X: np.ndarray, counts: np.ndarray, means: np.ndarray, scatters: np.ndarray) -> None:
    """Write number, mean and scatter about it (lower triangle) of the rows of each fold; row i is in i % K.

    ``counts``: (K,), ``means``: (K, q), ``scatters``: (K, q, q).
    """
    folds, q = means.shape
    counts[:], means[:], scatters[:] = 0.0, 0.0, 0.0
    for i in range(len(X)):
        counts[i % folds] += 1.0
        means[i % folds] += X[i]
    for fold in range(folds):
        means[fold] /= max(counts[fold], 1.0)
    for i in range(len(X)):
        fold = i % folds
        gap = X[i] - means[fold]
        for j in range(q):
            # a view: the compiler does not vectorise with offsets in the index
            at, row = gap[j], scatters[fold, j]
            for k in range(j + 1):
                row[k] += at * gap[k]


@njit(cache=True)
def mean_without(fold: int, counts: np.ndarray, means: np.ndarray) -> np.ndarray:
    """Return the mean of the rows of all folds but one (q,)."""
    total, mean = 0.0, np.zeros(means.shape[1])
    for other in range(len(counts)):
        if other != fold:
            total += counts[other]
            mean += counts[other] * means[other]
    return mean / total


@njit(cache=True)
def add_scatter(
    A: np.ndarray, fold: int, mean: np.ndarray, counts: np.ndarray, means: np.ndarray, scatters: np.ndarray
) -> None:
    """Add the scatter about their mean of the rows of all folds but one to the lower triangle of A (q, q).

    Within folds and between them (Chan, Golub and LeVeque 1983): the difference of two large sums would lose
    its digits, and even its sign, where a feature is constant but for a few huge values.
    """
    folds, q = means.shape
    for other in range(folds):
        if other != fold:
            gap = means[other] - mean
            for j in range(q):
                at, row, own = counts[other] * gap[j], A[j], scatters[other, j]
                for k in range(j + 1):
                    row[k] += own[k] + at * gap[k]


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
    means: np.ndarray,
    scatters: np.ndarray,
    windows: np.ndarray,
    alpha: float,
    score: np.ndarray,
) -> None:
    """Write z of the AUC summed over the folds of each window (k, r, q) into ``score`` (k,).

    ``reference`` (n, q) has the moments ``counts``, ``means``, ``scatters``.
    """
    folds, q = means.shape
    own_counts, own_means, own_scatters = np.empty(folds), np.empty((folds, q)), np.empty((folds, q, q))
    A = np.empty((q, q))
    for w in range(len(windows)):
        window = windows[w]
        if len(window) < 2 or len(reference) < 2:
            score[w] = np.nan
            continue
        moments(window, own_counts, own_means, own_scatters)
        gap, variance = 0.0, 0.0
        for fold in range(folds):
            if own_counts[fold] == 0.0 or counts[fold] == 0.0:
                continue
            mean, own_mean = mean_without(fold, counts, means), mean_without(fold, own_counts, own_means)
            A[:] = 0.0
            add_scatter(A, fold, mean, counts, means, scatters)
            add_scatter(A, fold, own_mean, own_counts, own_means, own_scatters)
            A /= counts.sum() - counts[fold] + own_counts.sum() - own_counts[fold]
            for j in range(q):
                A[j, j] += alpha
            weights = own_mean - mean
            solve(A, weights)
            if not np.isfinite(weights).all():
                raise FloatingPointError("the regression of a window has no finite solution")
            found = rank_sum(project(reference, weights, fold, folds), project(window, weights, fold, folds))
            gap, variance = gap + found[0], variance + found[1]
        score[w] = gap / math.sqrt(variance) if variance > 1e-9 else 0.0
