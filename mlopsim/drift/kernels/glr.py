"""Generalised likelihood ratio of a shift of the mean, over the last ticks."""

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
    """Read ticks. ``state``: reference, ticks, ring of standardised ticks; ``params``: learn, up, down."""
    learn, up, down = params[0], params[1] > 0.0, params[2] > 0.0
    ring = state[4:]
    size = len(ring)
    i, ticks = 0, len(x)
    while i < ticks:
        i = learn_from(x, i, state, learn, score)
        mean, sd = state[1], state[2]
        count = int(state[3])
        over = False
        while i < ticks and not over:
            place = count % size
            ring[place] = (x[i] - mean) / sd
            count += 1
            best = total = 0.0
            for back in range(1, min(count, size) + 1):
                total += ring[place]
                place = place - 1 if place > 0 else size - 1
                if (total > 0.0 and up) or (total < 0.0 and down):
                    now = total * total / (2.0 * back)
                    if now > best:
                        best = now
            score[i] = best
            over = best > limit
            i += 1
        if over:
            alarm[i - 1] = True
            for j in range(len(state)):
                state[j] = fresh[j]
        else:
            state[3] = count
