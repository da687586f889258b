"""Page-Hinkley test with a running mean and forgetting."""

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
    """Read ticks. ``state``: n, mean, rise, fall, lowest, highest; ``params``: see detector."""
    least, delta, alpha, up, down = params[0], params[1], params[2], params[3] > 0.0, params[4] > 0.0
    n, mean, rise, fall, lowest, highest = state[0], state[1], state[2], state[3], state[4], state[5]
    for i in range(len(x)):
        n += 1.0
        mean += (x[i] - mean) / n
        gap = x[i] - mean
        rise = alpha * rise + gap - delta
        fall = alpha * fall + gap + delta
        lowest = min(lowest, rise)
        highest = max(highest, fall)
        if n < least:
            score[i] = np.nan
            continue
        now = rise - lowest if up else highest - fall
        if up and down and highest - fall > now:
            now = highest - fall
        score[i] = now
        if now > limit:
            alarm[i] = True
            n, mean, rise, fall, lowest, highest = fresh[0], fresh[1], fresh[2], fresh[3], fresh[4], fresh[5]
    state[0], state[1], state[2], state[3], state[4], state[5] = n, mean, rise, fall, lowest, highest
