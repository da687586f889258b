"""Sums of Gaussian kernels over pairs of rows."""

from __future__ import annotations

import math

import numpy as np
from numba import njit


@njit(cache=True)
def within(points: np.ndarray, gamma: float, work: np.ndarray) -> float:
    """Return the sum of ``exp(-gamma |x - y|^2)`` over all pairs of different points (d, m).

    A pair counts once; ``work`` holds at least m numbers.
    """
    total = 0.0
    size = points.shape[1]
    for i in range(1, size):
        work[:i] = 0.0
        for f in range(points.shape[0]):
            at = points[f, i]
            for j in range(i):
                gap = points[f, j] - at
                work[j] += gap * gap
        for j in range(i):
            total += math.exp(-gamma * work[j])
    return total


@njit(cache=True)
def between(one: np.ndarray, other: np.ndarray, gamma: float, work: np.ndarray) -> float:
    """Return the sum of ``exp(-gamma |x - y|^2)`` over all x of (d, m) and y of (d, n); ``work`` holds n."""
    total = 0.0
    size = other.shape[1]
    for i in range(one.shape[1]):
        work[:size] = 0.0
        for f in range(one.shape[0]):
            at = one[f, i]
            for j in range(size):
                gap = other[f, j] - at
                work[j] += gap * gap
        for j in range(size):
            total += math.exp(-gamma * work[j])
    return total


@njit(cache=True)
def unbiased(within_one: float, m: int, within_other: float, n: int, across: float) -> float:
    """Return the unbiased squared MMD of m and n points from the three sums over pairs."""
    return 2.0 * within_one / (m * (m - 1.0)) + 2.0 * within_other / (n * (n - 1.0)) - 2.0 * across / (m * n)


@njit(cache=True)
def permuted(kernel: np.ndarray, m: int, orders: np.ndarray, out: np.ndarray) -> None:
    """Write the unbiased squared MMD of the first m points of each order (B, N) against its others.

    ``kernel`` (N, N) is symmetric; its diagonal is not read.
    """
    size = len(kernel)
    n = size - m
    degree = np.zeros(size)
    for i in range(size):
        for j in range(size):
            if i != j:
                degree[i] += kernel[i, j]
    pairs = 0.5 * degree.sum()
    for b in range(len(orders)):
        first = orders[b, :m]
        inside = 0.0
        reach = 0.0
        for i in range(m):
            row = kernel[first[i]]
            reach += degree[first[i]]
            for j in range(i):
                inside += row[first[j]]
        across = reach - 2.0 * inside
        out[b] = unbiased(inside, m, pairs - inside - across, n, across)
