"""Drift detection by McDiarmid's bound on exponentially weighted means."""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from mlopsim.drift.kernels.hddm_a import NEAR, SLACK

#: roots of limits are looked at up to this one
HIGHEST = 1e3


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


@njit(cache=True, error_model="numpy")
def narrow(at_zero: float, slope: float, low: float, high: float) -> tuple[float, float]:
    """Return the part of [low, high] where ``at_zero + slope r`` is safely above 0, empty if high < low."""
    if at_zero + slope * low < SLACK or at_zero + slope * high < SLACK:
        if slope > 0.0:
            low = max(low, (SLACK - at_zero) / slope)
        elif slope < 0.0:
            high = min(high, (SLACK - at_zero) / slope)
        else:
            high = -1.0
    return low, high


@njit(cache=True, error_model="numpy")
def limits(alarm: bool, critical: float, low: float, high: float, limit: float) -> tuple[bool, float, float]:
    """Return the answer and the limits between which it holds: those of the roots low to high.

    ``critical`` is the highest limit that the evidence exceeds: an alarm ends there, silence begins there.
    """
    most, least = high * high, low * low
    if alarm:
        most = min(most, critical)
    else:
        least = max(least, critical)
    most -= 4.0 * NEAR * (1.0 + abs(most))
    least += 4.0 * NEAR * (1.0 + abs(least))
    if low <= high and least <= limit <= most:
        return alarm, least, most
    return alarm, limit, limit


@njit(cache=True, error_model="numpy")
def certain(x: np.ndarray, params: np.ndarray, limit: float) -> tuple[bool, float, float]:
    """Return whether fresh ticks lead to an alarm, and between which limits the answer is the same.

    The cut after each tick follows from a comparison that is linear in the root of log(1 / delta): as long as
    none of them turns, cuts and evidence are the same.
    """
    log_once, lam, lam2, rest2 = params[0], params[1], params[2], params[3]
    up, down = params[4] > 0.0, params[5] > 0.0
    rest = 1.0 - lam
    mean, weight = np.nan, 1.0
    cut_up, old_up, old_up_w, new_up, new_up_w = np.inf, np.nan, 1.0, np.nan, 1.0
    cut_down, old_down, old_down_w, new_down, new_down_w = -np.inf, np.nan, 1.0, np.nan, 1.0
    unit_up, unit_down = 0.0, 0.0
    first, last, critical = 0.0, HIGHEST, -np.inf
    for i in range(len(x)):
        now = x[i]
        mean = now if np.isnan(mean) else lam * now + rest * mean
        weight = lam2 + rest2 * weight
        bound = math.sqrt(weight * log_once / 2.0)
        unit = math.sqrt(weight / 2.0)
        found = 0.0
        if up:
            renewed = mean + bound < cut_up
            # equal sides are equal at any limit
            if i > 0 and not (mean == old_up and weight == old_up_w):
                sign = 1.0 if renewed else -1.0
                first, last = narrow(sign * (old_up - mean), sign * (unit_up - unit), first, last)
            if renewed:
                cut_up, old_up, old_up_w, unit_up = mean + bound, mean, weight, unit
                new_up, new_up_w = np.nan, 1.0
            else:
                new_up = now if np.isnan(new_up) else lam * now + rest * new_up
                new_up_w = lam2 + rest2 * new_up_w
            found = evidence(new_up - old_up, old_up_w + new_up_w, log_once, limit)
        if down:
            renewed = mean - bound > cut_down
            if i > 0 and not (mean == old_down and weight == old_down_w):
                sign = 1.0 if renewed else -1.0
                first, last = narrow(sign * (mean - old_down), sign * (unit_down - unit), first, last)
            if renewed:
                cut_down, old_down, old_down_w, unit_down = mean - bound, mean, weight, unit
                new_down, new_down_w = np.nan, 1.0
            else:
                new_down = now if np.isnan(new_down) else lam * now + rest * new_down
                new_down_w = lam2 + rest2 * new_down_w
            found = max(found, evidence(old_down - new_down, old_down_w + new_down_w, log_once, limit))
        if found > limit:
            return limits(True, found, first, last, limit)  # type: ignore[no-any-return]
        critical = max(critical, found)
    return limits(False, critical, first, last, limit)  # type: ignore[no-any-return]
