"""Rows that are equal in every feature, and a split into rows to train on and to audit that minds them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

import numpy as np

from mlopsim.core.errors import DataError
from mlopsim.learners.folds import stratified_folds

#: different rows on each side, below which equal ones cannot be told from copies
FEWEST = 10
#: how far the share that is trained on may be from what was asked
FAR = 0.1


class Copies(Enum):
    """Where rows go that are equal in every feature.

    ``TOGETHER``: to one side of the split, as copies must: a model knows by heart what is said of a copy.
    ``ANYWHERE``: as all others, for data in which equal rows are other people (few columns, few values).
    """

    TOGETHER = "together"
    ANYWHERE = "anywhere"


@dataclass(frozen=True, kw_only=True)
class Split:
    """Which rows are trained on and which are audited.

    Parameters
    ----------
    order : ndarray of int64, shape (m,)
        Rows in the order in which they are used: first those to train on.
    cut : int
        Number of rows to train on.
    same : ndarray of int64, shape (m,)
        Of each row in this order the number of what it is a copy of: equal rows have one number.
    repeated : int
        Rows of the data that are equal to an earlier one.
    across : int
        Audited rows that are equal to a row that is trained on.
    left_out : int
        Rows that are not used: in time order those that come after their copy was trained on.
    """

    order: np.ndarray
    cut: int
    same: np.ndarray
    repeated: int
    across: int
    left_out: int

    @property
    def known(self) -> np.ndarray:
        """Whether each audited row is equal to a row that was trained on, bool (m - cut,)."""
        return np.isin(self.same[self.cut :], self.same[: self.cut])


def distinct(X: np.ndarray) -> np.ndarray:
    """Return a number for each row, int64 (n,): equal rows have the same, in order of appearance.

    Parameters
    ----------
    X : ndarray of float64, shape (n, d)
        Missing values (NaN) are equal to one another, and so are 0 and -0.

    Examples
    --------
    >>> distinct(np.array([[2.0, np.nan], [1.0, 5.0], [2.0, np.nan], [1.0, 6.0]]))
    array([0, 1, 0, 2])
    """
    n, d = X.shape
    if not d:
        return np.zeros(n, dtype=np.int64)
    plain = np.ascontiguousarray(np.where(np.isnan(X), np.nan, X + 0.0))
    _, first, which = np.unique(plain.view(f"V{8 * d}").ravel(), return_index=True, return_inverse=True)
    rank = np.empty(len(first), dtype=np.int64)
    rank[np.argsort(first, kind="stable")] = np.arange(len(first))
    found: np.ndarray = rank[which.reshape(n)]
    return found


def split_rows(
    X: np.ndarray,
    share: float,
    rng: np.random.Generator,
    *,
    ordered: bool = False,
    copies: Copies = Copies.TOGETHER,
) -> Split:
    """Split rows into those to train on and those to audit.

    Rows are shuffled, and copies follow the first of them; in time order copies of what was trained on are
    left out of the audit instead. Without equal rows all of this changes nothing.

    Parameters
    ----------
    X : ndarray of float64, shape (n, d)
        What the model sees of the rows.
    share : float
        Of the rows to train on.
    rng : Generator
    ordered : bool, default False
        Train on the first rows, audit the last, instead of shuffled ones.
    copies : Copies, default together

    Raises
    ------
    DataError
        If there are too few rows, or too few different ones to split them as asked.

    Examples
    --------
    >>> X = np.repeat(np.arange(30.0), 3)[:, None]
    >>> anywhere = split_rows(X, 0.6, np.random.default_rng(0), copies=Copies.ANYWHERE)
    >>> together = split_rows(X, 0.6, np.random.default_rng(0))
    >>> anywhere.repeated, anywhere.across, together.across, together.cut
    (60, 33, 0, 54)
    """
    n = len(X)
    same = distinct(X)
    repeated = n - (int(same.max()) + 1 if n else 0)
    order = np.arange(n, dtype=np.int64)
    if not ordered:
        order = rng.permutation(n).astype(np.int64)
    cut = round(share * n)
    left_out = 0
    if copies is Copies.TOGETHER and repeated:
        if ordered:
            again = np.isin(same[cut:], same[:cut])
            left_out = int(again.sum())
            order = np.concatenate([order[:cut], order[cut:][~again]])
        else:
            # sets in the order of the first of their rows, each whole
            first = distinct(same[order].astype(np.float64)[:, None])
            order = order[np.argsort(first, kind="stable")]
            ends = np.flatnonzero(np.diff(same[order], append=-1)) + 1
            cut = int(ends[np.abs(ends - cut).argmin()])
    used = len(order)
    few = cut < 2 or used - cut < 2
    if few and not (repeated and copies is Copies.TOGETHER):
        raise DataError(f"{n} rows are too few to train on some and audit others", remedy="use more rows")
    kept = copies is Copies.TOGETHER and repeated > 0
    sides = [len(np.unique(same[side])) for side in (order[:cut], order[cut:])]
    if kept and (few or min(sides) < FEWEST or (not ordered and abs(cut / n - share) > FAR)):
        raise DataError(
            f"the {n:,} rows are {n - repeated:,} different ones: with equal rows on one side of the split "
            f"{cut:,} ({sides[0]:,} different ones) can be trained on and {used - cut:,} ({sides[1]:,}) "
            f"audited, where a share of {share:g} to train on was asked",
            remedy="--copies anywhere, if equal rows are other people and no copies",
        )
    mine = same[order]
    across = int(np.isin(mine[cut:], mine[:cut]).sum())
    return Split(order=order, cut=cut, same=mine, repeated=repeated, across=across, left_out=left_out)


def folds(y: np.ndarray, same: np.ndarray, parts: int, rng: np.random.Generator) -> np.ndarray:
    """Return a fold of each row, int64 (n,), each with its share of the labels; equal rows are in one.

    Parameters
    ----------
    y : ndarray of int64, shape (n,)
        Of equal rows the label of the first is minded.
    same : ndarray of int64, shape (n,)
        As of :class:`Split`.
    parts : int
    rng : Generator

    Examples
    --------
    >>> fold = folds(np.zeros(6, dtype=np.int64), np.array([7, 7, 3, 3, 9, 8]), 2, np.random.default_rng(0))
    >>> bool(fold[0] == fold[1] and fold[2] == fold[3]), np.unique(fold)
    (True, array([0, 1]))
    """
    kind = distinct(same.astype(np.float64)[:, None])
    _, first = np.unique(kind, return_index=True)
    found: np.ndarray = stratified_folds(y[first], parts, rng)[kind]
    return found
