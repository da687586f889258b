"""Moves on a set of versions that are trained, for searches of feasible plans.

Imported inside functions only.
"""

from __future__ import annotations

import numba
import numpy as np


@numba.njit(cache=True)
def moved(chosen: np.ndarray, skip: int, new: int, gaps: np.ndarray) -> np.ndarray:
    """Return a set without one version, and with another in place of what is too near to it.

    Parameters
    ----------
    chosen : ndarray of int64, shape (n,)
        Versions, ascending.
    skip : int
        Number of the entry that is left out; -1: none.
    new : int
        Version that is added; -1: none.
    gaps : ndarray of int64, shape (V,)
        Least distance from each version to the next one that is trained after it.

    Returns
    -------
    ndarray of int64

    Examples
    --------
    >>> moved(np.array([2, 5, 9]), 0, 6, np.full(10, 3))
    array([6, 9])
    """
    out = np.empty(len(chosen) + 1, dtype=np.int64)
    size, done = 0, new < 0
    for k in range(len(chosen)):
        v = chosen[k]
        if k == skip or v == new:
            continue
        if new >= 0 and ((v < new and new - v < gaps[v]) or (v > new and v - new < gaps[new])):
            continue
        if not done and v > new:
            out[size] = new
            size += 1
            done = True
        out[size] = v
        size += 1
    if not done:
        out[size] = new
        size += 1
    return out[:size]
