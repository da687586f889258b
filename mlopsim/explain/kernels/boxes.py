"""Exact Shapley values of trees against a background, leaf by leaf.

A leaf is a box: ``low_b < x_f <= high_b`` for each of the k features on its path. Put features of x and of a
background row z together: the leaf is reached if every feature comes from the one whose value lies inside. So
all that matters of x and of z is which of the k conditions each fulfils. With a conditions that only x
fulfils and b that only z does (and none that neither does), a feature of the first kind gets ``value (a-1)!
b! / (a+b)!``, one of the second ``-value a! (b-1)! / (a+b)!``. Background rows are counted by their pattern
of k bits, so that rows and background rows are never paired.
"""

from __future__ import annotations

import numpy as np
from numba import njit

#: most conditions of a leaf for which a table over all patterns is made; beyond, patterns that occur are
#: paired
TABLE = 8
#: most conditions of a leaf at all (bits of a pattern)
BITS = 62


@njit(cache=True)
def cut(
    left: np.ndarray,
    right: np.ndarray,
    feature: np.ndarray,
    threshold: np.ndarray,
    value: np.ndarray,
    d: int,
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return the boxes of the leaves of all trees.

    Parameters
    ----------
    left, right : ndarray of int64, shape (N,)
        Children of each node, -1 for a leaf; x goes left if ``x[feature] <= threshold``.
    feature : ndarray of int64, shape (N,)
    threshold, value : ndarray of float64, shape (N,)
    d : int
        Number of features.

    Returns
    -------
    start : ndarray of int64, shape (leaves + 1,)
        Leaf l has the conditions ``start[l]:start[l + 1]``.
    on, low, high : ndarrays, shape (conditions,)
        Feature and bounds of each condition.
    worth : ndarray of float64, shape (leaves,)
        Value of each leaf that is not 0.
    """
    nodes = len(left)
    parent = np.full(nodes, -1, dtype=np.int64)
    leaves = 0
    for i in range(nodes):
        if left[i] >= 0:
            parent[left[i]], parent[right[i]] = i, i
        elif value[i] != 0.0:
            leaves += 1
    start = np.zeros(leaves + 1, dtype=np.int64)
    worth = np.empty(leaves)
    size = 16 * leaves + 16
    on, low, high = np.empty(size, dtype=np.int64), np.empty(size), np.empty(size)
    slot = np.full(d, -1, dtype=np.int64)
    at, leaf = 0, 0
    for i in range(nodes):
        if left[i] >= 0 or value[i] == 0.0:
            continue
        first = at
        child, node = i, parent[i]
        while node >= 0:
            f = feature[node]
            if slot[f] < 0:
                if at == len(on):
                    on = np.concatenate((on, np.empty_like(on)))
                    low, high = (
                        np.concatenate((low, np.empty_like(low))),
                        np.concatenate((high, np.empty_like(high))),
                    )
                slot[f] = at
                on[at], low[at], high[at] = f, -np.inf, np.inf
                at += 1
            c = slot[f]
            if left[node] == child:
                high[c] = min(high[c], threshold[node])
            else:
                low[c] = max(low[c], threshold[node])
            child, node = node, parent[node]
        for c in range(first, at):
            slot[on[c]] = -1
        worth[leaf] = value[i]
        leaf += 1
        start[leaf] = at
    return start, on[:at], low[:at], high[:at], worth


@njit(cache=True)
def patterns(columns: np.ndarray, on: np.ndarray, low: np.ndarray, high: np.ndarray, out: np.ndarray) -> None:
    """Write which conditions rows given as columns (d, n) fulfil, as bits, into ``out`` (n,)."""
    out[:] = 0
    for b in range(len(on)):
        column, floor, top, bit = columns[on[b]], low[b], high[b], np.int64(1) << b
        for i in range(len(out)):
            inside = (column[i] > floor) & (column[i] <= top)
            out[i] |= bit if inside else 0


@njit(cache=True)
def ones(bits: int) -> int:
    """Return the number of bits that are set."""
    count = 0
    while bits:
        bits &= bits - 1
        count += 1
    return count


@njit(cache=True)
def distinct(bits: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the distinct patterns, how often each occurs, and the place of each row's."""
    order = np.argsort(bits)
    place = np.empty(len(bits), dtype=np.int64)
    found, count = np.empty(len(bits), dtype=np.int64), np.zeros(len(bits), dtype=np.int64)
    size = 0
    for i in order:
        if size == 0 or found[size - 1] != bits[i]:
            found[size] = bits[i]
            size += 1
        count[size - 1] += 1
        place[i] = size - 1
    return found[:size], count[:size], place


@njit(cache=True)
def add_pair(x: int, z: int, k: int, amount: float, weight: np.ndarray, out: np.ndarray) -> None:
    """Add the attributions (k,) of a leaf for the patterns x and z, of which neither lacks all of a bit."""
    a, b = ones(x & ~z), ones(z & ~x)
    gain = amount * weight[a, b] if a else 0.0
    loss = amount * weight[b, a] if b else 0.0
    for c in range(k):
        bit = np.int64(1) << c
        if x & bit:
            if not z & bit:
                out[c] += gain
        elif z & bit:
            out[c] -= loss


@njit(cache=True)
def attribute(
    columns: np.ndarray,
    background: np.ndarray,
    start: np.ndarray,
    on: np.ndarray,
    low: np.ndarray,
    high: np.ndarray,
    worth: np.ndarray,
    weight: np.ndarray,
    out: np.ndarray,
) -> None:
    """Add the Shapley values of a sum of leaves to ``out`` (d, n).

    Parameters
    ----------
    columns : ndarray of float64, shape (d, n)
        Rows to explain, as columns.
    background : ndarray of float64, shape (d, m)
    start, on, low, high, worth
        See :func:`cut`.
    weight : ndarray of float64, shape (K + 1, K + 1)
        ``(a-1)! b! / (a+b)!`` for a >= 1.
    """
    n, m = columns.shape[1], background.shape[1]
    mine, other = np.empty(n, dtype=np.int64), np.empty(m, dtype=np.int64)
    table, count = np.empty((2**TABLE, TABLE)), np.empty(2**TABLE, dtype=np.int64)
    for leaf in range(len(worth)):
        first, last = start[leaf], start[leaf + 1]
        k = last - first
        if k == 0:
            continue
        on_k, low_k, high_k = on[first:last], low[first:last], high[first:last]
        patterns(columns, on_k, low_k, high_k, mine)
        patterns(background, on_k, low_k, high_k, other)
        full = (np.int64(1) << k) - 1
        share = worth[leaf] / m
        if k <= TABLE:
            count[: full + 1] = 0
            table[: full + 1] = 0.0
            for i in range(m):
                count[other[i]] += 1
            for z in range(full + 1):
                if count[z]:
                    # a pattern of x has all that z lacks, and any part of what z has
                    part = z
                    while True:
                        x = (full & ~z) | part
                        add_pair(x, z, k, share * count[z], weight, table[x])
                        if part == 0:
                            break
                        part = (part - 1) & z
            for c in range(k):
                target = out[on_k[c]]
                for i in range(n):
                    target[i] += table[mine[i], c]
        else:
            x_found, _, place = distinct(mine)
            z_found, z_count, _ = distinct(other)
            sums = np.zeros((len(x_found), k))
            for u in range(len(x_found)):
                for v in range(len(z_found)):
                    if x_found[u] | z_found[v] == full:
                        add_pair(x_found[u], z_found[v], k, share * z_count[v], weight, sums[u])
            for c in range(k):
                target = out[on_k[c]]
                for i in range(n):
                    target[i] += sums[place[i], c]
