"""Exact law of the two-sample Kolmogorov-Smirnov distance, by lattice paths."""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True)
def outside(n1: int, n2: int, gap: int) -> float:
    """Return the probability that ``n1 n2 D >= gap`` when both samples have one continuous law.

    The order of the pooled samples is a lattice path from (0, 0) to (n1, n2), all being equally likely. Of
    the paths to (i, j) the share that has met ``|i n2 - j n1| >= gap`` is 1 there, and elsewhere the mean of
    the shares at (i-1, j) and (i, j-1), weighted i : j by the step that came last. Sums of positive numbers
    only: the relative error stays that of rounding however small the probability is.
    """
    share = np.ones(n2 + 1)
    before = 0
    for i in range(n1 + 1):
        first = max(-((gap - i * n2 - 1) // n1), 0) if gap > i * n2 else (i * n2 - gap) // n1 + 1
        last = min((i * n2 + gap - 1) // n1, n2)
        if last < first:
            return 1.0
        # places that the band has left behind
        share[before:first] = 1.0
        before = first
        for j in range(first, last + 1):
            if i == 0:
                share[j] = 0.0
            else:
                below = share[j - 1] if j > 0 else 0.0
                share[j] = (i * share[j] + j * below) / (i + j)
    return float(share[n2])


@njit(cache=True)
def outside_equal(n: int, steps: int) -> float:
    """Return the probability that ``n D >= steps`` for two samples of n rows, ``steps >= 1``.

    ``2 (B_1 - B_2 + B_3 - ...)`` with ``B_k = C(2n, n - k steps) / C(2n, n)`` (Gnedenko and Korolyuk 1951),
    nested as ``2 B_1 (1 - B_2/B_1 (1 - B_3/B_2 (...)))`` so that nothing cancels.
    """
    nested = 1.0
    for k in range(n // steps, 0, -1):
        ratio = 1.0
        start = (k - 1) * steps
        for j in range(steps):
            ratio *= (n - start - j) / (n + start + j + 1.0)
        nested = ratio * nested if k == 1 else 1.0 - ratio * nested
    return min(2.0 * nested, 1.0)
