"""Interventional Shapley values of any function of rows: by enumeration, or sampled.

``v(S)`` is the mean, over the background rows z, of f at z with the features in S taken from x. Both use
every background row, and the attributions of a row add up to ``f(x) - mean f(z)`` exactly, whatever is drawn.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from mlopsim.core.errors import ConfigError

Function = Callable[[np.ndarray], np.ndarray]

#: numbers in the rows that a function is given at a time (32 MB)
BLOCK = 1 << 22
#: most features whose subsets are enumerated
MOST = 16


def hybrid_values(
    f: Function, X: np.ndarray, background: np.ndarray, masks: np.ndarray, rows: np.ndarray
) -> np.ndarray:
    """Return f at rows put together from rows to explain and background rows.

    Parameters
    ----------
    f : callable
        Rows (k, d) to float64 (k,).
    X : ndarray of float64, shape (n, d)
    background : ndarray of float64, shape (m, d)
    masks : ndarray of bool, shape (K, d)
        True: from the row to explain.
    rows : ndarray of int64, shape (K,)
        Which background row the rest is from.

    Returns
    -------
    ndarray of float64, shape (n, K)

    Examples
    --------
    >>> masks, rows = np.array([[True, False], [False, False]]), np.array([0, 1])
    >>> hybrid_values(lambda Z: Z @ [1.0, 10.0], np.array([[1.0, 1.0]]), np.array([[5.0, 5.0], [7.0, 7.0]]),
    ...               masks, rows)
    array([[51., 77.]])
    """
    n, d = X.shape
    out = np.empty((n, len(masks)))
    wide = max(1, BLOCK // d)
    step = max(1, wide // max(1, len(masks)))
    for first in range(0, n, step):
        some = X[first : first + step]
        for start in range(0, len(masks), wide):
            part = slice(start, start + wide)
            mixed = np.where(masks[part], some[:, None, :], background[rows[part]])
            out[first : first + step, part] = f(mixed.reshape(-1, d)).reshape(mixed.shape[:2])
    return out


def enumerated(f: Function, X: np.ndarray, background: np.ndarray) -> tuple[np.ndarray, float]:
    """Return the exact Shapley values, from all ``2^d`` subsets and all background rows.

    Parameters
    ----------
    f : callable
        Rows (k, d) to finite float64 (k,).
    X : ndarray of float64, shape (n, d)
        Rows to explain.
    background : ndarray of float64, shape (m, d)
        At least one row.

    Returns
    -------
    values : ndarray of float64, shape (n, d)
    base : float
        Mean output over the background.

    Raises
    ------
    ConfigError
        For more than 16 features.

    References
    ----------
    Shapley (1953), *A value for n-person games*.

    Examples
    --------
    >>> enumerated(lambda Z: Z[:, 0] * Z[:, 1], np.array([[2.0, 3.0]]), np.zeros((1, 2)))
    (array([[3., 3.]]), 0.0)
    """
    n, d = X.shape
    m = len(background)
    if d > MOST:
        raise ConfigError(
            f"{d} features have 2^{d} subsets, at most {MOST} features are supported",
            remedy="the explainer permutation",
        )
    subset = np.arange(2**d)
    masks = (subset[:, None] >> np.arange(d)) & 1 == 1
    size = masks.sum(axis=1)
    # weight of v(S) in the attribution of a feature in S, and of one that is not
    own = np.array([0.0] + [math.factorial(s - 1) * math.factorial(d - s) for s in range(1, d + 1)])
    rest = np.array([math.factorial(s) * math.factorial(d - s - 1) for s in range(d)] + [0.0])
    weight = np.where(masks, own[size][:, None], -rest[size][:, None]) / math.factorial(d)
    places = np.repeat(np.arange(m), 2**d)
    values, base = np.empty((n, d)), np.nan
    step = max(1, BLOCK // (m * 2**d))
    for first in range(0, n, step):
        some = slice(first, first + step)
        worth = hybrid_values(f, X[some], background, np.tile(masks, (m, 1)), places)
        mean = worth.reshape(-1, m, 2**d).mean(axis=1)
        # a BLAS product would depend on the rows beside a row in its last bits
        values[some] = np.einsum("ns,sj->nj", mean, weight)
    base = float(np.asarray(f(background)).mean())
    return values, base


def sampled(
    f: Function, X: np.ndarray, background: np.ndarray, draws: int, rng: np.random.Generator
) -> tuple[np.ndarray, float, np.ndarray]:
    """Return Shapley values estimated from random orders of the features, each with its reverse.

    Every background row is taken equally often, at least twice, each time with an order of its own: what a
    feature adds to f when it changes from that row's value to x's after those before it in the order,
    averaged over the order and its reverse (antithetic pairs). All rows to explain share what is drawn.
    Unbiased; exact for functions whose features interact in pairs at most.

    Parameters
    ----------
    f : callable
        Rows (k, d) to finite float64 (k,). It is given ``2 (d - 1)`` rows per draw and row.
    X : ndarray of float64, shape (n, d)
        Rows to explain.
    background : ndarray of float64, shape (m, d)
        At least one row.
    draws : int
        Pairs of orders at least; rounded up to a multiple of m, of two at least.
    rng : Generator
        Draws the orders.

    Returns
    -------
    values : ndarray of float64, shape (n, d)
    base : float
        Mean output over the background.
    stderr : ndarray of float64, shape (n, d)
        Of the orders only, as the background is not sampled: from the spread of each background row's pairs.

    References
    ----------
    Strumbelj and Kononenko (2014), Knowledge and Information Systems 41, 647-665; antithetic pairs: Mitchell,
    Cooper, Frank and Holmes (2022), *Sampling permutations for Shapley value estimation*, JMLR 23(43).

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> sampled(lambda Z: Z[:, 0] * Z[:, 1], np.array([[2.0, 3.0]]), np.zeros((1, 2)), 2, rng)
    (array([[3., 3.]]), 0.0, array([[0., 0.]]))
    """
    n, d = X.shape
    m = len(background)
    passes = max(2, -(-draws // m))
    orders = rng.permuted(np.tile(np.arange(d), (passes * m, 1)), axis=1)
    rank = np.argsort(orders, axis=1)
    rows = np.tile(np.arange(m), passes)
    # known after s steps: the features of rank below s; in the reverse order, what the order has not reached
    # yet
    ahead = rank[:, None, :] < np.arange(1, d)[:, None]
    masks = np.concatenate([ahead, ~ahead[:, ::-1]], axis=1)
    steps = masks.shape[1]
    low = np.asarray(f(background), dtype=np.float64)
    high = np.asarray(f(X), dtype=np.float64)
    values, stderr = np.empty((n, d)), np.empty((n, d))
    step = max(1, BLOCK // (passes * m * max(1, steps)))
    for first in range(0, n, step):
        some = slice(first, first + step)
        worth = hybrid_values(f, X[some], background, masks.reshape(-1, d), np.repeat(rows, steps))
        size = len(worth)
        shape = (size, passes * m, 1)
        start = np.broadcast_to(low[rows][None, :, None], shape)
        end = np.broadcast_to(high[some][:, None, None], shape)
        middle = worth.reshape(size, passes * m, steps)
        forward = np.concatenate([start, middle[..., : d - 1], end], axis=2)
        backward = np.concatenate([start, middle[..., d - 1 :], end], axis=2)
        place = np.broadcast_to(rank, (size, *rank.shape))
        gain = np.take_along_axis(_steps(forward), place, axis=2)
        gain += np.take_along_axis(_steps(backward), d - 1 - place, axis=2)
        gain = 0.5 * gain.reshape(size, passes, m, d)
        values[some] = gain.mean(axis=(1, 2))
        spread = gain.var(axis=1, ddof=1).sum(axis=1) / passes
        stderr[some] = np.sqrt(spread) / m
    return values, float(low.mean()), stderr


def _steps(path: np.ndarray) -> np.ndarray:
    return np.diff(path, axis=2)
