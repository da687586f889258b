"""Statistical test of equal proportions."""

from __future__ import annotations

import math

import numpy as np
from numba import njit

#: scalars before the ring in the state
HEAD = 5


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

    ``state``: older rows, their errors, recent rows, their errors, place of the oldest recent row, then the
    recent rows as a ring; ``params``: window, up, down.
    """
    size, up, down = int(params[0]), params[1], params[2]
    older, wrong_older, recent, wrong_recent = state[0], state[1], state[2], state[3]
    place = int(state[4])
    for i in range(len(x)):
        if recent == size:
            leaving = state[HEAD + place]
            older += 1.0
            wrong_older += leaving
            wrong_recent -= leaving
        else:
            recent += 1.0
        state[HEAD + place] = x[i]
        wrong_recent += x[i]
        place += 1
        if place == size:
            place = 0
        if older < size:
            score[i] = np.nan
            continue
        rise = wrong_recent / recent - wrong_older / older
        inverse = 1.0 / older + 1.0 / recent
        p = (wrong_older + wrong_recent) / (older + recent)
        spread = math.sqrt(p * (1.0 - p) * inverse)
        found = max(rise * up, -rise * down) - 0.5 * inverse
        found = found / spread if found > 0.0 else 0.0
        score[i] = found
        if found > limit:
            alarm[i] = True
            for j in range(len(state)):
                state[j] = fresh[j]
            older, wrong_older, recent, wrong_recent = state[0], state[1], state[2], state[3]
            place = int(state[4])
    state[0], state[1], state[2], state[3], state[4] = older, wrong_older, recent, wrong_recent, place
