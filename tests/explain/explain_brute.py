"""Shapley values by the definition, over all subsets, written as plainly as can be."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable

import numpy as np

Value = Callable[[tuple[int, ...]], float]


def shapley(value: Value, d: int) -> np.ndarray:
    """Return the Shapley values (d,) of a game on features 0..d-1."""
    worth = {S: value(S) for k in range(d + 1) for S in itertools.combinations(range(d), k)}
    found = np.zeros(d)
    for S in worth:
        for j in set(range(d)) - set(S):
            weight = math.factorial(len(S)) * math.factorial(d - len(S) - 1) / math.factorial(d)
            found[j] += weight * (worth[tuple(sorted((*S, j)))] - worth[S])
    return found


def interventional(
    f: Callable[[np.ndarray], np.ndarray], X: np.ndarray, background: np.ndarray
) -> np.ndarray:
    """Return Shapley values (n, d) of the mean of f with unknown features from each background row."""

    def of_row(x: np.ndarray) -> np.ndarray:
        def value(S: tuple[int, ...]) -> float:
            mixed = background.copy()
            mixed[:, S] = x[list(S)]
            return float(f(mixed).mean())

        return shapley(value, len(x))

    return np.array([of_row(x) for x in X])


def conditional(w: np.ndarray, x: np.ndarray, mean: np.ndarray, covariance: np.ndarray) -> np.ndarray:
    """Return Shapley values (d,) of E[w x | x_S] for normal features."""

    def value(S: tuple[int, ...]) -> float:
        known = list(S)
        filled = mean.copy()
        if known:
            inside = covariance[np.ix_(known, known)]
            filled = mean + covariance[:, known] @ np.linalg.solve(inside, (x - mean)[known])
            filled[known] = x[known]
        return float(w @ filled)

    return shapley(value, len(x))
