"""Exact Shapley values and pairwise interactions of games, from the worths of all coalitions."""

from __future__ import annotations

import math

import numpy as np

from mlopsim.core.errors import ConfigError

#: most players: a game of n has 2 ** n coalitions
MOST = 16


def coalitions(players: int) -> np.ndarray:
    """Return who belongs to each coalition, bool (2 ** players, players): player i if bit i of it is set.

    Raises
    ------
    ConfigError
        For more than 16 players, or none.

    Examples
    --------
    >>> coalitions(2).astype(int)
    array([[0, 0],
           [1, 0],
           [0, 1],
           [1, 1]])
    """
    if not 1 <= players <= MOST:
        raise ConfigError(
            f"a game of {players} players", remedy=f"1 to {MOST} players: there are 2 ** players coalitions"
        )
    members: np.ndarray = (np.arange(1 << players)[:, None] >> np.arange(players)) & 1 == 1
    return members


def shapley_values(worth: np.ndarray) -> np.ndarray:
    """Return the exact Shapley values of games.

    Parameters
    ----------
    worth : ndarray of float64, shape (..., 2 ** players)
        Of the coalitions in the order of :func:`coalitions`; NaN (unknown) makes every value of its game NaN.

    Returns
    -------
    ndarray of float64, shape (..., players)
        They add up to the worth of all less that of nobody.

    References
    ----------
    Shapley (1953), *A value for n-person games*.

    Examples
    --------
    >>> shapley_values(np.array([0.0, 0.0, 0.0, 1.0]))
    array([0.5, 0.5])
    """
    value, players = _games(worth)
    numbers, members = np.arange(1 << players), coalitions(players)
    size, whole = members.sum(axis=1), math.factorial(players)
    weight = np.array(
        [math.factorial(k) * math.factorial(players - k - 1) / whole for k in range(players)] + [0.0]
    )
    result = np.empty((*value.shape[:-1], players))
    for player in range(players):
        without = numbers[~members[:, player]]
        gain = value[..., without | (1 << player)] - value[..., without]
        result[..., player] = (weight[size[without]] * gain).sum(axis=-1)
    return result


def pair_interactions(worth: np.ndarray) -> np.ndarray:
    r"""Return the Shapley interaction indices of all pairs of players.

    Parameters
    ----------
    worth : ndarray of float64, shape (..., 2 ** players)
        As in :func:`shapley_values`, of 2 players at least.

    Returns
    -------
    ndarray of float64, shape (..., players, players)
        Symmetric, the diagonal NaN: by how much the gain of i is larger where j is there, on average over
        what else is there,
        :math:`\sum_S \frac{|S|! (n - |S| - 2)!}{(n - 1)!} (v(S i j) - v(S i) - v(S j) + v(S))`.
        0: the two do not depend on one another; negative: they stand in for each other.

    References
    ----------
    Grabisch, Roubens (1999), *An axiomatic approach to the concept of interaction among players in
    cooperative games*.

    Examples
    --------
    >>> pair_interactions(np.array([0.0, 1.0, 1.0, 1.0]))
    array([[nan, -1.],
           [-1., nan]])
    """
    value, players = _games(worth)
    if players < 2:
        raise ConfigError("a pair needs two players")
    numbers, members = np.arange(1 << players), coalitions(players)
    size, whole = members.sum(axis=1), math.factorial(players - 1)
    weight = np.array(
        [math.factorial(k) * math.factorial(players - k - 2) / whole for k in range(players - 1)] + [0.0, 0.0]
    )
    result = np.full((*value.shape[:-1], players, players), np.nan)
    for i in range(players):
        for j in range(i):
            without = numbers[~members[:, i] & ~members[:, j]]
            a, b = 1 << i, 1 << j
            gain = value[..., without | a | b] - value[..., without | a] - value[..., without | b]
            found = (weight[size[without]] * (gain + value[..., without])).sum(axis=-1)
            result[..., i, j] = result[..., j, i] = found
    return result


def _games(worth: np.ndarray) -> tuple[np.ndarray, int]:
    """Return the worths and the number of players."""
    value = np.asarray(worth, dtype=np.float64)
    count = value.shape[-1] if value.ndim else 0
    players = max(count.bit_length() - 1, 0)
    if count < 2 or count != 1 << players:
        raise ConfigError(f"{count} worths are not those of all coalitions", remedy="2 ** players of them")
    return value, players
