"""Early Drift Detection Method."""

from __future__ import annotations

import math

import numpy as np
from numba import njit


@njit(cache=True, error_model="numpy")
def run(
    x: np.ndarray,
    state: np.ndarray,
    fresh: np.ndarray,
    params: np.ndarray,
    limit: float,
    score: np.ndarray,
    alarm: np.ndarray,
) -> None:
    """Read ticks.

    ``state``: ticks, tick of the last error, errors, mean of the distances between errors, sum of their
    squared deviations, largest level, score; ``params``: warm_start.
    """
    n, last, errors, mean, squares, top, now = (
        state[0],
        state[1],
        state[2],
        state[3],
        state[4],
        state[5],
        state[6],
    )
    warm_start = params[0]
    for i in range(len(x)):
        n += 1.0
        if x[i] == 1.0:
            errors += 1.0
            gap = n - last - mean
            distance = n - last
            mean += (1.0 / errors) * gap
            squares += gap * (distance - mean)
            last = n
            if n > warm_start:
                level = mean + 2.0 * (math.sqrt(squares / (errors - 1.0)) if errors > 1.0 else 0.0)
                if level > top:
                    top = level
                if errors > warm_start:
                    now = -level / top
                    if now > limit:
                        score[i] = now
                        alarm[i] = True
                        n, last, errors, mean = fresh[0], fresh[1], fresh[2], fresh[3]
                        squares, top, now = fresh[4], fresh[5], fresh[6]
                        continue
        score[i] = now
    state[0], state[1], state[2], state[3] = n, last, errors, mean
    state[4], state[5], state[6] = squares, top, now
