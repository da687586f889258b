"""Wasserstein distance of two samples."""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(inline="always")
def _area(reference: np.ndarray, window: np.ndarray) -> float:
    """Return the area between two empirical distribution functions, both samples sorted."""
    n1, n2 = len(reference), len(window)
    i = j = gap = 0
    area = 0.0
    last = min(reference[0], window[0])
    while i < n1 and j < n2:
        a, b = reference[i], window[j]
        now = min(a, b)
        area += abs(gap) * (now - last)
        left, right = a <= b, b <= a
        i += left
        j += right
        gap += left * n2 - right * n1
        last = now
    while i < n1:
        area += abs(gap) * (reference[i] - last)
        last = reference[i]
        i += 1
        gap += n2
    while j < n2:
        area += abs(gap) * (window[j] - last)
        last = window[j]
        j += 1
        gap -= n1
    return area / n1 / n2


@njit(cache=True)
def run(reference: np.ndarray, windows: np.ndarray, out: np.ndarray) -> None:
    """Write the distances.

    Parameters
    ----------
    reference : ndarray of float64, shape (d, n1)
        Sorted along the last axis.
    windows : ndarray of float64, shape (k, d, n2)
        Sorted along the last axis.
    out : ndarray of float64, shape (k, d)
        Written.
    """
    for t in range(windows.shape[0]):
        for f in range(windows.shape[1]):
            out[t, f] = _area(reference[f], windows[t, f])
