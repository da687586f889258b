"""Gaussian kernel on rows with the median heuristic."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from mlopsim.numerics.scaling import Scaling


def thinned(rows: np.ndarray, most: int) -> np.ndarray:
    """Return at most so many rows, evenly spaced in time.

    Examples
    --------
    >>> thinned(np.arange(10.0)[:, None], 4).ravel().tolist()
    [0.0, 2.0, 5.0, 7.0]
    """
    n = len(rows)
    return rows if n <= most else rows[np.arange(most) * n // most]


@dataclass(frozen=True, kw_only=True)
class Rbf:
    """The kernel ``exp(-gamma |x - y|^2)`` of scaled rows, and the reference rows that it was fitted to.

    ``gamma = 1 / (2 s^2)``, s^2 the median squared distance of two different reference rows (Gretton et al.
    2012); of the positive ones if that is 0; 1 if there are none.

    Parameters
    ----------
    scaling : Scaling
        Of the features, to mean 0 and standard deviation 1 in the reference.
    points : ndarray of float64, shape (d, m)
        Scaled reference rows, as columns.
    gamma : float
        Of the kernel.
    kernel : ndarray of float64, shape (m, m)
        Of the reference rows.
    most : int
        Rows that are looked at in the reference and in a window (see :func:`thinned`).
    """

    scaling: Scaling
    points: np.ndarray
    gamma: float
    kernel: np.ndarray
    most: int

    @classmethod
    def fit(cls, rows: np.ndarray, most: int) -> Self:
        """Fit scaling and width to reference rows, float64 (n, d)."""
        from mlopsim.numerics.squared_distances import squares

        scaling = Scaling.standard(rows)
        points = np.ascontiguousarray(scaling.apply(thinned(rows, most)).T)
        m = points.shape[1]
        apart = np.empty((m, m))
        squares(points, points, apart)
        pairs = apart[np.triu_indices(m, 1)]
        width = float(np.median(pairs)) if len(pairs) else 0.0
        if width == 0.0:
            positive = pairs[pairs > 0.0]
            width = float(np.median(positive)) if len(positive) else 1.0
        gamma = 0.5 / width
        return cls(scaling=scaling, points=points, gamma=gamma, kernel=np.exp(-gamma * apart), most=most)

    def columns(self, window: np.ndarray) -> np.ndarray:
        """Return the scaled rows of a window (r, d) that are looked at, as columns (d, n)."""
        return np.ascontiguousarray(self.scaling.apply(thinned(window, self.most)).T)
