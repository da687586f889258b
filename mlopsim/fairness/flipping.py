"""Rows as if they belonged to another group."""

from __future__ import annotations

import numpy as np


def moved(X: np.ndarray, group: np.ndarray, bounds: np.ndarray, groups: int) -> np.ndarray:
    """Return rows of which, window by window, the column that tells the groups best is another group's.

    That column is the one with the largest Kolmogorov-Smirnov distance between the rows of some group and all
    others. A value becomes the one that stands at the same place among the values of the next group (the last
    one's next is the first): nobody's rank within the group changes.

    Parameters
    ----------
    X : ndarray of float64, shape (n, d)
    group : ndarray of int64, shape (n,)
        0..groups-1.
    bounds : ndarray of int64, shape (T + 1,)
        Rows of the windows.
    groups : int
        G; with one group nothing changes.

    Returns
    -------
    ndarray of float64, shape (n, d)
        Windows in which a group has no rows are as they were.

    Examples
    --------
    >>> X = np.array([[0.0, 5.0], [1.0, 6.0], [0.0, 8.0], [1.0, 9.0]])
    >>> moved(X, np.array([0, 0, 1, 1]), np.array([0, 4]), 2)
    array([[0., 8.],
           [1., 9.],
           [0., 5.],
           [1., 6.]])
    """
    from mlopsim.fairness.kernels.flipping import move
    from mlopsim.fairness.kernels.segments import distances

    out = np.array(X, dtype=np.float64)
    if groups < 2:
        return out
    windows, bounds = len(bounds) - 1, bounds.astype(np.int64)
    sizes = np.diff(bounds)
    place = np.repeat(np.arange(windows), sizes) * groups + group
    counts = np.bincount(place, minlength=windows * groups).reshape(windows, groups).astype(np.int64)
    group = np.ascontiguousarray(group)
    gaps = np.zeros((windows, groups, X.shape[1]), dtype=np.int64)
    distances(np.ascontiguousarray(X.T), group, bounds, counts, gaps)
    pairs = counts * (sizes[:, None] - counts)
    told = (gaps / np.maximum(pairs, 1)[:, :, None]).max(axis=1)
    column = np.where(counts.min(axis=1) > 0, told.argmax(axis=1), -1)
    move(np.ascontiguousarray(X), group, bounds, counts, column, out)
    return out
