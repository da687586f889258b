"""Rows as if they belonged to another group."""

from __future__ import annotations

import numpy as np

from mlopsim.fairness.rates import LEAST


def telling(
    X: np.ndarray, group: np.ndarray, bounds: np.ndarray, groups: int, *, least: int = LEAST
) -> np.ndarray:
    """Return the column that tells the groups best, window by window, int64 (T,).

    The one with the largest Kolmogorov-Smirnov distance, in standard errors, between the rows of some group
    and all others, the first of equals; groups with too few rows are left out; -1 where there are not two
    others.

    Parameters
    ----------
    X : ndarray of float64, shape (n, d)
    group : ndarray of int64, shape (n,)
        0..groups-1.
    bounds : ndarray of int64, shape (T + 1,)
        Rows of the windows.
    groups : int
    least : int, default 5
        Rows below which a group is left out.

    Examples
    --------
    >>> X = np.array([[0.0, 5.0], [1.0, 6.0], [0.0, 8.0], [1.0, 9.0]])
    >>> telling(X, np.array([0, 0, 1, 1]), np.array([0, 4]), 2, least=2)
    array([1])
    """
    from mlopsim.fairness.kernels.segments import distances

    sizes = np.diff(bounds)
    if groups < 2:
        return np.full(len(sizes), -1, dtype=np.int64)
    counts = _counts(group, sizes, groups)
    gaps = np.zeros((len(sizes), groups, X.shape[1]), dtype=np.int64)
    rows = np.ascontiguousarray(X.T, dtype=np.float64)
    distances(rows, np.ascontiguousarray(group), bounds.astype(np.int64), counts, gaps)
    pairs = counts * (sizes[:, None] - counts)
    # the distance times the root of n m / (n + m)
    error = np.sqrt(np.maximum(pairs, 1) * np.maximum(sizes, 1)[:, None])
    kept = counts >= least
    told = np.where(kept[:, :, None], gaps / error[:, :, None], 0.0).max(axis=1)
    found: np.ndarray = np.where(kept.sum(axis=1) > 1, told.argmax(axis=1), -1)
    return found


def moved(
    X: np.ndarray,
    group: np.ndarray,
    bounds: np.ndarray,
    groups: int,
    column: np.ndarray | None = None,
    *,
    least: int = LEAST,
) -> np.ndarray:
    """Return rows of which, window by window, the column that tells the groups best is another group's.

    A value becomes the one that stands at the same place among the values of the next group (the last one's
    next is the first): nobody's rank within the group changes. Groups with too few rows are left out: their
    rows stay, and nobody gets their values.

    Parameters
    ----------
    X : ndarray of float64, shape (n, d)
    group : ndarray of int64, shape (n,)
        0..groups-1.
    bounds : ndarray of int64, shape (T + 1,)
        Rows of the windows.
    groups : int
        G; with one group nothing changes.
    column : ndarray of int64, shape (T,), optional
        Another column of each window, -1 for none; default: see :func:`telling`.
    least : int, default 5
        Rows below which a group is left out.

    Returns
    -------
    ndarray of float64, shape (n, d)
        Windows that have not two groups with enough rows are as they were.

    Examples
    --------
    >>> X = np.array([[0.0, 5.0], [1.0, 6.0], [0.0, 8.0], [1.0, 9.0]])
    >>> moved(X, np.array([0, 0, 1, 1]), np.array([0, 4]), 2, least=2)
    array([[0., 8.],
           [1., 9.],
           [0., 5.],
           [1., 6.]])
    """
    from mlopsim.fairness.kernels.flipping import move

    out = np.array(X, dtype=np.float64)
    if groups < 2:
        return out
    counts = _counts(group, np.diff(bounds), groups)
    chosen = telling(X, group, bounds, groups, least=least) if column is None else column
    rows = np.ascontiguousarray(X, dtype=np.float64)
    move(rows, np.ascontiguousarray(group), bounds.astype(np.int64), counts, chosen, least, out)
    return out


def flipped_rows(
    Z: np.ndarray,
    group: np.ndarray,
    groups: int,
    source: np.ndarray,
    score: np.ndarray,
    *,
    least: int = LEAST,
) -> np.ndarray:
    """Return rows of which the feature with the column that tells the groups best is another group's.

    All columns of a feature change together, from those of one row to those of another: a category becomes
    one that there is, however categories are called. Categories are ranked by the mean score of their rows,
    so that the same place is the same standing; no category is one of them.

    Parameters
    ----------
    Z : ndarray of float64, shape (n, d')
        Columns as the model sees them.
    group : ndarray of int64, shape (n,)
    groups : int
    source : ndarray of int64, shape (d',)
        Which feature a column comes from.
    score : ndarray of float64, shape (n,)
        Of the rows as they are.
    least : int, default 5
        Rows below which a group is left out.

    Examples
    --------
    >>> Z = np.array([[1.0, 0.0, 7.0], [1.0, 0.0, 8.0], [0.0, 1.0, 7.0], [0.0, 1.0, 9.0]])
    >>> flipped_rows(Z, np.array([0, 0, 1, 1]), 2, np.array([0, 0, 1]), np.arange(4.0), least=2)
    array([[0., 1., 7.],
           [0., 1., 8.],
           [1., 0., 7.],
           [1., 0., 9.]])
    """
    bounds = np.array([0, len(Z)])
    (column,) = telling(Z, group, bounds, groups, least=least)
    other = Z.copy()
    if column < 0:
        return other
    columns = np.flatnonzero(source == source[column])
    kinds, which = np.unique(Z[:, columns], axis=0, return_inverse=True)
    which = which.reshape(len(Z))
    # a number stands for itself
    place = kinds[:, 0] if len(columns) == 1 else np.bincount(which, score) / np.bincount(which)
    order = np.argsort(place, kind="stable")
    rank = np.empty(len(kinds))
    rank[order] = np.arange(len(kinds))
    ranked = moved(rank[which][:, None], group, bounds, groups, np.zeros(1, dtype=np.int64), least=least)
    other[:, columns] = kinds[order[ranked[:, 0].astype(np.int64)]]
    return other


def _counts(group: np.ndarray, sizes: np.ndarray, groups: int) -> np.ndarray:
    """Return rows of each group in windows of these sizes, int64 (T, G)."""
    place = np.repeat(np.arange(len(sizes)), sizes) * groups + group
    found = np.bincount(place, minlength=len(sizes) * groups)
    return found.reshape(len(sizes), groups).astype(np.int64)
