"""Distance of rows from the plane of the leading components."""

from __future__ import annotations

import math

import numpy as np
from numba import njit


@njit(cache=True)
def residuals(X: np.ndarray, left_out: np.ndarray, score: np.ndarray) -> None:
    """Write the length of each row of X (n, d) along the components (e, d) that were left out."""
    for i in range(len(X)):
        total = 0.0
        for c in range(len(left_out)):
            along = 0.0
            for k in range(X.shape[1]):
                along += X[i, k] * left_out[c, k]
            total += along * along
        score[i] = math.sqrt(total)
