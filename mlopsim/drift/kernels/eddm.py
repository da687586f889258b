"""Early Drift Detection Method."""

from __future__ import annotations

import math

import numpy as np
from numba import carray, njit

from mlopsim.drift.kernels.both_sides import read
from mlopsim.drift.kernels.memory import scratch

#: rows that are read together; those after an alarm are read again
BLOCK = 256
#: scores before and after each
AFTER = BLOCK + 1


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

    The errors of a block are found without a branch, which would be a coin; their roots and quotients are
    taken at once. An alarm ends its block.
    """
    n, last, errors, mean = state[0], state[1], state[2], state[3]
    squares, top, now = state[4], state[5], state[6]
    warm_start = params[0]
    # of each error: its tick, the level, the largest level so far; the score after so many errors
    tick, level = carray(scratch(BLOCK), BLOCK), carray(scratch(BLOCK), BLOCK)
    most, found = carray(scratch(BLOCK), BLOCK), carray(scratch(AFTER), AFTER)
    i, ticks = 0, len(x)
    while i < ticks:
        size = min(BLOCK, ticks - i)
        count = 0
        for j in range(size):
            tick[count] = n + (j + 1.0)
            count += x[i + j] == 1.0
        for k in range(count):
            most[k] = 1.0 / (errors + (k + 1.0))
        for k in range(count):
            distance = tick[k] - last
            last = tick[k]
            gap = distance - mean
            mean += most[k] * gap
            squares += gap * (distance - mean)
            level[k], found[k] = mean, squares
        for k in range(count):
            before = errors + k
            level[k] += 2.0 * (math.sqrt(found[k] / before) if before > 0.0 else 0.0)
        for k in range(count):
            if tick[k] > warm_start:
                top = max(top, level[k])
            most[k] = top
        found[0] = now
        over = False
        for k in range(count):
            now = -level[k] / most[k] if errors + (k + 1.0) > warm_start else now
            found[k + 1] = now
            over |= now > limit
        read = size
        if over:
            k = 0
            while not found[k + 1] > limit:
                k += 1
            read = int(tick[k] - n)
        k = 0
        for j in range(read):
            k += x[i + j] == 1.0
            score[i + j] = found[k]
        n += size
        errors += count
        i += read
        if over:
            alarm[i - 1] = True
            n, last, errors, mean = fresh[0], fresh[1], fresh[2], fresh[3]
            squares, top, now = fresh[4], fresh[5], fresh[6]
    state[0], state[1], state[2], state[3] = n, last, errors, mean
    state[4], state[5], state[6] = squares, top, now


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
