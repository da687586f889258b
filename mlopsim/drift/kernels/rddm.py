"""Reactive Drift Detection Method."""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from mlopsim.drift.kernels.both_sides import read
from mlopsim.drift.kernels.ddm import excess

#: scalars before the ring in the state
HEAD = 7


@njit(cache=True, error_model="numpy")
def reread(
    state: np.ndarray, size: int, place: int, rows: int, p_min: float, s_min: float, warm_start: float
) -> tuple[float, float, float]:
    """Return p, p_min and s_min after the last ``rows`` rows of the ring; a finite minimum is kept."""
    p, n = 1.0, 0.0
    keep = p_min < np.inf
    start = place - rows
    for i in range(rows):
        at = start + i
        n += 1.0
        p += (state[HEAD + (at if at >= 0 else at + size)] - p) / n
        s = math.sqrt(p * (1.0 - p) / n)
        if not keep and n > warm_start and p + s < p_min + s_min:
            p_min, s_min = p, s
    return p, p_min, s_min


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

    ``state``: n, p, p_min, s_min, rows since the warning began (0 = no warning), rows in the ring, place of
    the next one, then the ring; ``params``: warm_start, warning, longest warning, longest concept, ring size.
    An alarm does not set the state back to ``fresh``: the rows since the warning are read again.
    """
    warm_start, warning, patience, longest, size = params[0], params[1], params[2], params[3], int(params[4])
    n, p, p_min, s_min, since = state[0], state[1], state[2], state[3], state[4]
    filled, place = int(state[5]), int(state[6])
    for i in range(len(x)):
        state[HEAD + place] = x[i]
        place += 1
        if place == size:
            place = 0
        if filled < size:
            filled += 1
        n += 1.0
        p += (x[i] - p) / n
        if since > 0.0:
            since += 1.0
        if n + 1.0 <= warm_start:
            score[i] = np.nan
            continue
        s = math.sqrt(p * (1.0 - p) / n)
        if p + s < p_min + s_min:
            p_min, s_min = p, s
        now = excess(p + s, p_min, s_min)
        again = min(int(since), filled) if since > 0.0 else 1
        if now <= limit and now > warning:
            if since > patience:
                now, again = np.inf, 1
            elif since == 0.0:
                since = 1.0
        elif now <= limit:
            since = 0.0
        score[i] = now
        if now > limit:
            alarm[i] = True
            filled = again
            p, p_min, s_min = reread(state, size, place, again, np.inf, np.inf, warm_start)
            n, since = float(again), 0.0
        elif since == 0.0 and n + 1.0 > longest:
            p, p_min, s_min = reread(state, size, place, filled, p_min, s_min, warm_start)
            n = float(filled)
    state[0], state[1], state[2], state[3], state[4] = n, p, p_min, s_min, since
    state[5], state[6] = filled, place


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
