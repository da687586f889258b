"""Adaptive windowing: an exponential histogram of the window and the test of its cuts."""

from __future__ import annotations

import math

import numpy as np
from numba import njit

#: levels of buckets: 2^40 rows and more
LEVELS = 40
#: places in the state: rows since the last alarm, width, total, variance times width, score, and the
#: direction of the cut at the last alarm (1 the newer part was higher, -1 lower, 0 no alarm yet), which an
#: alarm leaves
ROWS, WIDTH, TOTAL, SPREAD, SCORE, DIRECTION = 0, 1, 2, 3, 4, 5
#: then the number of buckets at each level, then their totals, oldest first: ``max_buckets + 1`` a level
COUNTS = 6
TOTALS = COUNTS + LEVELS
#: a cut is looked at unless it is below the best one by more than rounding
SLACK = 1e-9


@njit(cache=True, error_model="numpy")
def insert(x: float, state: np.ndarray, cap: int) -> None:
    """Add one row and merge the two oldest buckets of each level that has more than ``cap``."""
    width = state[WIDTH] + 1.0
    if width > 1.0:
        gap = x - state[TOTAL] / (width - 1.0)
        state[SPREAD] += (width - 1.0) * gap * gap / width
    state[ROWS] += 1.0
    state[WIDTH] = width
    state[TOTAL] += x
    count = int(state[COUNTS])
    at = TOTALS
    state[at + count] = x
    count += 1
    level = 0
    while count > cap:
        merged = state[at] + state[at + 1]
        for b in range(at + 2, at + count):
            state[b - 2] = state[b]
        state[COUNTS + level] = count - 2
        level += 1
        at += cap + 1
        count = int(state[COUNTS + level])
        state[at + count] = merged
        count += 1
    state[COUNTS + level] = count


@njit(cache=True, error_model="numpy")
def cut(
    state: np.ndarray, cap: int, shortest: float, limit: float, up: bool, down: bool
) -> tuple[float, float]:
    """Return the score of the best cut and the direction of the oldest cut above the limit (0 = none).

    It alarms at confidence delta if ``gap > sqrt(2 m v D) + 2 / 3 m D``, ``D = log(2 log(width) / delta)``;
    the score is minus the log of the largest delta at which no cut does: D solved for equality, less
    ``log(2 log(width))``. NaN if there is no cut with two parts that are long enough. A change that is not
    looked for counts as none.
    """
    width = state[WIDTH]
    variance = state[SPREAD] / width
    shift = math.log(2.0 * math.log(width))
    n0, u0, n1, u1 = 0.0, 0.0, width, state[TOTAL]
    best, direction = -1.0, 0.0
    top = int(math.log2(width))
    size = 2.0**top
    for level in range(top, -1, -1):
        at = TOTALS + level * (cap + 1)
        for b in range(at, at + int(state[COUNTS + level])):
            n0 += size
            n1 -= size
            u0 += state[b]
            u1 -= state[b]
            if n1 < shortest:
                break
            if n0 < shortest:
                continue
            signed = u0 / n0 - u1 / n1
            gap = abs(signed)
            if (signed < 0.0 and not up) or (signed > 0.0 and not down):
                gap = 0.0
            a, c = n0 - shortest + 1.0, n1 - shortest + 1.0
            if best >= 0.0:
                m = (a + c) / (a * c)
                rest = gap - 2.0 / 3.0 * m * best + SLACK * gap
                if rest < 0.0 or rest * rest < 2.0 * m * variance * best * (1.0 - SLACK):
                    continue
            m = 1.0 / a + 1.0 / c
            linear = 2.0 / 3.0 * m
            square = 2.0 * m * variance
            root = (
                2.0 * gap / (math.sqrt(square) + math.sqrt(square + 4.0 * linear * gap)) if gap > 0.0 else 0.0
            )
            found = root * root
            # not so where squares overflow: such a cut proves nothing
            if found > best:
                best = found
            if direction == 0.0 and found - shift > limit:
                direction = 1.0 if signed < 0.0 else -1.0
        size *= 0.5
    return (best - shift if best >= 0.0 else np.nan), direction


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
    """Read ticks. ``state``: see the places above; ``params``: clock, max_buckets, min_window, grace, up, "
    "down.
    """
    clock, cap, shortest, grace = int(params[0]), int(params[1]), params[2], params[3]
    up, down = params[4] > 0.0, params[5] > 0.0
    for i in range(len(x)):
        insert(x[i], state, cap)
        if int(state[ROWS]) % clock == 0 and state[WIDTH] > grace:
            state[SCORE], direction = cut(state, cap, shortest, limit, up, down)
            if state[SCORE] > limit:
                score[i] = state[SCORE]
                alarm[i] = True
                for j in range(len(state)):
                    state[j] = fresh[j]
                state[DIRECTION] = direction
                continue
        score[i] = state[SCORE]
