"""Anderson-Darling distance of two samples."""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(inline="always")
def _distinct(reference: np.ndarray, window: np.ndarray, weight: np.ndarray) -> float:
    """Return the weighted sum of sorted samples, NaN if any two values are equal."""
    n1, n2 = len(reference), len(window)
    rows = n1 + n2
    i = j = 0
    total = 0.0
    last = -np.inf
    tied = False
    for place in range(rows):
        a = reference[i] if i < n1 else np.inf
        b = window[j] if j < n2 else np.inf
        left = a < b
        now = a if left else b
        tied |= (a == b) | (now == last)
        last = now
        mid = i + 0.5 * left
        i += left
        j += not left
        gap = rows * mid - (place + 0.5) * n1
        total += gap * gap * weight[place]
    return np.nan if tied else total


@njit
def _tied(reference: np.ndarray, window: np.ndarray) -> float:
    """Return the weighted sum of sorted samples, one term for each different value."""
    n1, n2 = len(reference), len(window)
    rows = n1 + n2
    i = j = 0
    total = 0.0
    while i < n1 or j < n2:
        now = reference[i] if j == n2 or (i < n1 and reference[i] <= window[j]) else window[j]
        a = b = 0
        while i + a < n1 and reference[i + a] == now:
            a += 1
        while j + b < n2 and window[j + b] == now:
            b += 1
        size = a + b
        if size == rows:
            # one value only: no difference
            return 0.0
        mid = i + 0.5 * a
        below = i + j + 0.5 * size
        gap = rows * mid - below * n1
        total += size * gap * gap / (below * (rows - below) - 0.25 * rows * size)
        i += a
        j += b
    return total


@njit(cache=True)
def run(reference: np.ndarray, windows: np.ndarray, out: np.ndarray) -> None:
    """Write the midrank statistic A2 (Scholz and Stephens 1987, eq. 7), 0 if there is one value only.

    Parameters
    ----------
    reference : ndarray of float64, shape (d, n1)
        Sorted along the last axis.
    windows : ndarray of float64, shape (k, d, n2)
        Sorted along the last axis.
    out : ndarray of float64, shape (k, d)
        Written.
    """
    n1, n2 = reference.shape[1], windows.shape[2]
    rows = n1 + n2
    below = np.arange(rows) + 0.5
    weight = 1.0 / (below * (rows - below) - 0.25 * rows)
    # both samples' gaps are the same but for their sign
    scale = (rows - 1.0) / rows / rows * (1.0 / n1 + 1.0 / n2)
    for t in range(windows.shape[0]):
        for f in range(windows.shape[1]):
            value = _distinct(reference[f], windows[t, f], weight)
            out[t, f] = scale * (_tied(reference[f], windows[t, f]) if np.isnan(value) else value)
