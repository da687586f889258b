"""Actions drawn from logits, by the seed of a deployment and the window alone."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numba as nb
import numpy as np

from mlopsim.numerics.splitmix import following, mixed

#: 2^-53: the upper bits of a word as a uniform number below 1
_UNIT = 1.1102230246251565e-16
_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_SHIFT = np.uint64(11)


def keys_of(seeds: Sequence[np.random.SeedSequence]) -> np.ndarray:
    """Return one 64-bit key a deployment, uint64 of shape (n,); the seeds stay as they are.

    Examples
    --------
    >>> keys_of([np.random.SeedSequence(0)]).dtype
    dtype('uint64')
    """
    return np.array([seed.generate_state(1, np.uint64)[0] for seed in seeds], dtype=np.uint64)


@nb.njit(cache=True)
def uniforms(keys: np.ndarray, windows: np.ndarray) -> np.ndarray:
    """Return one uniform number a deployment for the window that it decides in.

    Parameters
    ----------
    keys : ndarray of uint64, shape (n,)
        See :func:`keys_of`.
    windows : ndarray of int64, shape (n,)
        At least -1; what is drawn for a window does not depend on what was drawn before.

    Returns
    -------
    ndarray of float64, shape (n,)
        In [0, 1).

    Examples
    --------
    >>> keys = keys_of(np.random.SeedSequence(0).spawn(2))
    >>> both = uniforms(keys, np.array([5, 9]))
    >>> bool(uniforms(keys[1:], np.array([9]))[0] == both[1])
    True
    """
    out = np.empty(len(keys))
    for i in range(len(keys)):
        # the generator of Steele, Lea and Flood, once for the deployment and once for the window
        word = mixed(keys[i] + _GOLDEN * np.uint64(windows[i] + 2))
        out[i] = np.float64(mixed(following(word)) >> _SHIFT) * _UNIT
    return out


@nb.njit(cache=True)
def draw_actions(logits: np.ndarray, mask: np.ndarray, uniform: np.ndarray) -> np.ndarray:
    """Draw an action of each row's softmax by inversion, in the order of the actions.

    Parameters
    ----------
    logits : ndarray of float64, shape (n, A)
    mask : ndarray of bool, shape (n, A)
        Actions that may be drawn; at least one a row.
    uniform : ndarray of float64, shape (n,)
        In [0, 1).

    Returns
    -------
    ndarray of int64, shape (n,)

    Examples
    --------
    >>> logits = np.log(np.array([[.25, .25, .5]] * 3))
    >>> draw_actions(logits, np.ones((3, 3), bool), np.array([.1, .3, .7]))
    array([0, 1, 2])
    >>> draw_actions(logits, np.array([[True, False, True]] * 3), np.array([.1, .3, .7]))
    array([0, 0, 2])
    """
    n, actions = logits.shape
    out = np.empty(n, dtype=np.int64)
    weight = np.empty(actions)
    for i in range(n):
        top = -np.inf
        for a in range(actions):
            if mask[i, a] and logits[i, a] > top:
                top = logits[i, a]
        total = 0.0
        for a in range(actions):
            weight[a] = math.exp(logits[i, a] - top) if mask[i, a] else 0.0
            total += weight[a]
        left = uniform[i] * total
        chosen = -1
        for a in range(actions):
            if weight[a] > 0.0:
                chosen = a
                if left < weight[a]:
                    break
                left -= weight[a]
        out[i] = chosen
    return out
