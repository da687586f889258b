"""Isolation trees: how few random cuts separate a row from the others."""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from mlopsim.numerics.compiled_random import below, uniform
from mlopsim.numerics.tree_descent import leaves


@njit(cache=True)
def average_path(size: float) -> float:
    """Return the average path of an unsuccessful search in a binary tree of ``size`` rows."""
    if size <= 1.0:
        return 0.0
    if size == 2.0:
        return 1.0
    return 2.0 * (math.log(size - 1.0) + 0.57721566490153286) - 2.0 * (size - 1.0) / size


@njit(cache=True)
def grow(
    X: np.ndarray,
    sample: int,
    word: np.ndarray,
    feature: np.ndarray,
    cut: np.ndarray,
    left: np.ndarray,
    path: np.ndarray,
) -> None:
    """Grow trees (B) on ``sample`` rows each of X (n, d); nodes (B, 2 * sample - 1), the root is node 0.

    ``feature[b, i]`` is -1 at a leaf, whose path length is ``path[b, i]``; else rows with a value of at most
    ``cut[b, i]`` go to node ``left[b, i]``, the others to the one behind it.
    """
    n, d = X.shape
    deepest = math.ceil(math.log2(sample)) if sample > 1 else 0
    rows, order = np.arange(n), np.arange(d)
    first, last = np.empty(2 * sample, dtype=np.int64), np.empty(2 * sample, dtype=np.int64)
    depth = np.empty(2 * sample, dtype=np.int64)
    for b in range(len(feature)):
        for i in range(sample):
            j = i + below(word, n - i)
            rows[i], rows[j] = rows[j], rows[i]
        first[0], last[0], depth[0] = 0, sample, 0
        node, nodes = 0, 1
        while node < nodes:
            start, stop = first[node], last[node]
            feature[b, node] = -1
            path[b, node] = depth[node] + average_path(stop - start)
            if depth[node] < deepest and stop - start > 1:
                # a feature among those that vary here, each as likely
                for k in range(d):
                    other = k + below(word, d - k)
                    order[k], order[other] = order[other], order[k]
                    chosen = order[k]
                    low = high = X[rows[start], chosen]
                    for i in range(start + 1, stop):
                        low, high = min(low, X[rows[i], chosen]), max(high, X[rows[i], chosen])
                    if low == high:
                        continue
                    at = low + uniform(word) * (high - low)
                    if at >= high:
                        at = low
                    middle = start
                    for i in range(start, stop):
                        # an exchange without a branch: which side a row goes to cannot be guessed
                        row, other = rows[i], rows[middle]
                        goes = X[row, chosen] <= at
                        rows[i] = other if goes else row
                        rows[middle] = row if goes else other
                        middle += goes
                    feature[b, node], cut[b, node], left[b, node] = chosen, at, nodes
                    first[nodes], last[nodes], depth[nodes] = start, middle, depth[node] + 1
                    first[nodes + 1], last[nodes + 1], depth[nodes + 1] = middle, stop, depth[node] + 1
                    nodes += 2
                    break
            node += 1


@njit(cache=True)
def measure(
    X: np.ndarray,
    typical: float,
    feature: np.ndarray,
    cut: np.ndarray,
    left: np.ndarray,
    path: np.ndarray,
    score: np.ndarray,
) -> None:
    """Write ``2 ** -(mean path / typical)`` of each row into ``score``."""
    trees = len(feature)
    score[:] = 0.0
    # tree by tree: one tree fits into the fastest cache, a hundred do not
    node = np.empty(len(X), dtype=np.int64)
    for b in range(trees):
        leaves(X, feature[b], cut[b], left[b], node)
        for i in range(len(X)):
            score[i] += path[b, node[i]]
    for i in range(len(X)):
        score[i] = 2.0 ** -(score[i] / (trees * typical))
