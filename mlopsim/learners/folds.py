"""Folds of rows, for models that judge rows that they were not trained on."""

from __future__ import annotations

import numpy as np


def stratified_folds(y: np.ndarray, folds: int, rng: np.random.Generator) -> np.ndarray:
    """Deal rows to folds at random, every class spread evenly over them.

    Parameters
    ----------
    y : ndarray of int64, shape (n,)
        Labels.
    folds : int
        As many as there are rows, if those are fewer.
    rng : Generator
        Draws one permutation.

    Returns
    -------
    ndarray of int64, shape (n,)
        The fold of each row, 0..folds-1.

    Examples
    --------
    >>> y = np.array([0, 0, 0, 0, 1, 1, 1, 1])
    >>> fold = stratified_folds(y, 4, np.random.default_rng(0))
    >>> np.bincount(fold).tolist(), np.bincount(fold[y == 1]).tolist()
    ([2, 2, 2, 2], [1, 1, 1, 1])
    """
    n = len(y)
    order = rng.permutation(n)
    order = order[np.argsort(y[order], kind="stable")]
    fold = np.empty(n, dtype=np.int64)
    fold[order] = np.arange(n) % min(folds, n)
    return fold
