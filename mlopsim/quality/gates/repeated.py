"""Rows that have come before."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from mlopsim.core.registry import register
from mlopsim.quality.gate import Gate, Rows, Stage


@register("gate", "repeated")
@dataclass(kw_only=True)
class Repeated(Gate):
    r"""How often a row has come before, features and label alike: batches that are sent twice.

    Values are compared as received, exactly, with all rows before; a missing value equals a missing value.
    Nothing is learnt. Where few values are possible rows repeat by themselves, and the more of them have come
    the more often: the limit of a row is by how often clean rows that are held back would have come before in
    its place. Counts tie, so that fewer clean rows are flagged than asked for.

    .. math:: \#\{j < i : x_j = x_i, y_j = y_i\}

    Parameters
    ----------
    alpha : float, default 0.05
        Share of clean rows that are flagged at most.
    action : Action or None
        What is done with flagged rows; None: ``drop``.

    Notes
    -----
    Use it for batches that are sent twice; not for data of few possible values, where equal rows are no
    error.

    Examples
    --------
    >>> X = np.array([[0.0], [5.0], [0.0], [np.nan], [0.0], [np.nan]])
    >>> rows = Rows(X=X, Z=np.nan_to_num(X), y=np.zeros(6, np.int64), n_classes=2, features=("a",))
    >>> Repeated().score(None, rows)
    array([0., 0., 1., 0., 2., 1.])
    """

    stages: ClassVar[tuple[Stage, ...]] = (Stage.PREPROCESS,)
    by_order: ClassVar[bool] = True
    uses_labels: ClassVar[bool] = True
    family: ClassVar[str] = "duplicate check"

    def learn(self, reference: Rows, rng: np.random.Generator) -> Any:
        """Return nothing."""
        return None

    def score(self, learned: Any, rows: Rows) -> np.ndarray:
        """Return how many rows before each one equal it, float64 (n,)."""
        if not len(rows):
            return np.empty(0)
        kind = _kinds(rows)
        order = np.argsort(kind, kind="stable")
        first = np.r_[0, np.flatnonzero(np.diff(kind[order])) + 1]
        count = np.arange(len(kind)) - np.repeat(first, np.diff(np.r_[first, len(kind)]))
        found = np.empty(len(kind))
        found[order] = count
        return found

    def beside(self, learned: Any, rows: Rows, held: Rows, before: Rows) -> tuple[np.ndarray, np.ndarray]:
        """Return how often rows have come before, and how often rows held back would have in their place.

        Both are counted among all that has come, the rows held back too: a row held back equals so many
        others of them and of the row in question. So all are exchangeable.
        """
        kind = _kinds(before.joined(held).joined(rows))
        past, now = np.split(kind, [len(before) + len(held)])
        aside = past[len(before) :]
        count = np.bincount(past, minlength=int(kind.max(initial=0)) + 1).astype(np.float64)
        equal = now[:, None] == aside
        score = self.score(learned, before.joined(held).joined(rows))[len(past) :]
        return score, count[aside] - 1.0 + np.cumsum(equal, axis=0)


def _kinds(rows: Rows) -> np.ndarray:
    """Return a number of each row, int64 (n,), the same for rows that are equal."""
    # -0.0 equals 0.0, and one NaN the other
    values = np.column_stack([rows.X, rows.y]) + 0.0
    values[np.isnan(values)] = np.nan
    whole = np.ascontiguousarray(values).view(np.dtype((np.void, values.itemsize * values.shape[1])))
    found: np.ndarray = np.unique(whole.ravel(), return_inverse=True)[1]
    return found
