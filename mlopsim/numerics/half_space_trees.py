"""Half-space trees: the mass of reference rows around a row."""

from __future__ import annotations

import numpy as np
from numba import njit

from mlopsim.numerics.compiled_random import below, uniform
from mlopsim.numerics.tree_descent import leaves


@njit(cache=True)
def grow(
    X: np.ndarray,
    height: int,
    least: float,
    word: np.ndarray,
    feature: np.ndarray,
    cut: np.ndarray,
    left: np.ndarray,
    mass: np.ndarray,
) -> None:
    """Grow trees (B) over X (n, d), scaled to [0, 1]; the root is node 0.

    A node is divided where it holds more than ``least`` rows and is less than ``height`` deep; elsewhere a
    search would stop, so that what the full tree has below it is never asked for. ``feature[b, i]`` is -1 at
    a leaf, with ``mass[b, i]`` = its rows times 2 to the power of its depth; else rows with a value below
    ``cut[b, i]`` go to node ``left[b, i]``, the others to the one behind it. Nodes: at least 1 + 2 * height *
    (number of nodes of one depth that can be divided).
    """
    n, d = X.shape
    size = feature.shape[1]
    rows = np.arange(n)
    first, last = np.empty(size, dtype=np.int64), np.empty(size, dtype=np.int64)
    depth = np.empty(size, dtype=np.int64)
    low, high = np.empty((size, d)), np.empty((size, d))
    for b in range(len(feature)):
        for k in range(d):
            centre = uniform(word)
            half = 2.0 * max(centre, 1.0 - centre)
            low[0, k], high[0, k] = centre - half, centre + half
        first[0], last[0], depth[0] = 0, n, 0
        node, nodes = 0, 1
        while node < nodes:
            start, stop = first[node], last[node]
            feature[b, node] = -1
            mass[b, node] = (stop - start) * 2.0 ** depth[node]
            if depth[node] < height and stop - start > least:
                chosen = below(word, d)
                at = 0.5 * (low[node, chosen] + high[node, chosen])
                middle = start
                for i in range(start, stop):
                    row, other = rows[i], rows[middle]
                    goes = X[row, chosen] < at
                    rows[i] = other if goes else row
                    rows[middle] = row if goes else other
                    middle += goes
                feature[b, node], cut[b, node], left[b, node] = chosen, at, nodes
                first[nodes], last[nodes] = start, middle
                first[nodes + 1], last[nodes + 1] = middle, stop
                for child in range(nodes, nodes + 2):
                    depth[child] = depth[node] + 1
                    low[child], high[child] = low[node], high[node]
                high[nodes, chosen] = low[nodes + 1, chosen] = at
                nodes += 2
            node += 1


@njit(cache=True)
def measure(
    X: np.ndarray,
    feature: np.ndarray,
    cut: np.ndarray,
    left: np.ndarray,
    mass: np.ndarray,
    score: np.ndarray,
) -> None:
    """Write the sum of masses over the trees of each row into ``score``."""
    score[:] = 0.0
    node = np.empty(len(X), dtype=np.int64)
    least = np.empty(cut.shape[1])
    for b in range(len(feature)):
        for i in range(cut.shape[1]):
            # a value on the cut goes on: it is above the number before it
            least[i] = np.nextafter(cut[b, i], -np.inf)
        leaves(X, feature[b], least, left[b], node)
        for i in range(len(X)):
            score[i] += mass[b, node[i]]
