"""CUSUM chart."""

from __future__ import annotations

import numpy as np
from numba import njit

from mlopsim.drift.kernels.standard import standardise


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
    learn, k, up, down = params[0], params[1], params[2], params[3]
    for i in range(len(x)):
        z = standardise(x[i], state, learn)
        if np.isnan(z):
            score[i] = np.nan
            continue
        state[3] = max(0.0, state[3] + z - k)
        state[4] = max(0.0, state[4] - z - k)
        now = max(state[3] * up, state[4] * down)
        score[i] = now
        if now > limit:
            alarm[i] = True
            state[:] = fresh
