"""Histograms of equal widths, and the Hellinger distance of two."""

from __future__ import annotations

import math

import numpy as np
from numba import njit


@njit(cache=True)
def add(rows: np.ndarray, low: np.ndarray, high: np.ndarray, wanted: np.ndarray, counts: np.ndarray) -> None:
    """Add rows (n, d) to the counts (d, B) of the features that are wanted.

    Bin b of a feature holds ``low + b width <= x < low + (b + 1) width``, the last one ``high`` as well.
    """
    bins = counts.shape[1]
    for f in range(rows.shape[1]):
        if not wanted[f]:
            continue
        width = (high[f] - low[f]) / bins
        for i in range(rows.shape[0]):
            x = rows[i, f]
            b = 0
            if width > 0.0:
                b = min(int((x - low[f]) / width), bins - 1)
                # the division may be off by a rounding
                while b > 0 and x < low[f] + b * width:
                    b -= 1
                while b < bins - 1 and x >= low[f] + (b + 1) * width:
                    b += 1
            counts[f, b] += 1


@njit(cache=True)
def distance(one: np.ndarray, other: np.ndarray) -> float:
    """Return the mean over features of ``sqrt(sum (sqrt p - sqrt q)^2)`` of counts (d, B)."""
    features, bins = one.shape
    total = 0.0
    for f in range(features):
        n, m = one[f].sum(), other[f].sum()
        square = 0.0
        for b in range(bins):
            square += (math.sqrt(one[f, b] / n) - math.sqrt(other[f, b] / m)) ** 2
        total += math.sqrt(square)
    mean: float = total / features
    return mean
