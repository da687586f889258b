"""Drift Detection Method."""

from __future__ import annotations

import math

import numpy as np
from numba import njit

#: the double after 1
ABOVE_ONE = 1.0 + 2.0**-52


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
def step(
    x: float, n: float, p: float, p_min: float, s_min: float, warm_start: float
) -> tuple[float, float, float, float, float]:
    """Read one error; return n, p, p_min, s_min and the score, NaN up to ``warm_start`` errors."""
    n += 1.0
    p += (1.0 / n) * (x - p)
    if n <= warm_start:
        return n, p, p_min, s_min, np.nan
    s = math.sqrt(p * (1.0 - p) / n)
    if p + s <= p_min + s_min:
        p_min, s_min = p, s
    return n, p, p_min, s_min, excess(p + s, p_min, s_min)


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
    """Read ticks. ``state``: n, p, p_min, s_min; ``params``: warm_start."""
    n, p, p_min, s_min = state[0], state[1], state[2], state[3]
    warm_start = params[0]
    for i in range(len(x)):
        n, p, p_min, s_min, now = step(x[i], n, p, p_min, s_min, warm_start)
        score[i] = now
        if now > limit:
            alarm[i] = True
            n, p, p_min, s_min = fresh[0], fresh[1], fresh[2], fresh[3]
    state[0], state[1], state[2], state[3] = n, p, p_min, s_min
