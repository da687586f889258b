"""Largest gaps of two empirical distribution functions (Kolmogorov-Smirnov, Kuiper)."""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(inline="always")
def _extremes(reference: np.ndarray, window: np.ndarray) -> tuple[int, int]:
    """Return the largest and the smallest of ``n1 n2 (F_reference - F_window)``, both samples sorted."""
    n1, n2 = len(reference), len(window)
    i = j = gap = high = low = 0
    last = -np.inf
    while i < n1 and j < n2:
        a, b = reference[i], window[j]
        now = min(a, b)
        # the gap counts where all that is equal has been passed; no branch on the data, which would be a coin
        if now != last:
            high = max(high, gap)
            low = min(low, gap)
        left, right = a <= b, b <= a
        i += left
        j += right
        gap += left * n2 - right * n1
        last = now
    while i < n1 and reference[i] == last:
        i += 1
        gap += n2
    while j < n2 and window[j] == last:
        j += 1
        gap -= n1
    # from here on one function is 1, and the other comes nearer
    return max(high, gap), min(low, gap)


@njit(cache=True)
def run(reference: np.ndarray, windows: np.ndarray, high: np.ndarray, low: np.ndarray) -> None:
    """Compare all windows and features.

    Parameters
    ----------
    reference : ndarray of float64, shape (d, n1)
        Sorted along the last axis.
    windows : ndarray of float64, shape (k, d, n2)
        Sorted along the last axis.
    high, low : ndarray of int64, shape (k, d)
        Written: the largest and the smallest ``n1 n2 (F_reference - F_window)``.
    """
    for t in range(windows.shape[0]):
        for f in range(windows.shape[1]):
            high[t, f], low[t, f] = _extremes(reference[f], windows[t, f])
