"""Squared distances between points, compiled."""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True)
def squares(one: np.ndarray, other: np.ndarray, out: np.ndarray) -> None:
    """Write the squared distances (m, n) of points given as columns: (d, m) and (d, n)."""
    out[:] = 0.0
    for i in range(one.shape[1]):
        for f in range(one.shape[0]):
            at = one[f, i]
            for j in range(other.shape[1]):
                gap = other[f, j] - at
                out[i, j] += gap * gap
