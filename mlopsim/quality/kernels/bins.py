"""Histograms of equal bins, column by column."""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True)
def place(value: float, edges: np.ndarray, tolerance: float) -> int:
    """Return the bin of a value, the number of bins outside: bins hold their upper edges, the first both.

    Up to ``tolerance`` bins beyond either end still count as the last bin there.
    """
    bins = len(edges) - 1
    if value <= edges[0]:
        return 0 if edges[0] - value <= (edges[1] - edges[0]) * tolerance else bins
    if value > edges[bins]:
        return bins - 1 if value - edges[bins] <= (edges[bins] - edges[bins - 1]) * tolerance else bins
    at = int((value - edges[0]) / (edges[bins] - edges[0]) * bins)
    at = min(max(at, 0), bins - 1)
    # the edges decide, not the rounding of the quotient
    while at > 0 and value <= edges[at]:
        at -= 1
    while at < bins - 1 and value > edges[at + 1]:
        at += 1
    return at


@njit(cache=True)
def measure(
    X: np.ndarray, edges: np.ndarray, height: np.ndarray, tolerance: float, score: np.ndarray
) -> None:
    """Write the sum over the columns of the heights (d, bins + 1) at X (n, d) into ``score`` (n,).

    Edges are (d, bins + 1), rising; the last height is the one outside.
    """
    score[:] = 0.0
    for j in range(X.shape[1]):
        heights, ends = height[j], edges[j]
        for i in range(len(X)):
            score[i] += heights[place(X[i, j], ends, tolerance)]
