"""Drift detection by McDiarmid's bound on exponentially weighted means."""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from mlopsim.drift.kernels.hddm_a import NEAR


@njit(cache=True, error_model="numpy")
def evidence(rise: float, weight: float, log_once: float, limit: float) -> float:
    """Return minus the log of the confidence at which a rise between two weighted means is significant.

    0 if there is no rise. Near the limit the sides of the published comparison, ``rise > bound``, are
    compared as they stand, and the score is put on the side of the limit that this tells.
    """
    if not rise > 0.0:
        return 0.0
    found = 2.0 * rise * rise / weight
    if abs(found - limit) <= NEAR * (1.0 + limit) and limit < np.inf:
        reached = rise > math.sqrt(weight * log_once / 2.0)
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

    ``state``: mean and weight of all rows; for rises: cut value, mean and weight up to the cut, mean and
    weight after it; the same five for falls. Means are NaN before their first row. ``params``:
    log(1 / delta), lam, lam^2, (1 - lam)^2, up, down.
    """
    log_once, lam, lam2, rest2 = params[0], params[1], params[2], params[3]
    up, down = params[4] > 0.0, params[5] > 0.0
    rest = 1.0 - lam
    mean, weight = state[0], state[1]
    cut_up, old_up, old_up_w, new_up, new_up_w = state[2], state[3], state[4], state[5], state[6]
    cut_down, old_down, old_down_w, new_down, new_down_w = state[7], state[8], state[9], state[10], state[11]
    for i in range(len(x)):
        now = x[i]
        mean = now if np.isnan(mean) else lam * now + rest * mean
        weight = lam2 + rest2 * weight
        bound = math.sqrt(weight * log_once / 2.0)
        found = 0.0
        if up:
            if mean + bound < cut_up:
                cut_up, old_up, old_up_w = mean + bound, mean, weight
                new_up, new_up_w = np.nan, 1.0
            else:
                new_up = now if np.isnan(new_up) else lam * now + rest * new_up
                new_up_w = lam2 + rest2 * new_up_w
            found = evidence(new_up - old_up, old_up_w + new_up_w, log_once, limit)
        if down:
            if mean - bound > cut_down:
                cut_down, old_down, old_down_w = mean - bound, mean, weight
                new_down, new_down_w = np.nan, 1.0
            else:
                new_down = now if np.isnan(new_down) else lam * now + rest * new_down
                new_down_w = lam2 + rest2 * new_down_w
            found = max(found, evidence(old_down - new_down, old_down_w + new_down_w, log_once, limit))
        score[i] = found
        if found > limit:
            alarm[i] = True
            mean, weight = fresh[0], fresh[1]
            cut_up, old_up, old_up_w, new_up, new_up_w = fresh[2], fresh[3], fresh[4], fresh[5], fresh[6]
            cut_down, old_down, old_down_w = fresh[7], fresh[8], fresh[9]
            new_down, new_down_w = fresh[10], fresh[11]
    state[0], state[1] = mean, weight
    state[2], state[3], state[4], state[5], state[6] = cut_up, old_up, old_up_w, new_up, new_up_w
    state[7], state[8], state[9] = cut_down, old_down, old_down_w
    state[10], state[11] = new_down, new_down_w
