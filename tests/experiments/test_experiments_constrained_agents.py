"""Front scores against their closed form, and which agent of a sweep is taken."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "experiments"))

import constrained_agents  # noqa: E402
from constrained_agents import Front, Rolled  # noqa: E402


def test_the_front_of_two_versions_and_its_scores() -> None:
    """Version A earns .9 and is always out, B .6 and always in: U(d) = .6 + .3 d, price .3."""
    prices = np.array([0.0, 0.1, 0.3, 0.5])
    lines = np.maximum(0.9 - prices, 0.6)[:, None] * np.ones((1, 4))
    front = Front(prices=prices, upper=lines, lower=lines)
    for cost in (0.1, 0.25, 0.9):
        assert front.at(cost) == pytest.approx((0.6 + 0.3 * cost, 0.3))
    assert front.cost(0) == pytest.approx(1.0) and front.cost(2) == pytest.approx(0.0)
    never = Rolled(returns=np.full(4, 0.5), costs=np.full(4, 0.5))
    suspended = Rolled(returns=np.full(4, 0.4), costs=np.zeros(4))
    # halfway between the mixture and the front
    half = Rolled(returns=np.full(4, (0.45 + 0.675) / 2), costs=np.full(4, 0.25))
    settings = {"level": 0.95, "floor": 0.01, "resamples": 20}
    row = constrained_agents.row_of([half, half], 0.25, front, never, suspended, settings)
    assert (
        row["front_score"] == pytest.approx(0.5) == row["front_score_low"]
        and row["met"]
        and row["met_alone"] == 2
    )
    missed = constrained_agents.row_of([half], 0.2, front, never, suspended, settings)
    assert not missed["met"] and missed["beyond"] == pytest.approx(0.05)
    none = constrained_agents.row_of([half], 0.2, front, never, suspended, {**settings, "floor": 0.3})
    assert np.isnan(none["front_score"])


def test_of_a_sweep_the_best_that_complies_is_taken() -> None:
    class Fit:
        def __init__(self, value: float, cost: float) -> None:
            costs = cost + 0.01 * np.array([-1.0, 1.0, 0.0, 0.0])
            each = {"returns": [[value] * 4], "costs": [[[float(c)] for c in costs]]}
            self.info = {"validation": {"each": each}}

    fits = [Fit(0.9, 0.5), Fit(0.8, 0.2), Fit(0.7, 0.1)]
    taken = [constrained_agents.chosen_of_sweep(fits, limit, 0.95) for limit in (0.6, 0.25, 0.201, 0.01)]
    assert taken == [0, 1, 2, 2]
