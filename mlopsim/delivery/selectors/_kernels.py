"""Compiled detectors over many walks at once, with river's alarms to the row.

Each kernel reads the rows of one window for all walks, keeps its state in the arrays that it is
given and starts afresh after an alarm, as river does on the next update. Rows are 1 (error) or 0;
others are padding. Where ``use`` is False nothing happens. A kernel answers how many alarms there were.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

#: ADWIN: levels of buckets (2^40 rows and more) and scalar columns
ADWIN_LEVELS = 40
ADWIN_COLUMNS = 4


@njit(cache=True)
def ddm(
    errors: np.ndarray, use: np.ndarray, state: np.ndarray, warm_start: int, threshold: float
) -> np.ndarray:
    """DDM (Gama et al. 2004): p + s > p_min + threshold * s_min. ``state``: n, p, p_min, s_min."""
    walks, length = errors.shape
    alarms = np.zeros(walks, np.int64)
    for i in range(walks):
        if not use[i]:
            continue
        n, p, p_min, s_min = state[i, 0], state[i, 1], state[i, 2], state[i, 3]
        for j in range(length):
            x = errors[i, j]
            if x < 0:
                continue
            n += 1.0
            p += (1.0 / n) * (x - p)
            s = math.sqrt(p * (1.0 - p) / n)
            if n > warm_start:
                if p + s <= p_min + s_min:
                    p_min, s_min = p, s
                if p + s > p_min + threshold * s_min:
                    alarms[i] += 1
                    n, p, p_min, s_min = 0.0, 0.0, np.inf, np.inf
        state[i, 0], state[i, 1], state[i, 2], state[i, 3] = n, p, p_min, s_min
    return alarms


@njit(cache=True)
def page_hinkley(
    errors: np.ndarray,
    use: np.ndarray,
    state: np.ndarray,
    min_instances: int,
    delta: float,
    threshold: float,
    alpha: float,
    up: bool,
    down: bool,
) -> np.ndarray:
    """Page-Hinkley (Page 1954). ``state``: n, mean, sum up, sum down, minimum of up, maximum of down."""
    walks, length = errors.shape
    alarms = np.zeros(walks, np.int64)
    for i in range(walks):
        if not use[i]:
            continue
        n, mean, rise, fall, low, high = (
            state[i, 0],
            state[i, 1],
            state[i, 2],
            state[i, 3],
            state[i, 4],
            state[i, 5],
        )
        for j in range(length):
            x = errors[i, j]
            if x < 0:
                continue
            n += 1.0
            mean += (1.0 / n) * (x - mean)
            deviation = x - mean
            rise = alpha * rise + deviation - delta
            fall = alpha * fall + deviation + delta
            low = min(low, rise)
            high = max(high, fall)
            if n >= min_instances and ((up and rise - low > threshold) or (down and high - fall > threshold)):
                alarms[i] += 1
                n, mean, rise, fall, low, high = 0.0, 0.0, 0.0, 0.0, np.inf, -1.0
        state[i, 0], state[i, 1], state[i, 2] = n, mean, rise
        state[i, 3], state[i, 4], state[i, 5] = fall, low, high
    return alarms


@njit(cache=True)
def _insert(
    x: float, scalars: np.ndarray, counts: np.ndarray, totals: np.ndarray, variances: np.ndarray, cap: int
) -> None:
    """Add one row to the exponential histogram and merge the two oldest buckets of a full level."""
    scalars[1] += 1.0
    width = scalars[1]
    if width > 1.0:
        gap = x - scalars[2] / (width - 1.0)
        scalars[3] += (width - 1.0) * gap * gap / width
    scalars[2] += x
    totals[0, counts[0]] = x
    variances[0, counts[0]] = 0.0
    counts[0] += 1
    level = 0
    while counts[level] == cap + 1:
        size = 2.0**level
        gap = totals[level, 0] / size - totals[level, 1] / size
        k = counts[level + 1]
        totals[level + 1, k] = totals[level, 0] + totals[level, 1]
        variances[level + 1, k] = (
            variances[level, 0] + variances[level, 1] + size * size * gap * gap / (size + size)
        )
        counts[level + 1] += 1
        for b in range(2, cap + 1):
            totals[level, b - 2] = totals[level, b]
            variances[level, b - 2] = variances[level, b]
        counts[level] -= 2
        level += 1


@njit(cache=True)
def _cut(
    scalars: np.ndarray,
    counts: np.ndarray,
    totals: np.ndarray,
    delta: float,
    min_length: int,
) -> int:
    """Look for a cut with different means: 0 none, 1 the newer part is higher, -1 lower."""
    width = scalars[1]
    n0, u0, n1, u1 = 0.0, 0.0, width, scalars[2]
    variance = scalars[3] / width
    delta_prime = math.log(2.0 * math.log(width) / delta)
    top = 0
    for level in range(counts.shape[0]):
        if counts[level] > 0:
            top = level
    for level in range(top, -1, -1):
        size = 2.0**level
        for b in range(counts[level]):
            n0 += size
            n1 -= size
            u0 += totals[level, b]
            u1 -= totals[level, b]
            if level == 0 and b == counts[0] - 1:
                return 0
            if n0 < min_length or n1 < min_length:
                continue
            m_recip = 1.0 / (n0 - min_length + 1.0) + 1.0 / (n1 - min_length + 1.0)
            epsilon = math.sqrt(2.0 * m_recip * variance * delta_prime) + 2.0 / 3.0 * delta_prime * m_recip
            gap = u0 / n0 - u1 / n1
            if abs(gap) > epsilon:
                return 1 if gap < 0.0 else -1
    return 0


@njit(cache=True)
def adwin(
    errors: np.ndarray,
    use: np.ndarray,
    scalars: np.ndarray,
    counts: np.ndarray,
    totals: np.ndarray,
    variances: np.ndarray,
    delta: float,
    clock: int,
    max_buckets: int,
    min_length: int,
    grace: int,
    rises: np.ndarray,
) -> np.ndarray:
    """ADWIN (Bifet and Gavalda 2007).

    ``scalars``: tick, width, total, variance times width, shape (walks, 4); ``counts`` (walks, levels);
    ``totals`` and ``variances`` (walks, levels, max_buckets + 1). ``rises`` gets the number of alarms at
    which the newer part had the higher error rate.
    """
    walks, length = errors.shape
    alarms = np.zeros(walks, np.int64)
    for i in range(walks):
        rises[i] = 0
        if not use[i]:
            continue
        for j in range(length):
            x = errors[i, j]
            if x < 0:
                continue
            _insert(float(x), scalars[i], counts[i], totals[i], variances[i], max_buckets)
            scalars[i, 0] += 1.0
            if scalars[i, 0] % clock == 0 and scalars[i, 1] > grace:
                found = _cut(scalars[i], counts[i], totals[i], delta, min_length)
                if found != 0:
                    alarms[i] += 1
                    rises[i] += found > 0
                    scalars[i] = 0.0
                    counts[i] = 0
    return alarms
