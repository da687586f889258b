"""CUSUM chart."""

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
    """Read ticks. ``state``: reference, upper sum, lower sum; ``params``: learn, k, up, down."""
    learn, k, up, down = params[0], params[1], params[2] > 0.0, params[3] > 0.0
    i, ticks = 0, len(x)
    while i < ticks:
        i = learn_from(x, i, state, learn, score)
        mean, sd, rise, fall = state[1], state[2], state[3], state[4]
        over = False
        while i < ticks and not over:
            z = (x[i] - mean) / sd
            # not max(): a sum that is undefined (infinities of both signs) starts again at zero
            rise = rise + z - k
            rise = rise if rise > 0.0 else 0.0
            fall = fall - z - k
            fall = fall if fall > 0.0 else 0.0
            now = rise if up else 0.0
            if down and fall > now:
                now = fall
            score[i] = now
            over = now > limit
            i += 1
        if over:
            alarm[i - 1] = True
            for j in range(len(state)):
                state[j] = fresh[j]
        else:
            state[3], state[4] = rise, fall
