"""Histograms of equal bins, column by column."""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True)
def place(value: float, low: float, width: float, bins: int, tolerance: float) -> int:
    """Return the bin of a value, -1 outside; ``tolerance`` bins beyond either end still count as the last."""
    at = (value - low) / width
    if at < -tolerance or at > bins + tolerance:
        return -1
    return int(min(max(at, 0.0), bins - 1.0))


@njit(cache=True)
def measure(
    X: np.ndarray, low: np.ndarray, width: np.ndarray, height: np.ndarray, tolerance: float, score: np.ndarray
) -> None:
    """Write the sum over the columns of the heights (d, bins + 1) at X (n, d) into ``score`` (n,).

    The last height is the one outside.
    """
    bins = height.shape[1] - 1
    score[:] = 0.0
    for j in range(X.shape[1]):
        heights = height[j]
        for i in range(len(X)):
            score[i] += heights[place(X[i, j], low[j], width[j], bins, tolerance)]


@njit(cache=True)
def count(X: np.ndarray, low: np.ndarray, width: np.ndarray, counts: np.ndarray) -> None:
    """Add the rows of X (n, d) in each bin to ``counts`` (d, bins)."""
    bins = counts.shape[1]
    for j in range(X.shape[1]):
        for i in range(len(X)):
            counts[j, place(X[i, j], low[j], width[j], bins, 0.5)] += 1.0
