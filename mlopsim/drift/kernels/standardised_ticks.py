"""Reference of standardised ticks: given, or estimated first."""

from __future__ import annotations

import math

import numpy as np
from numba import njit

#: smallest spread: after a constant reference any change is a large one, and a constant signal none
SMALLEST = 1e-12


@njit(cache=True)
def learn_from(x: np.ndarray, i: int, state: np.ndarray, learn: float, score: np.ndarray) -> int:
    """Read the ticks that the reference still needs, from ``x[i]`` on; return the place of the next one.

    ``state``: [0] ticks learnt, [1] mean, [2] sum of squared deviations, then the standard deviation
    (Welford 1962); the last such tick fixes it. The score is NaN meanwhile. A chart that knows its
    reference starts with ``state[0] = learn``.
    """
    count, mean, spread = state[0], state[1], state[2]
    if count >= learn:
        return i
    while i < len(x) and count < learn:
        count += 1.0
        gap = x[i] - mean
        mean += gap / count
        spread += gap * (x[i] - mean)
        score[i] = np.nan
        i += 1
    if count >= learn:
        spread = max(math.sqrt(spread / (learn - 1.0)), SMALLEST)
    state[0], state[1], state[2] = count, mean, spread
    return i
