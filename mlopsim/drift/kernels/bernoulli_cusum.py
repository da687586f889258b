"""CUSUM of log-likelihood ratios of errors."""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True)
def run(
    x: np.ndarray,
    state: np.ndarray,
    fresh: np.ndarray,
    params: np.ndarray,
    limit: float,
    score: np.ndarray,
    alarm: np.ndarray,
) -> None:
    """Read ticks. ``state``: sum; ``params``: step of an error, step of a right answer."""
    wrong, right = params[0], params[1]
    total = state[0]
    for i in range(len(x)):
        total = total + (wrong if x[i] > 0.5 else right)
        total = total if total > 0.0 else 0.0
        score[i] = total
        if total > limit:
            alarm[i] = True
            total = fresh[0]
    state[0] = total
