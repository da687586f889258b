"""Shewhart chart of individual ticks."""

from __future__ import annotations

import numpy as np
from numba import njit

from mlopsim.drift.kernels.standardised_ticks import learn_from


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
    """Read ticks. ``state``: reference; ``params``: learn, up, down."""
    learn, up, down = params[0], params[1] > 0.0, params[2] > 0.0
    i, ticks = 0, len(x)
    while i < ticks:
        i = learn_from(x, i, state, learn, score)
        mean, sd = state[1], state[2]
        over = False
        while i < ticks and not over:
            z = (x[i] - mean) / sd
            now = z if up else -z
            if up and down and z < 0.0:
                now = -z
            score[i] = now
            over = now > limit
            i += 1
        if over:
            alarm[i - 1] = True
            for j in range(len(state)):
                state[j] = fresh[j]
