"""Drift detection by Hoeffding's bound on running means."""

from __future__ import annotations

import math

import numpy as np
from numba import njit

#: within this of the limit river's own comparison decides
NEAR = 1e-9
LOG2 = math.log(2.0)


@njit(cache=True, error_model="numpy")
def evidence(rise: float, n_cut: float, n: float, log_twice: float, limit: float) -> float:
    """Return minus the log of the confidence at which a rise of the mean since the cut is significant.

    0 if there is no rise. Near the limit the sides of the published comparison, ``rise >= bound``, are
    compared as they stand, and the score is put on the side of the limit that this tells.
    """
    if n_cut == n or rise <= 0.0:
        return 0.0
    m = (n - n_cut) / n_cut * (1.0 / n)
    found = max(0.0, 2.0 * rise * rise / m - LOG2)
    if abs(found - limit) <= NEAR * (1.0 + limit) and limit < np.inf:
        reached = rise >= math.sqrt(m / 2.0 * log_twice)
        if reached and found <= limit:
            found = np.nextafter(limit, np.inf)
        elif not reached and found > limit:
            found = limit
    return found


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

    ``state``: n and mean of all rows; n, mean and bound up to the cut for rises; the same for falls;
    ``params``: log(1 / delta), log(2 / delta), up, down.
    """
    log_once, log_twice, up, down = params[0], params[1], params[2] > 0.0, params[3] > 0.0
    n, mean = state[0], state[1]
    n_low, low, e_low = state[2], state[3], state[4]
    n_high, high, e_high = state[5], state[6], state[7]
    for i in range(len(x)):
        n += 1.0
        mean += (1.0 / n) * (x[i] - mean)
        bound = math.sqrt(1.0 / (2.0 * n) * log_once)
        found = 0.0
        if up:
            if n == 1.0 or low + e_low >= mean + bound:
                n_low, low, e_low = n, mean, bound
            found = evidence(mean - low, n_low, n, log_twice, limit)
        if down:
            if n == 1.0 or high - e_high <= mean - bound:
                n_high, high, e_high = n, mean, bound
            found = max(found, evidence(high - mean, n_high, n, log_twice, limit))
        score[i] = found
        if found > limit:
            alarm[i] = True
            n, mean = fresh[0], fresh[1]
            n_low, low, e_low = fresh[2], fresh[3], fresh[4]
            n_high, high, e_high = fresh[5], fresh[6], fresh[7]
    state[0], state[1] = n, mean
    state[2], state[3], state[4] = n_low, low, e_low
    state[5], state[6], state[7] = n_high, high, e_high
