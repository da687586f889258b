"""Fast Hoeffding Drift Detection Method."""

from __future__ import annotations

import numpy as np
from numba import njit

from mlopsim.drift.kernels.both_sides import read

#: scalars before the ring in the state
HEAD = 6


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

    ``state``: rows in the window, place of the next one, right answers in the window and in its newest part,
    the most of both so far, then the window as a ring; ``params``: window, short window (0 = none).
    Right answers are counted in whole numbers, so that equal falls have equal scores.
    """
    size, short = int(params[0]), int(params[1])
    filled, place = int(state[0]), int(state[1])
    right, right_short, best, best_short = state[2], state[3], state[4], state[5]
    for i in range(len(x)):
        now = 1.0 - x[i]
        if filled == size:
            right -= state[HEAD + place]
        else:
            filled += 1
        if short > 0:
            # before the window is full this is a zero that nobody wrote
            right_short += now - state[HEAD + (place - short if place >= short else place - short + size)]
        state[HEAD + place] = now
        right += now
        place += 1
        if place == size:
            place = 0
        if filled < size:
            score[i] = np.nan
            continue
        best = max(best, right)
        fall = best - right
        found = 2.0 * fall * fall / size
        if short > 0:
            best_short = max(best_short, right_short)
            fall = best_short - right_short
            found = max(found, 2.0 * fall * fall / short)
        score[i] = found
        if found > limit:
            alarm[i] = True
            for j in range(len(state)):
                state[j] = fresh[j]
            filled, place = int(state[0]), int(state[1])
            right, right_short, best, best_short = state[2], state[3], state[4], state[5]
    state[0], state[1] = filled, place
    state[2], state[3], state[4], state[5] = right, right_short, best, best_short


@njit(cache=True, error_model="numpy")
def sided(
    x: np.ndarray,
    state: np.ndarray,
    fresh: np.ndarray,
    params: np.ndarray,
    limit: float,
    score: np.ndarray,
    alarm: np.ndarray,
) -> None:
    """Read ticks for falls, or for both sides: see :mod:`mlopsim.drift.kernels.both_sides`."""
    read(run, x, state, fresh, params, limit, score, alarm)
