"""Exact Shapley values and interactions: axioms, closed forms, the definition over all orders."""

import itertools
import math

import numpy as np
import pytest

from mlopsim.core.errors import ConfigError
from mlopsim.numerics.shapley_values import coalitions, pair_interactions, shapley_values


def by_orders(worth, players):
    """Mean gain over all orders, and of pairs over all orders in which they come one after the other."""
    own, orders = np.zeros(players), list(itertools.permutations(range(players)))
    for order in orders:
        inside = 0
        for player in order:
            own[player] += worth[inside | (1 << player)] - worth[inside]
            inside |= 1 << player
    return own / len(orders)


def pairs_by_reduced_games(worth, players):
    """The interaction of i and j: the value of i in the game with j less that in the game without j."""
    found = np.full((players, players), np.nan)
    for i, j in itertools.permutations(range(players), 2):
        rest = [k for k in range(players) if k != j]
        numbers = [
            sum(1 << rest[k] for k in range(players - 1) if c >> k & 1) for c in range(1 << (players - 1))
        ]
        there, gone = worth[[n | 1 << j for n in numbers]], worth[numbers]
        place = rest.index(i)
        found[i, j] = by_orders(there, players - 1)[place] - by_orders(gone, players - 1)[place]
    return found


def test_values_and_interactions_are_those_over_all_orders():
    worth = np.random.default_rng(0).normal(size=32)
    assert shapley_values(worth) == pytest.approx(by_orders(worth, 5), abs=1e-12)
    assert shapley_values(worth).sum() == pytest.approx(worth[-1] - worth[0], abs=1e-12)
    pairs = pair_interactions(worth)
    assert pairs == pytest.approx(pairs_by_reduced_games(worth, 5), abs=1e-12, nan_ok=True)
    # many games at once are each alone
    many = np.random.default_rng(1).normal(size=(3, 2, 32))
    assert shapley_values(many)[2, 1] == pytest.approx(shapley_values(many[2, 1]), abs=1e-15)
    assert pair_interactions(many)[0, 1] == pytest.approx(
        pair_interactions(many[0, 1]), abs=1e-15, nan_ok=True
    )


def test_closed_forms():
    members = coalitions(5)
    # additive: everybody is worth what they bring, and nobody depends on anybody
    brings = np.array([3.0, -1.0, 0.0, 0.5, 2.0])
    assert shapley_values(members @ brings + 7.0) == pytest.approx(brings, abs=1e-12)
    assert np.nan_to_num(pair_interactions(members @ brings)) == pytest.approx(np.zeros((5, 5)), abs=1e-12)
    # 0 and 1 stand in for each other: half each, though each is worth nothing beside the other
    substitutes = (members[:, 0] | members[:, 1]).astype(float)
    assert shapley_values(substitutes) == pytest.approx([0.5, 0.5, 0, 0, 0], abs=1e-12)
    pairs = pair_interactions(substitutes)
    assert (
        pairs[0, 1] == pytest.approx(-1.0, abs=1e-12) and abs(pairs[2, 3]) < 1e-12 and math.isnan(pairs[1, 1])
    )
    # 2 and 3 are worth something together only
    assert pair_interactions((members[:, 2] & members[:, 3]).astype(float))[3, 2] == pytest.approx(
        1.0, abs=1e-12
    )
    # who is interchangeable is worth the same: a game of sizes
    assert shapley_values(members.sum(axis=1) ** 2.0) == pytest.approx(np.full(5, 5.0), abs=1e-12)


def test_what_is_unknown_stays_unknown_and_a_game_needs_all_coalitions():
    worth = np.arange(8.0)
    worth[5] = np.nan
    assert np.isnan(shapley_values(worth)).all()
    for few in (np.zeros(0), np.zeros(1), np.zeros(6)):
        with pytest.raises(ConfigError, match="not those of all coalitions"):
            shapley_values(few)
    with pytest.raises(ConfigError, match="two players"):
        pair_interactions(np.zeros(2))
    with pytest.raises(ConfigError, match="17 players"):
        coalitions(17)
