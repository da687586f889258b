"""EWMA of errors against their running rate."""

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
    """Read ticks. ``state``: n, error rate, average, variance's factor; ``params``: lam, warm_start, up, "
    "down.
    """
    lam, least, up, down = params[0], params[1], params[2] > 0.0, params[3] > 0.0
    keep = 1.0 - lam
    n, rate, level, factor = state[0], state[1], state[2], state[3]
    for i in range(len(x)):
        n += 1.0
        rate += (x[i] - rate) / n
        level = keep * level + lam * x[i]
        factor = keep * keep * factor + lam * lam
        spread = math.sqrt(rate * (1.0 - rate) * factor)
        if n < least:
            score[i] = np.nan
            continue
        # the published polynomial was fitted up to one half
        p = min(rate, 0.5)
        width = 3.97 - 6.56 * p + 48.73 * p**3 - 330.13 * p**5 + 848.18 * p**7
        now = (level - rate) / (width * spread) if spread > 0.0 else 0.0
        if not up or (down and now < 0.0):
            now = -now
        score[i] = now
        if now > limit:
            alarm[i] = True
            n, rate, level, factor = fresh[0], fresh[1], fresh[2], fresh[3]
    state[0], state[1], state[2], state[3] = n, rate, level, factor
