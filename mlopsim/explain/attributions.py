"""What explainers return, and how attributions of two groups differ."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mlopsim.core.errors import DataError


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


def group_gap(
    values: np.ndarray, g: np.ndarray, *, one: int = 1, other: int = 0, bounds: np.ndarray | None = None
) -> np.ndarray:
    """Return how much more a group's rows get from each feature than another group's rows, on average.

    The features' gaps add up to the gap of the groups' mean outputs wherever the attributions of a row add up
    to its output.

    Parameters
    ----------
    values : ndarray of float64, shape (..., n, d)
        Attributions, of one model or of many.
    g : ndarray of int, shape (n,)
        Group of each row.
    one, other : int, default 1 and 0
        Mean over the rows of ``one`` minus mean over those of ``other``.
    bounds : ndarray of int64, shape (T + 1,), optional
        Window t holds the rows ``bounds[t]:bounds[t + 1]``; without it all rows are one window.

    Returns
    -------
    ndarray of float64, shape (..., d), or (..., T, d) with ``bounds``
        NaN where a window has no row of one of the groups.

    Raises
    ------
    DataError
        If shapes disagree.

    Examples
    --------
    >>> values = np.array([[1.0, 0.0], [3.0, 0.5], [1.0, 0.0], [9.0, 9.0]])
    >>> group_gap(values[:3], np.array([0, 1, 0]))
    array([2. , 0.5])
    >>> group_gap(values, np.array([0, 1, 0, 2]), bounds=np.array([0, 2, 4]))
    array([[2. , 0.5],
           [nan, nan]])
    """
    g = np.asarray(g)
    n = values.shape[-2] if values.ndim >= 2 else -1
    if g.shape != (n,):
        raise DataError(f"shapes disagree: attributions {values.shape}, groups {g.shape}")
    edges = np.array([0, n]) if bounds is None else np.asarray(bounds)
    if edges.ndim != 1 or len(edges) < 2 or edges[0] < 0 or edges[-1] > n or (np.diff(edges) < 0).any():
        raise DataError(f"the windows' bounds do not cut {n} rows")
    gap = _means(values, g == one, edges) - _means(values, g == other, edges)
    result: np.ndarray = gap[..., 0, :] if bounds is None else gap
    return result


def _means(values: np.ndarray, member: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """Return means (..., T, d) over the rows of a group in each window, NaN without rows."""
    places = np.flatnonzero(member)
    # rows of the group before each window: the group's own bounds
    at = np.searchsorted(places, edges)
    count = np.diff(at)
    filled = np.flatnonzero(count)
    result = np.full((*values.shape[:-2], len(count), values.shape[-1]), np.nan)
    if len(filled):
        mine = values[..., places[at[0] : at[-1]], :]
        # windows without rows have no width: the sums of the others still end where the next one starts
        sums = np.add.reduceat(mine, at[filled] - at[0], axis=-2)
        result[..., filled, :] = sums / count[filled][:, None]
    return result
