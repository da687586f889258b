"""Exponentially weighted moving average."""

from __future__ import annotations

import math

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
    """Read ticks. ``state``: reference, average, its variance; ``params``: learn, lam, exact, up, down."""
    learn, lam, exact, up, down = params[0], params[1], params[2] > 0.0, params[3] > 0.0, params[4] > 0.0
    keep = 1.0 - lam
    settled = math.sqrt(lam / (2.0 - lam))
    i, ticks = 0, len(x)
    while i < ticks:
        i = learn_from(x, i, state, learn, score)
        mean, sd, level, variance = state[1], state[2], state[3], state[4]
        over = False
        while i < ticks and not over:
            level = keep * level + lam * ((x[i] - mean) / sd)
            unit = settled
            if exact:
                variance = keep * keep * variance + lam * lam
                unit = math.sqrt(variance)
            now = level / unit if up else -level / unit
            if up and down and now < 0.0:
                now = -now
            score[i] = now
            over = now > limit
            i += 1
        if over:
            alarm[i - 1] = True
            for j in range(len(state)):
                state[j] = fresh[j]
        else:
            state[3], state[4] = level, variance
