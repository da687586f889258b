"""Shiryaev-Roberts statistic of a shift of the mean."""

from __future__ import annotations

import math

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
    """Read ticks. ``state``: log of the statistic; ``params``: mean, sd, shift."""
    mean, sd, shift = params[0], params[1], params[2]
    level = state[0]
    for i in range(len(x)):
        # log(1 + R), without overflow
        more = level + math.log1p(math.exp(-level)) if level > 0.0 else math.log1p(math.exp(level))
        level = more + shift * ((x[i] - mean) / sd - 0.5 * shift)
        score[i] = level
        if level > limit:
            alarm[i] = True
            level = fresh[0]
    state[0] = level
