"""Standardised ticks with a reference that is given or estimated first."""

from __future__ import annotations

import math

import numpy as np
from numba import njit

#: smallest spread: after a constant reference any change is a large one, and a constant signal none
SMALLEST = 1e-12


@njit(inline="always")
def standardise(x: float, state: np.ndarray, learn: float) -> float:
    """Return z of a tick, NaN while the reference is learnt; the last such tick fixes it.

    ``state``: [0] ticks learnt, [1] mean, [2] sum of squared deviations, then the standard deviation
    (Welford 1962). A chart that is told its reference starts with ``state[0] = learn``.
    """
    if state[0] >= learn:
        z: float = (x - state[1]) / state[2]
        return z
    state[0] += 1.0
    gap = x - state[1]
    state[1] += gap / state[0]
    state[2] += gap * (x - state[1])
    if state[0] >= learn:
        state[2] = max(math.sqrt(state[2] / (learn - 1.0)), SMALLEST)
    return np.nan
