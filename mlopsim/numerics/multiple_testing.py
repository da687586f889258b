"""One p-value of all features, as a score."""

from __future__ import annotations

import math

import numpy as np
from numba import njit

#: smaller p-values count as this one, so that scores stay finite: 10 ** -307.65
TINY = 2.2250738585072014e-308


@njit(cache=True)
def smallest(p: np.ndarray, features: float, score: np.ndarray) -> None:
    """Write ``-log10(min(1, features * p))`` of p (k,) to score (k,)."""
    for t in range(len(p)):
        score[t] = -math.log10(max(min(features * p[t], 1.0), TINY)) + 0.0


@njit(cache=True)
def simes(p: np.ndarray, score: np.ndarray) -> None:
    """Write ``-log10(min(1, d p_(i) / i))``, the smallest over i, of p (k, d) to score (k,)."""
    features = p.shape[1]
    for t in range(len(p)):
        ordered = np.sort(p[t])
        best = 1.0
        for i in range(features):
            best = min(best, ordered[i] * features / (i + 1.0))
        score[t] = -math.log10(max(best, TINY)) + 0.0
