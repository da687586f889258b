"""Rows walk down binary trees."""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True)
def leaves(X: np.ndarray, feature: np.ndarray, cut: np.ndarray, left: np.ndarray, node: np.ndarray) -> None:
    """Write the leaf of one tree that each row of X (n, d) ends in into ``node`` (n,), int64.

    Rows with a value of at most ``cut[i]`` in feature ``feature[i]`` go from node i to ``left[i]``, others to
    the one behind it; ``feature[i]`` is -1 at a leaf. All rows take a step at once: the steps of a row wait
    for each other, those of different rows do not, and no branch has to be guessed.
    """
    size = len(feature)
    asked, least, to = np.empty(size, np.int64), np.empty(size), np.empty(size, np.int64)
    for i in range(size):
        leaf = feature[i] < 0
        # a leaf leads to itself
        asked[i] = 0 if leaf else feature[i]
        least[i] = np.inf if leaf else cut[i]
        to[i] = i if leaf else left[i]
    node[:] = 0
    on_the_way = size > 1
    while on_the_way:
        on_the_way = False
        for i in range(len(X)):
            at = node[i]
            after = to[at] + (X[i, asked[at]] > least[at])
            on_the_way |= after != at
            node[i] = after
