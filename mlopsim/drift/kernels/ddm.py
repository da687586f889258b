"""Drift Detection Method."""

from __future__ import annotations

import math

import numpy as np
from numba import carray, njit

from mlopsim.drift.kernels.both_sides import read
from mlopsim.drift.kernels.memory import scratch

#: the double after 1
ABOVE_ONE = 1.0 + 2.0**-52
#: rows that are read together; those after an alarm are read again
BLOCK = 32


@njit(cache=True, error_model="numpy")
def excess(level: float, p_min: float, s_min: float) -> float:
    """Return by how many ``s_min`` the level is above ``p_min``.

    1 exactly at the minimum and more than 1 above it, whatever rounding says; without a spread, 0 at the
    minimum and infinity above it.
    """
    if s_min > 0.0:
        return max((level - p_min) / s_min, ABOVE_ONE) if level > p_min + s_min else 1.0
    return np.inf if level > p_min else 0.0


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
    """Read ticks. ``state``: n, p, p_min, s_min; ``params``: warm_start.

    Roots and quotients of a whole block are taken at once; only the running mean goes row by row. An alarm
    ends its block.
    """
    n, p, p_min, s_min = state[0], state[1], state[2], state[3]
    warm_start = params[0]
    mean, spread = carray(scratch(BLOCK), BLOCK), carray(scratch(BLOCK), BLOCK)
    i, ticks = 0, len(x)
    while i < ticks:
        size = min(BLOCK, ticks - i)
        for j in range(size):
            mean[j] = 1.0 / (n + (j + 1.0))
        for j in range(size):
            p += mean[j] * (x[i + j] - p)
            mean[j] = p
        for j in range(size):
            spread[j] = math.sqrt(mean[j] * (1.0 - mean[j]) / (n + (j + 1.0)))
        plain = n >= warm_start
        for j in range(size):
            plain &= mean[j] + spread[j] > p_min + s_min
        read, over = size, False
        if plain:
            # no new minimum: nothing depends on the row before
            for j in range(size):
                now = excess(mean[j] + spread[j], p_min, s_min)
                score[i + j] = now
                over |= now > limit
            if over:
                read = 1
                while not score[i + read - 1] > limit:
                    read += 1
        else:
            for j in range(size):
                now = np.nan
                if n + (j + 1.0) > warm_start:
                    if mean[j] + spread[j] <= p_min + s_min:
                        p_min, s_min = mean[j], spread[j]
                    now = excess(mean[j] + spread[j], p_min, s_min)
                score[i + j] = now
                if now > limit:
                    read, over = j + 1, True
                    break
        n += size
        i += read
        if over:
            alarm[i - 1] = True
            n, p, p_min, s_min = fresh[0], fresh[1], fresh[2], fresh[3]
    state[0], state[1], state[2], state[3] = n, p, p_min, s_min


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
