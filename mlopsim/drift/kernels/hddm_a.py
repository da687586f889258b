"""Drift detection by Hoeffding's bound on running means."""

from __future__ import annotations

import math

import numpy as np
from numba import njit

#: within this of the limit river's own comparison decides
NEAR = 1e-9
LOG2 = math.log(2.0)
#: a comparison that is this near to a tie is not relied on
SLACK = 1e-12


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


@njit(cache=True, error_model="numpy")
def survey(
    x: np.ndarray, sign: float, limit: float, found: tuple[bool, bool, float, float, float, float]
) -> tuple[bool, bool, float, float, float, float]:
    """Go through the rises of ``sign * x`` at all limits at once.

    The row that is compared with is the one with the least ``mean + r / sqrt(2 n)``, r the root of
    log(1 / delta): the lower envelope of one line a row. A new row enters at the far end, its slope being the
    least so far, and drives out those that are least nowhere any more. Within a piece of the envelope there
    is an alarm up to the limit that the rise since its row proves.

    ``found``, in and out: whether there is an alarm at the limit for sure, whether rounding might decide,
    limits between which there is one for sure, the nearest limits below and above where there may be one.
    """
    alarm, doubt, low, high, below, above = found
    row, level, slope = np.empty(len(x)), np.empty(len(x)), np.empty(len(x))
    # the root from which on a row is least, up to that of the next one
    start = np.empty(len(x) + 1)
    count, mean = 0, 0.0
    for i in range(len(x)):
        n = i + 1.0
        mean += (1.0 / n) * (x[i] - mean)
        now, unit = sign * mean, math.sqrt(1.0 / (2.0 * n))
        at = 0.0
        while count > 0:
            at = (now - level[count - 1]) / (slope[count - 1] - unit)
            if at > start[count - 1]:
                break
            count -= 1
        row[count], level[count], slope[count], start[count] = n, now, unit, at if count > 0 else 0.0
        # rounding moves the ends of pieces by less, slopes of neighbours being n^-1.5 / sqrt(8) apart
        near = 32.0 * SLACK * n * math.sqrt(n)
        for k in range(count):
            rise = now - level[k]
            if rise <= 0.0:
                continue
            proved = 2.0 * rise * rise / ((n - row[k]) / row[k] * (1.0 / n)) - LOG2
            most = proved + 4.0 * NEAR * (1.0 + proved)
            first, last = max(start[k] - near, 0.0), start[k + 1] + near
            if most < first * first:
                continue
            most, least = min(most, last * last), first * first
            if most < limit:
                below = max(below, most)
            elif least > limit:
                above = min(above, least)
            else:
                first, last = start[k] + near if k > 0 else 0.0, max(start[k + 1] - near, 0.0)
                most = min(proved - 4.0 * NEAR * (1.0 + proved), last * last)
                if first * first <= limit <= most:
                    alarm, low, high = True, min(low, first * first), max(high, most)
                else:
                    doubt = True
        count += 1
    return alarm, doubt, low, high, below, above


@njit(cache=True, error_model="numpy")
def certain(x: np.ndarray, params: np.ndarray, limit: float) -> tuple[bool, float, float]:
    """Return whether fresh ticks lead to an alarm, and between which limits the answer is the same."""
    found = (False, False, limit, limit, 0.0, np.inf)
    if params[2] > 0.0:
        found = survey(x, 1.0, limit, found)
    if params[3] > 0.0:
        found = survey(x, -1.0, limit, found)
    alarm, doubt, low, high, below, above = found
    if alarm:
        return True, low, high
    if not doubt:
        return False, below, above
    score, over = np.empty(len(x)), np.zeros(len(x), np.bool_)
    run(x, np.zeros(8), np.zeros(8), params, limit, score, over)
    return bool(over.any()), limit, limit
