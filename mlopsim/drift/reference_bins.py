"""Bins of about equal reference frequency, feature by feature."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Self

import numpy as np

from mlopsim.drift.two_sample import columns


@dataclass(frozen=True, kw_only=True)
class Bins:
    """Quantile bins of reference rows, and how many of these each holds.

    For each level i/B, i = 1..B-1, a feature is cut where the share of reference values below comes nearest
    to the level (the lower of two that are as near), between two different values (half way) or at an end
    of the reference. Cuts that coincide count once, so that a feature may have fewer bins than B. The first
    and the last bin are open. Of values without repetitions these are the usual quantile bins; a value that
    fills several levels gets a bin of its own, and a constant feature the three bins below, equal and
    above, so that no change is hidden by repetitions.

    Parameters
    ----------
    cuts : ndarray of float64, shape (d, B-1)
        Rising lower ends of all bins but the first, then infinities for those that a feature lacks.
    sizes : ndarray of int64, shape (d,)
        Bins of each feature.
    counts : ndarray of int64, shape (d, B)
        Reference values in each bin.
    rows : int
        Reference rows.

    Examples
    --------
    >>> bins = Bins.quantiles(np.array([[1.0, 7.0], [2.0, 7.0], [3.0, 7.0], [4.0, 7.0]]), 2)
    >>> bins.cuts.tolist(), bins.counts.tolist()
    ([[2.5], [7.0]], [[2, 2], [0, 4]])
    """

    cuts: np.ndarray
    sizes: np.ndarray
    counts: np.ndarray
    rows: int

    @classmethod
    def quantiles(cls, rows: np.ndarray, bins: int) -> Self:
        """Return the bins of reference rows, float64 (n, d)."""
        n, d = rows.shape
        cuts = np.full((d, bins - 1), np.inf)
        sizes = np.ones(d, dtype=np.int64)
        for f, values in enumerate(columns(rows)):
            below = np.concatenate([[0], np.flatnonzero(values[1:] != values[:-1]) + 1, [n]])
            levels = np.arange(1, bins) * n
            nearest = below[np.argmin(np.abs(below[None, :] * bins - levels[:, None]), axis=1)]
            found = sorted({_cut(values, int(place)) for place in nearest})
            cuts[f, : len(found)] = found
            sizes[f] += len(found)
        first = cls(cuts=cuts, sizes=sizes, counts=np.zeros((d, bins), dtype=np.int64), rows=n)
        return cls(cuts=cuts, sizes=sizes, counts=first.count(rows[None])[0], rows=n)

    def count(self, windows: np.ndarray) -> np.ndarray:
        """Return how many values of windows (k, r, d) fall into each bin, int64 (k, d, B)."""
        from mlopsim.drift.kernels.bins import count

        found = np.zeros((len(windows), *self.counts.shape), dtype=np.int64)
        count(windows, self.cuts, found)
        return found


def _cut(values: np.ndarray, place: int) -> float:
    """Return the lowest value of a bin that begins after ``place`` of the sorted values."""
    if place == 0:
        return float(values[0])
    before = float(values[place - 1])
    if place == len(values):
        return math.nextafter(before, math.inf)
    after = float(values[place])
    middle = 0.5 * before + 0.5 * after
    return middle if before < middle else after
