"""Conditional means of a normal law for all subsets of features, or along orders of them.

With covariance R, ``E[x | x_S] = P_S' x`` for centred x, where the rows of P_S outside S are zero and those
in S are ``[identity on S, R_SS^-1 R_SN]``: what sweeping R on S leaves in these rows.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

#: a feature with less variance than this given others (of 1 alone) counts as determined by them
LEAST = 1e-11


@njit(cache=True)
def sweep(source: np.ndarray, out: np.ndarray, p: int) -> bool:
    """Write ``source`` (d, d) swept on p into ``out``; False if p is determined by what was swept before."""
    d = len(source)
    pivot = source[p, p]
    if not pivot > LEAST:
        return False
    for j in range(d):
        out[p, j] = source[p, j] / pivot
    for i in range(d):
        if i != p:
            factor = source[i, p]
            for j in range(d):
                out[i, j] = source[i, j] - factor * out[p, j]
            out[i, p] = -factor / pivot
    out[p, p] = 1.0 / pivot
    return True


@njit(cache=True)
def tensor(R: np.ndarray, out: np.ndarray) -> bool:
    """Add the exact map to ``out`` (d, d, d), zero before; False if a feature is determined by others.

    ``out[j, i, k]``: weight of x_i w_k in the attribution of feature j.
    """
    d = len(R)
    buffers = np.empty((d + 1, d, d))
    buffers[0] = R
    # where[k]: buffer with the features below k swept that are in the subset
    where = np.zeros(d + 1, dtype=np.int64)
    inside = np.zeros(d, dtype=np.bool_)
    row = np.empty(d)
    # what a subset of size s adds to a feature in it beyond what it adds to every feature (negative)
    each, own = np.empty(d + 1), np.empty(d + 1)
    for s in range(1, d + 1):
        each[s] = (
            0.0 if s == d else -math.exp(math.lgamma(s + 1.0) + math.lgamma(d - s) - math.lgamma(d + 1.0))
        )
        own[s] = math.exp(math.lgamma(s) + math.lgamma(d - s + 1.0) - math.lgamma(d + 1.0)) - each[s]
    common = np.zeros((d, d))
    size = 0
    for _ in range(2**d - 1):
        # count up: the last feature is the lowest digit
        p = d - 1
        while inside[p]:
            inside[p] = False
            size -= 1
            p -= 1
        inside[p] = True
        size += 1
        if not sweep(buffers[where[p]], buffers[p + 1], p):
            return False
        for k in range(p + 1, d + 1):
            where[k] = p + 1
        T = buffers[p + 1]
        for i in range(d):
            if inside[i]:
                for k in range(d):
                    row[k] = (1.0 if i == k else 0.0) if inside[k] else T[i, k]
                    common[i, k] += each[size] * row[k]
                for j in range(d):
                    if inside[j]:
                        for k in range(d):
                            out[j, i, k] += own[size] * row[k]
    for j in range(d):
        for i in range(d):
            for k in range(d):
                out[j, i, k] += common[i, k]
    return True


@njit(cache=True)
def walks(R: np.ndarray, W: np.ndarray, orders: np.ndarray, out: np.ndarray) -> bool:
    """Add the maps of orders of the features and of the reversed orders to ``out``, half each.

    Parameters
    ----------
    R : ndarray of float64, shape (d, d)
        Correlations.
    W : ndarray of float64, shape (V, d)
        Coefficients in standard deviations.
    orders : ndarray of int64, shape (P, d)
    out : ndarray of float64, shape (P, V, d, d)
        Zero before; ``out[p, v, j, i]``: weight of x_i in the attribution of feature j.

    Returns
    -------
    bool
        False if a feature is determined by others.
    """
    pairs, d = orders.shape
    versions = len(W)
    now, after = np.empty((d, d)), np.empty((d, d))
    old, new = np.empty((versions, d)), np.empty((versions, d))
    inside = np.empty(d, dtype=np.bool_)
    for pair in range(pairs):
        for side in range(2):
            now[:] = R
            inside[:] = False
            old[:] = 0.0
            for step in range(d):
                j = orders[pair, step if side == 0 else d - 1 - step]
                if not sweep(now, after, j):
                    return False
                now, after = after, now
                inside[j] = True
                for v in range(versions):
                    for i in range(d):
                        total = 0.0
                        if inside[i]:
                            total = W[v, i]
                            for k in range(d):
                                if not inside[k]:
                                    total += now[i, k] * W[v, k]
                        new[v, i] = total
                        out[pair, v, j, i] += 0.5 * (total - old[v, i])
                old, new = new, old
    return True
