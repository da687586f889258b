"""Shewhart chart of shares of errors."""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from mlopsim.drift.kernels.standardised_ticks import SMALLEST, learn_from


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
    """Read ticks. ``state``: reference, rows and errors in the batch; ``params``: learn, size, up, down."""
    learn, size, up, down = params[0], params[1], params[2] > 0.0, params[3] > 0.0
    i, ticks = 0, len(x)
    while i < ticks:
        i = learn_from(x, i, state, learn, score)
        mean, rows, errors = state[1], state[3], state[4]
        spread = math.sqrt(max(mean * (1.0 - mean), SMALLEST) / size)
        over = False
        while i < ticks and not over:
            rows += 1.0
            errors += x[i]
            score[i] = np.nan
            if rows == size:
                z = (errors / size - mean) / spread
                now = z if up else -z
                if up and down and z < 0.0:
                    now = -z
                score[i] = now
                over = now > limit
                rows = errors = 0.0
            i += 1
        if over:
            alarm[i - 1] = True
            for j in range(len(state)):
                state[j] = fresh[j]
        else:
            state[3], state[4] = rows, errors
