"""Tail probabilities by the empirical distribution of each column."""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True)
def below(column: np.ndarray, value: float, through: bool) -> int:
    """Return how many of the rising values are below a value, or at most it if ``through``."""
    first, size = 0, len(column)
    # halving without a branch that depends on the data
    while size > 0:
        half = size // 2
        at = column[first + half]
        goes = at < value or (through and at == value)
        first = first + half + 1 if goes else first
        size = size - half - 1 if goes else half
    return first


@njit(cache=True)
def measure(columns: np.ndarray, even: np.ndarray, log: np.ndarray, X: np.ndarray, score: np.ndarray) -> None:
    """Write the sum over the columns of each row's larger tail score into ``score`` (n,).

    Parameters
    ----------
    columns : ndarray of float64, shape (d, m)
        Reference values, rising.
    even : ndarray of bool, shape (d,)
        Columns without skewness, where both tails are added up.
    log : ndarray of float64, shape (m + 1,)
        Minus the logarithms of ``(i + 1) / (m + 1)``.
    X : ndarray of float64, shape (n, d)
    score : ndarray of float64, shape (n,)
    """
    d, m = columns.shape
    score[:] = 0.0
    # column by column: one column fits into the fastest cache
    for j in range(d):
        column = columns[j]
        for i in range(len(X)):
            value = X[i, j]
            under = below(column, value, False)
            through = under
            if under < m and column[under] == value:
                through = below(column, value, True)
            left, right = log[through], log[m - under]
            score[i] += left + right if even[j] else max(left, right)
