"""What explainers return, and how attributions of two groups differ."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, kw_only=True)
class Attributions:
    """What each feature adds to a model's output for each row.

    Parameters
    ----------
    values : ndarray of float64, shape (n, d)
        Attribution of each feature, in the unit of the output that is explained.
    base : ndarray of float64, shape (n,)
        What the attributions are added to: the mean output over the background, or the intercept of LIME's
        local model. Infinite where a linear model never (always) answers the class that is explained.
    stderr : ndarray of float64, shape (n, d), or None
        Standard errors of ``values`` from what was drawn at random; None where nothing was drawn. Rows share
        what is drawn, so errors of different rows are not independent.

    Examples
    --------
    >>> found = Attributions(values=np.array([[0.5, -0.25]]), base=np.array([1.0]))
    >>> found.total
    array([1.25])
    """

    values: np.ndarray
    base: np.ndarray
    stderr: np.ndarray | None = None

    @property
    def total(self) -> np.ndarray:
        """Base plus attributions, shape (n,): the output itself for explainers that are ``efficient``."""
        total: np.ndarray = self.base + self.values.sum(axis=1)
        return total
