"""Which group, and which rate or feature, the numbers of an audit belong to; and the words for gaps.

The gap of a group is its rate (or mean) less that of all others together: below 0 the group has less. With
two groups the other one is all others, and both gaps are one; of them the one below 0 is named. This is the
only gap in statistics, tables, pages and texts; the *spread* is largest less smallest rate of a group, which
is what customary rules ask, and the *ratio* is lower by higher rate of two groups.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

#: the definitions, as pages and docs print them
GAP = "the group less all others together (with two groups: less the other one); below 0 the group has less"
SPREAD = "largest less smallest rate of a group"
RATIO = "lower by higher rate of two groups"
#: relative difference below which two numbers are one
ROUNDING = 1e-9


@dataclass(frozen=True, kw_only=True)
class Named:
    """What the statistic, the score, the p-value and the blame of each window belong to.

    Parameters
    ----------
    group : ndarray of int64, shape (T,)
        The group; -1: none, as where there are not enough data, or where rows of all groups are meant.
    against : ndarray of int64, shape (T,), or None
        The group that it is compared with; -1, and None for all windows: all others together.
    part : ndarray of int64, shape (T,), or None
        Number of the rate or feature, -1 for none; None: there is one only.
    parts : tuple of str
        What rates or features are called.
    counts : ndarray of int64, shape (T, 4), or None
        Hits and rows of the group, then of what it is compared with, where the statistic is made of them.
    """

    group: np.ndarray
    against: np.ndarray | None = None
    part: np.ndarray | None = None
    parts: tuple[str, ...] = ()
    counts: np.ndarray | None = None


def worst_place(score: np.ndarray, gap: np.ndarray) -> np.ndarray:
    """Return which of H comparisons has the largest score, int64 (T,); -1 where there is none.

    Of equal ones the one with the least gap: whatever is called the first, of two groups it is the one that
    has less.

    Parameters
    ----------
    score : ndarray of float64, shape (T, H)
        NaN: not compared.
    gap : ndarray of float64, shape (T, H)

    Examples
    --------
    >>> score = np.array([[2.0, 2.0], [1.0, 3.0], [np.nan, np.nan]])
    >>> worst_place(score, np.array([[0.3, -0.3], [0.1, 0.2], [0.0, 0.0]]))
    array([ 1,  1, -1])
    """
    known = ~np.isnan(score)
    filled = np.where(known, score, -np.inf)
    top = filled.max(axis=1, initial=-np.inf)[:, None]
    # where nothing is known the top is no number to compare with
    near = known & (filled >= top - ROUNDING * np.abs(np.where(np.isinf(top), 0.0, top)))
    place = np.where(near, np.nan_to_num(gap, nan=np.inf), np.inf).argmin(axis=1) if score.shape[1] else 0
    found: np.ndarray = np.where(known.any(axis=1), place, -1).astype(np.int64)
    return found


def entry(values: np.ndarray, place: np.ndarray) -> np.ndarray:
    """Return the entries of values (T, H, ...) at the places (T,); NaN, or 0 of whole numbers, at -1.

    Examples
    --------
    >>> entry(np.array([[0.1, 0.2], [0.3, 0.4]]), np.array([1, -1]))
    array([0.2, nan])
    """
    nothing = np.nan if values.dtype.kind == "f" else 0
    if values.shape[1] == 0:
        return np.full((len(values), *values.shape[2:]), nothing, dtype=values.dtype)
    found = values[np.arange(len(values)), np.maximum(place, 0)]
    lost = (place < 0).reshape(-1, *[1] * (found.ndim - 1))
    out: np.ndarray = np.where(lost, np.asarray(nothing, dtype=values.dtype), found)
    return out
