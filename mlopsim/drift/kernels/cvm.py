"""Cramer-von Mises rank sums of two samples."""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(inline="always")
def _distinct(reference: np.ndarray, window: np.ndarray) -> float:
    """Return U of sorted samples, NaN if any two values are equal."""
    n1, n2 = len(reference), len(window)
    i = j = 0
    one = two = 0.0
    last = -np.inf
    tied = False
    while i < n1 and j < n2:
        a, b = reference[i], window[j]
        left = a < b
        now = a if left else b
        tied |= (a == b) | (now == last)
        last = now
        # the rank of reference value i exceeds i by the window's values before it, and the other way round
        one += float(j) * float(j) * left
        two += float(i) * float(i) * (not left)
        i += left
        j += not left
    while i < n1:
        tied |= reference[i] == last
        last = reference[i]
        one += float(n2) * float(n2)
        i += 1
    while j < n2:
        tied |= window[j] == last
        last = window[j]
        two += float(n1) * float(n1)
        j += 1
    return np.nan if tied else n1 * one + n2 * two


@njit
def _tied(reference: np.ndarray, window: np.ndarray) -> float:
    """Return the U of the definition where values are equal.

    ``T = n1 n2 / N^2 sum (F - G)^2`` over the pooled values, and U from T as without ties. Midranks in the
    formula for ranks would make T large for two samples that are the same constant.
    """
    n1, n2 = len(reference), len(window)
    i = j = 0
    total = 0.0
    while i < n1 or j < n2:
        now = reference[i] if j == n2 or (i < n1 and reference[i] <= window[j]) else window[j]
        before = i + j
        while i < n1 and reference[i] == now:
            i += 1
        while j < n2 and window[j] == now:
            j += 1
        # in units of 1 / (n1 n2): whole numbers
        gap = float(i) * n2 - float(j) * n1
        total += (i + j - before) * gap * gap
    return total / (n1 + n2) + n1 * n2 * (4.0 * n1 * n2 - 1.0) / 6.0


@njit(cache=True)
def run(reference: np.ndarray, windows: np.ndarray, out: np.ndarray) -> None:
    """Write ``U = n1 sum (rank - i)^2 + n2 sum (rank - j)^2`` (Anderson 1962); see ``_tied``.

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
            value = _distinct(reference[f], windows[t, f])
            out[t, f] = _tied(reference[f], windows[t, f]) if np.isnan(value) else value
