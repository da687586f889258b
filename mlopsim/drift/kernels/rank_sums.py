"""Rank-sum test of two samples."""

from __future__ import annotations

import math

import numpy as np
from numba import njit


@njit(cache=True)
def rank_sum(one: np.ndarray, other: np.ndarray) -> tuple[float, float]:
    """Return ``U - E U`` and the variance of U under equal laws, of two sorted samples.

    U counts the pairs in which ``other`` is larger, ties as halves (Mann and Whitney 1947).
    """
    n, m = len(one), len(other)
    total = n + m
    pairs, ties = 0.0, 0.0
    i = j = 0
    while i < n or j < m:
        value = one[i] if j == m or (i < n and one[i] <= other[j]) else other[j]
        before, here, there = i, 0, 0
        while i < n and one[i] == value:
            i += 1
            here += 1
        while j < m and other[j] == value:
            j += 1
            there += 1
        pairs += there * (before + 0.5 * here)
        tied = float(here + there)
        ties += tied * tied * tied - tied
    if n == 0 or m == 0:
        return 0.0, 0.0
    variance = n * m / 12.0 * (total + 1.0 - ties / (total * (total - 1.0)))
    return pairs - 0.5 * n * m, variance


@njit(cache=True)
def rank_sums(held: np.ndarray, found: np.ndarray, score: np.ndarray) -> None:
    """Write ``|z|`` of each row of ``found`` (k, m) against the sorted ``held`` (n,) into ``score`` (k,)."""
    for i in range(len(found)):
        if len(held) == 0:
            score[i] = np.nan
            continue
        gap, variance = rank_sum(held, np.sort(found[i]))
        # all values equal: nothing to tell apart (rounding may leave a variance far below that of one pair)
        score[i] = abs(gap) / math.sqrt(variance) if variance > 1e-9 else 0.0
