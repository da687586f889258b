"""Counts of values in bins, and distances of binned samples."""

from __future__ import annotations

import math

import numpy as np
from numba import njit


@njit(cache=True)
def count(windows: np.ndarray, cuts: np.ndarray, out: np.ndarray) -> None:
    """Add windows (k, r, d) to the counts ``out`` (k, d, B); bin b begins at ``cuts[:, b-1]``."""
    for t in range(windows.shape[0]):
        for i in range(windows.shape[1]):
            for f in range(windows.shape[2]):
                place = 0
                for b in range(cuts.shape[1]):
                    place += windows[t, i, f] >= cuts[f, b]
                out[t, f, place] += 1


@njit(cache=True)
def psi(
    reference: np.ndarray, n: int, sizes: np.ndarray, counts: np.ndarray, r: int, out: np.ndarray
) -> None:
    """Write the population stability index of counts (k, d, B) of r values.

    The reference gets half a value more in each bin; the window gets as much in all, spread
    like the reference.
    """
    for t in range(counts.shape[0]):
        for f in range(counts.shape[1]):
            total = 0.0
            for b in range(sizes[f]):
                p = (reference[f, b] + 0.5) / (n + 0.5 * sizes[f])
                q = (counts[t, f, b] + 0.5 * sizes[f] * p) / (r + 0.5 * sizes[f])
                total += (q - p) * math.log(q / p)
            out[t, f] = total


@njit(cache=True)
def jensen_shannon(
    reference: np.ndarray, n: int, sizes: np.ndarray, counts: np.ndarray, r: int, out: np.ndarray
) -> None:
    """Write the Jensen-Shannon distance, base 2, of counts (k, d, B) of r values."""
    for t in range(counts.shape[0]):
        for f in range(counts.shape[1]):
            total = 0.0
            for b in range(sizes[f]):
                p, q = reference[f, b] / n, counts[t, f, b] / r
                middle = 0.5 * (p + q)
                if p > 0.0:
                    total += 0.5 * p * math.log2(p / middle)
                if q > 0.0:
                    total += 0.5 * q * math.log2(q / middle)
            out[t, f] = math.sqrt(min(max(total, 0.0), 1.0))
