"""Compiled prediction kernels of the closed-form models; imported inside methods only.

Scores add up feature by feature in a fixed order, so a row predicted alone gives the same bits as
among others (a BLAS product does not promise that).
"""

from __future__ import annotations

import numpy as np
from numba import njit

BLOCK = 1024


@njit(cache=True)
def keep_better(score, best, winner, size, label):  # type: ignore[no-untyped-def]
    """Let a class win where its score is above the best so far (class 0 wins first everywhere)."""
    if label == 0:
        best[:size] = score[:size]
        winner[:size] = 0.0
    else:
        # selections on equal types instead of branches: the compiler does several rows at once
        code = np.float64(label)
        for a in range(size):
            better = score[a] > best[a]
            best[a] = score[a] if better else best[a]
            winner[a] = code if better else winner[a]


@njit(cache=True)
def linear_labels(coef, intercept, columns):  # type: ignore[no-untyped-def]
    """Return labels (V, n) of linear models for rows given as columns (d, n); ties: lowest label."""
    versions, rows, d = coef.shape
    n = columns.shape[1]
    out = np.empty((versions, n), dtype=np.uint8)
    score, best, winner = np.empty(BLOCK), np.empty(BLOCK), np.empty(BLOCK)
    for start in range(0, n, BLOCK):
        size = min(BLOCK, n - start)
        for i in range(versions):
            label = out[i, start : start + size]
            for r in range(rows):
                score[:size] = intercept[i, r]
                for j in range(d):
                    weight = coef[i, r, j]
                    column = columns[j, start : start + size]
                    for a in range(size):
                        score[a] += weight * column[a]
                if rows == 1:
                    for a in range(size):
                        label[a] = score[a] > 0.0
                else:
                    keep_better(score, best, winner, size, r)
            if rows > 1:
                for a in range(size):
                    label[a] = np.uint8(winner[a])
    return out


@njit(cache=True)
def linear_scores(coef, intercept, columns):  # type: ignore[no-untyped-def]
    """Return the scores (K, n) of one linear model (K, d), added in the order of the labels' kernel."""
    rows, d = coef.shape
    n = columns.shape[1]
    out = np.empty((rows, n))
    for r in range(rows):
        out[r] = intercept[r]
        for j in range(d):
            weight = coef[r, j]
            for a in range(n):
                out[r, a] += weight * columns[j, a]
    return out


@njit(cache=True)
def bayes_labels(intercept, half, centre, columns):  # type: ignore[no-untyped-def]
    """Return labels (V, n) of naive Bayes models for rows given as columns (d, n); ties: lowest."""
    versions, classes, d = centre.shape
    n = columns.shape[1]
    out = np.empty((versions, n), dtype=np.uint8)
    score, best, winner = np.empty(BLOCK), np.empty(BLOCK), np.empty(BLOCK)
    for start in range(0, n, BLOCK):
        size = min(BLOCK, n - start)
        for i in range(versions):
            label = out[i, start : start + size]
            for c in range(classes):
                score[:size] = intercept[i, c]
                for j in range(d):
                    middle, weight = centre[i, c, j], half[i, c, j]
                    column = columns[j, start : start + size]
                    for a in range(size):
                        distance = column[a] - middle
                        score[a] -= distance * distance * weight
                keep_better(score, best, winner, size, c)
            for a in range(size):
                label[a] = np.uint8(winner[a])
    return out


@njit(cache=True)
def bayes_scores(intercept, half, centre, columns):  # type: ignore[no-untyped-def]
    """Return the joint log-likelihoods (C, n) of one naive Bayes model."""
    classes, d = centre.shape
    n = columns.shape[1]
    out = np.empty((classes, n))
    for c in range(classes):
        out[c] = intercept[c]
        for j in range(d):
            for a in range(n):
                distance = columns[j, a] - centre[c, j]
                out[c, a] -= distance * distance * half[c, j]
    return out
