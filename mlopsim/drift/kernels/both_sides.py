"""A kernel that looks for rises of the errors, run on right answers for falls, or on both for both."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

#: ticks that are read together; those after an alarm are read again
BLOCK = 256


@njit(inline="always")
def read(
    run: Any,
    x: np.ndarray,
    state: np.ndarray,
    fresh: np.ndarray,
    params: np.ndarray,
    limit: float,
    score: np.ndarray,
    alarm: np.ndarray,
) -> None:
    """Read ticks with the kernel ``run`` and its mirror image.

    ``state``: that of ``run`` on the errors, then that of ``run`` on ``1 - errors``; ``params``: those of
    ``run``, then up, down. The score is the higher one of the sides that are looked at. Each side reads a
    block on its own; where a score exceeds the limit both read the block again up to there. After an alarm
    the side that raised it goes on as ``run`` says, the other one from its fresh state.
    """
    sides = params[len(params) - 2 :]
    half = len(state) // 2
    start = np.empty_like(state)
    found = np.empty((2, BLOCK))
    over = np.empty(BLOCK, np.bool_)
    ticks = np.empty((2, BLOCK))
    i = 0
    while i < len(x):
        size = min(BLOCK, len(x) - i)
        for j in range(len(state)):
            start[j] = state[j]
        for j in range(size):
            ticks[0, j] = x[i + j]
            ticks[1, j] = 1.0 - x[i + j]
        for side in range(2):
            if sides[side] > 0.0:
                at = side * half
                run(
                    ticks[side, :size],
                    state[at : at + half],
                    fresh[at : at + half],
                    params,
                    np.inf,
                    found[side, :size],
                    over[:size],
                )
        stop = size
        for j in range(size):
            best = found[0, j] if sides[0] > 0.0 else found[1, j]
            if sides[0] > 0.0 and sides[1] > 0.0 and not found[1, j] <= best:
                # also where the other side is undefined; an undefined one is no more than any
                best = found[1, j] if not np.isnan(found[1, j]) else best
            score[i + j] = best
            if best > limit:
                stop = j + 1
                break
        if score[i + stop - 1] > limit:
            for j in range(len(state)):
                state[j] = start[j]
            for side in range(2):
                if sides[side] > 0.0:
                    at = side * half
                    raised = found[side, stop - 1] > limit
                    over[:stop] = False
                    run(
                        ticks[side, :stop],
                        state[at : at + half],
                        fresh[at : at + half],
                        params,
                        limit if raised else np.inf,
                        found[side, :stop],
                        over[:stop],
                    )
                    if not raised:
                        for j in range(at, at + half):
                            state[j] = fresh[j]
            alarm[i + stop - 1] = True
        i += stop
