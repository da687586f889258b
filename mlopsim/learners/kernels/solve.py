"""Compiled solvers: from moments to coefficients; imported inside methods only (numba is heavy)."""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True)
def overall_mean(n, centre):  # type: ignore[no-untyped-def]
    """Return the mean (d,) over classes, relative to the first class present (keeps digits)."""
    classes, d = centre.shape
    reference = 0
    while n[reference] == 0.0:
        reference += 1
    total = 0.0
    mean = np.zeros(d)
    for c in range(classes):
        total += n[c]
        if n[c] > 0.0:
            for j in range(d):
                mean[j] += n[c] * (centre[c, j] - centre[reference, j])
    for j in range(d):
        mean[j] = centre[reference, j] + mean[j] / total
    return mean, total


@njit(cache=True)
def cholesky(A):  # type: ignore[no-untyped-def]
    """Factor the lower triangle in place; pivots lost to rounding are lifted to that rounding."""
    d = len(A)
    for j in range(d):
        floor = d * 2.220446049250313e-16 * A[j, j]
        for k in range(j):
            A[j, j] -= A[j, k] * A[j, k]
        A[j, j] = np.sqrt(max(A[j, j], floor))
        for i in range(j + 1, d):
            for k in range(j):
                A[i, j] -= A[i, k] * A[j, k]
            A[i, j] /= A[j, j]


@njit(cache=True)
def cholesky_solve(L, b):  # type: ignore[no-untyped-def]
    """Solve ``L L' x = b`` in place."""
    d = len(b)
    for i in range(d):
        for k in range(i):
            b[i] -= L[i, k] * b[k]
        b[i] /= L[i, i]
    for i in range(d - 1, -1, -1):
        for k in range(i + 1, d):
            b[i] -= L[k, i] * b[k]
        b[i] /= L[i, i]


@njit(cache=True)
def constant_rows(n, intercept):  # type: ignore[no-untyped-def]
    """Set intercepts for classes that are absent: they never win; return how many are present."""
    classes, present, winner = len(n), 0, 0
    for c in range(classes):
        if n[c] > 0.0:
            present += 1
            winner = c
    if len(intercept) == 1:
        if present == 1:
            intercept[0] = np.inf if winner == 1 else -np.inf
    else:
        for c in range(classes):
            if n[c] == 0.0:
                intercept[c] = -np.inf
    return present


@njit(cache=True)
def ridge(n, centre, within, alpha):  # type: ignore[no-untyped-def]
    """Return coefficients (V, K, d) and intercepts (V, K); K = 1 for two classes, else C."""
    versions, classes, d = centre.shape
    rows = 1 if classes == 2 else classes
    coef = np.zeros((versions, rows, d))
    intercept = np.zeros((versions, rows))
    A = np.empty((d, d))
    for i in range(versions):
        present = constant_rows(n[i], intercept[i])
        if present == 1:
            continue
        mean, total = overall_mean(n[i], centre[i])
        for j in range(d):
            for k in range(j + 1):
                A[j, k] = within[i, j, k]
                for c in range(classes):
                    if n[i, c] > 0.0:
                        A[j, k] += n[i, c] * (centre[i, c, j] - mean[j]) * (centre[i, c, k] - mean[k])
            A[j, j] += alpha
        cholesky(A)
        for r in range(rows):
            c = 1 if classes == 2 else r
            if n[i, c] == 0.0:
                continue
            for j in range(d):
                coef[i, r, j] = 2.0 * n[i, c] * (centre[i, c, j] - mean[j])
            cholesky_solve(A, coef[i, r])
            intercept[i, r] = 2.0 * n[i, c] / total - 1.0
            for j in range(d):
                intercept[i, r] -= mean[j] * coef[i, r, j]
    return coef, intercept


@njit(cache=True)
def whiten(n, within, correlation, deviation):  # type: ignore[no-untyped-def]
    """Fill the scaled within-class covariance (V, d, d) and the scales (V, d) of LDA."""
    versions, d = deviation.shape
    for i in range(versions):
        total = n[i].sum()
        for j in range(d):
            deviation[i, j] = np.sqrt(within[i, j, j] / total)
            if deviation[i, j] == 0.0:
                deviation[i, j] = 1.0
        for j in range(d):
            for k in range(j + 1):
                value = within[i, j, k] / total / (deviation[i, j] * deviation[i, k])
                correlation[i, j, k] = value
                correlation[i, k, j] = value


@njit(cache=True)
def lda(n, centre, deviation, values, vectors, tolerance):  # type: ignore[no-untyped-def]
    """Return coefficients and intercepts of LDA from the eigenvalues of the scaled covariance."""
    versions, classes, d = centre.shape
    rows = 1 if classes == 2 else classes
    coef = np.zeros((versions, rows, d))
    intercept = np.zeros((versions, rows))
    every = np.empty((classes, d))
    offset = np.empty(classes)
    for i in range(versions):
        present = constant_rows(n[i], intercept[i])
        if present == 1:
            continue
        mean, total = overall_mean(n[i], centre[i])
        for c in range(classes):
            if n[i, c] == 0.0:
                continue
            every[c] = 0.0
            for e in range(d):
                if values[i, e] <= tolerance:
                    continue
                along = 0.0
                for j in range(d):
                    along += vectors[i, j, e] * (centre[i, c, j] - mean[j]) / deviation[i, j]
                along /= values[i, e]
                for j in range(d):
                    every[c, j] += vectors[i, j, e] * along / deviation[i, j]
            offset[c] = np.log(n[i, c] / total)
            for j in range(d):
                offset[c] -= (0.5 * (centre[i, c, j] - mean[j]) + mean[j]) * every[c, j]
        if classes == 2:
            intercept[i, 0] = offset[1] - offset[0]
            for j in range(d):
                coef[i, 0, j] = every[1, j] - every[0, j]
        else:
            for c in range(classes):
                if n[i, c] > 0.0:
                    intercept[i, c] = offset[c]
                    coef[i, c] = every[c]
    return coef, intercept


@njit(cache=True)
def bayes(n, centre, square, smoothing):  # type: ignore[no-untyped-def]
    """Return intercepts (V, C) and half inverse variances (V, C, d) of Gaussian naive Bayes."""
    versions, classes, d = centre.shape
    half = np.zeros((versions, classes, d))
    intercept = np.full((versions, classes), -np.inf)
    for i in range(versions):
        mean, total = overall_mean(n[i], centre[i])
        widest = 0.0
        for j in range(d):
            variance = 0.0
            for c in range(classes):
                if n[i, c] > 0.0:
                    variance += square[i, c, j] + n[i, c] * (centre[i, c, j] - mean[j]) ** 2
            widest = max(widest, variance / total)
        floor = smoothing * (widest if widest > 0.0 else 1.0)
        for c in range(classes):
            if n[i, c] == 0.0:
                continue
            intercept[i, c] = np.log(n[i, c] / total)
            for j in range(d):
                variance = square[i, c, j] / n[i, c] + floor
                half[i, c, j] = 0.5 / variance
                intercept[i, c] -= 0.5 * np.log(2.0 * np.pi * variance)
    return intercept, half
