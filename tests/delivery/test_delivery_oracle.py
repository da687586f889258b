from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from brute_force import all_actions, best_of_all, latest_actions, tiny

from mlopsim.core.errors import ConfigError
from mlopsim.core.spec import make
from mlopsim.core.versions import VERSIONS
from mlopsim.delivery.oracle.bracket import bracket
from mlopsim.delivery.oracle.hindsight_ladder import best_period, knows_changes
from mlopsim.delivery.oracle.lagrange import Multipliers, dual_bound, lagrangian_bound
from mlopsim.delivery.oracle.linear_program import lp_bound, program
from mlopsim.delivery.oracle.problem import Problem
from mlopsim.delivery.oracle.replay import replay_rewards
from mlopsim.delivery.oracle.search import search
from mlopsim.delivery.oracle.without_rollback import latest_only


def check_tiny(index: int) -> None:
    """Compare every bound, and the search, with the optimum of a tiny walk found by trying everything."""
    rng = np.random.default_rng([7, index])
    reward, warmup, deployment, blocked = tiny(rng, index)
    optimum = best_of_all(reward, warmup, deployment, all_actions(deployment), blocked)
    # the search closes most brackets: without it, too
    for states in (4000, 2, 0):
        found = bracket(reward, warmup, deployment, blocked=blocked, states=states)
        assert found.lower <= optimum + 1e-9, (index, deployment)
        assert optimum <= found.upper + 1e-12, (index, deployment)
        # all plans of so short a walk fit
        assert states != 4000 or found.gap <= 1e-9
    # the bounds themselves: the bracket lifts its upper end to the lower one
    problem = Problem.of(reward, warmup, deployment, blocked=blocked)
    assert lp_bound(problem).bound >= optimum - 1e-9, (index, deployment)
    for target in (found.lower, optimum + 0.5):
        # the target only sets the length of the steps: a wrong one gives a bound, too
        bound, prices = lagrangian_bound(problem, target, iterations=120)
        assert bound >= optimum - 1e-9, (index, deployment)
        assert dual_bound(problem, prices).bound == pytest.approx(bound, abs=1e-9)
    shape = (len(problem.versions), problem.T)
    for scale in (0.0, 0.1, 1.0):
        prices = Multipliers(
            use=scale * rng.normal(size=shape),
            room=scale * rng.random(problem.T),
            budget=scale,
            count=scale * rng.random(),
        )
        assert dual_bound(problem, prices).bound >= optimum
        # whatever the prices and however few states are kept, the search knows what it left out
        for states, known in ((4000, -1e9), (4000, optimum - 0.01), (2, optimum - 0.2), (1, -1e9)):
            searched = search(problem, prices, known, states=states)
            assert searched.value <= optimum + 1e-9 and searched.upper >= optimum - 1e-12
            if states == 4000:
                assert searched.value == pytest.approx(optimum, abs=1e-9)
                assert searched.upper == pytest.approx(optimum, abs=1e-8)
    latest = best_of_all(reward, warmup, deployment, latest_actions(deployment), blocked)
    value = latest_only(problem).value
    assert abs(value - latest) <= 1e-9, (index, deployment, value, latest)
    assert abs(found.latest - latest) <= 1e-9


@pytest.mark.parametrize("block", range(4))
def test_brute_force(block: int) -> None:
    # every switch of `tiny` is on in half of them
    for index in range(16 * block, 16 * block + 16):
        check_tiny(index)


@pytest.mark.slow
@pytest.mark.parametrize("block", range(8))
def test_brute_force_on_many(block: int) -> None:
    for index in range(64 + 72 * block, 64 + 72 * block + 72):
        check_tiny(index)


def paper_problem(seed: int, T: int = 120, **params: Any) -> tuple[np.ndarray, Any]:
    """Recurring concepts: versions trained in a concept are good whenever it returns."""
    rng = np.random.default_rng(seed)
    lengths = rng.integers(10, 30, size=T)
    concept = np.repeat(rng.integers(0, 3, size=T), lengths)[:T]
    same = concept[:, None] == concept[None, :]
    reward = np.where(same, 0.85, 0.55) + rng.binomial(100, 0.5, size=(T, T)) / 1000
    params = {"slots": 4, "label_delay": 2, "latency": 2} | params
    return reward, make("deployment", "standard", **params)


SWITCHES: list[dict[str, Any]] = [
    {},
    {"budget": 0.2},
    {"canary_share": 0.2, "canary_windows": 3},
    {"deploy_on_arrival": False},
    {"cooldown": 9, "switch_cost": 0.2},
    {"retrain_cost": 0.0, "switch_cost": 0.0},
]


@pytest.mark.parametrize("params", SWITCHES, ids=str)
def test_integer_optimum_lies_between(params: dict[str, Any]) -> None:
    # an independent solver on the same constraints with 0/1 variables: what branch and bound finds is below
    # the bound, and above every plan (the registry is dropped there, too)
    from scipy.optimize import Bounds, LinearConstraint, milp

    for seed in range(4):
        reward, deployment = paper_problem(seed, 36, **params)
        found = bracket(reward, 6, deployment, states=0)
        optimum = bracket(reward, 6, deployment)
        lp = program(Problem.of(reward, 6, deployment))
        constraints = [LinearConstraint(lp.A, -np.inf, lp.b), LinearConstraint(lp.E, lp.e, lp.e)]
        whole = np.zeros(len(lp.c))
        whole[2 * lp.pairs.shape[1] :] = 1
        done = milp(-lp.c, integrality=whole, bounds=Bounds(0, 1), constraints=constraints)
        assert done.status == 0
        assert -done.fun <= lp_bound(Problem.of(reward, 6, deployment)).bound + 1e-6
        assert found.lower - 1e-6 <= optimum.upper <= min(-done.fun, found.upper) + 1e-6


@pytest.mark.parametrize("params", SWITCHES, ids=str)
def test_bounds_agree(params: dict[str, Any]) -> None:
    reward, deployment = paper_problem(0, 60, **params)
    problem = Problem.of(reward, 10, deployment)
    relaxed = lp_bound(problem)
    # the duals that the solver returns are optimal: the safe bound gives nothing away
    assert relaxed.bound == pytest.approx(relaxed.value, abs=1e-7)
    assert relaxed.bound >= relaxed.value - 1e-7
    lower = bracket(reward, 10, deployment, states=0).lower
    other, _ = lagrangian_bound(problem, lower, iterations=1500, capacity=False)
    assert other <= relaxed.value + 0.01
    # canaries and places are what the program does not know
    assert other >= relaxed.value - 1e-7 or deployment.has_canary
    assert lagrangian_bound(problem, lower, start=relaxed.multipliers)[0] <= relaxed.bound


def test_lagrangian_bound_beyond_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    reward, deployment = paper_problem(1, 80)
    short = bracket(reward, 10, deployment, kicks=0, states=0)
    monkeypatch.setattr("mlopsim.delivery.oracle.bracket.LP_WINDOWS", 79)
    found = bracket(reward, 10, deployment, kicks=0, states=0)
    assert (short.bound, found.bound) == ("lp", "lagrange")
    assert found.latest <= found.lower <= found.upper
    assert found.upper == pytest.approx(short.upper, abs=0.01)


@pytest.mark.slow
def test_long_walk() -> None:
    reward, deployment = paper_problem(1, 420)
    found = bracket(reward, 10, deployment, effort=300, kicks=0)
    # beyond what the linear program is for; which of the others is the lower one hangs on the problem
    assert found.bound != "lp"
    assert found.latest <= found.lower <= found.upper <= found.lower * 1.03


def test_single_slot_is_exact() -> None:
    reward, deployment = paper_problem(2, 60, slots=1)
    found = bracket(reward, 10, deployment)
    assert found.exact and found.lower == found.latest and found.bound == "latest"


def test_shadow_costs_are_in_the_lower_end_only() -> None:
    reward, free = paper_problem(2, 60)
    _, paid = paper_problem(2, 60, feedback="shadow", shadow_cost=0.01)
    a, b = bracket(reward, 10, free), bracket(reward, 10, paid)
    assert a.upper == b.upper
    assert b.lower < a.lower


def test_order_of_the_ladder() -> None:
    for seed in range(3):
        for params in SWITCHES:
            reward, deployment = paper_problem(seed, 80, **params)
            found = bracket(reward, 10, deployment, states=0)
            period = best_period(reward, 10, deployment)
            told = knows_changes(reward, 10, deployment, [20, 40])
            assert found.never <= period.value <= found.latest + 1e-9 <= found.lower + 2e-9
            assert told.value <= found.latest + 1e-9
            for rung in (period, told):
                played = replay_rewards(rung.actions[None], reward, 10, deployment)
                assert played.returns[0] == rung.value


def test_knowing_the_change_pays() -> None:
    reward = np.where((np.arange(40) < 20)[:, None] == (np.arange(40) < 20)[None, :], 0.9, 0.5)
    deployment = make("deployment", "standard", label_delay=1, latency=1, retrain_cost=0.1, switch_cost=0.0)
    told = knows_changes(reward, 5, deployment, [20])
    # version 20 is decided at 21 and serves from window 23 on
    assert (told.setting, told.value) == (1, pytest.approx(15 * 0.9 + 3 * 0.5 + 17 * 0.9 - 0.1))
    assert latest_only(Problem.of(reward, 5, deployment)).value == pytest.approx(told.value)


def test_rejects_what_breaks_the_bounds() -> None:
    reward = np.zeros((8, 8))
    reward[3, 5] = np.nan
    with pytest.raises(ConfigError, match="finite"):
        Problem(reward=reward, warmup=2)
    with pytest.raises(ConfigError, match="negative"):
        Problem(reward=np.zeros((8, 8)), warmup=2, switch_cost=-1.0)
    with pytest.raises(ConfigError, match="warm-up"):
        Problem(reward=np.zeros((8, 8)), warmup=8)


def test_golden() -> None:
    assert (VERSIONS["control/oracle"], VERSIONS["control/latest-oracle"]) == (2, 1)
    found = [bracket(*_args(params)) for params in SWITCHES]
    np.testing.assert_allclose([b.latest for b in found], GOLDEN_LATEST, rtol=1e-9)
    np.testing.assert_allclose([b.lower for b in found], GOLDEN_LOWER, rtol=1e-9)
    # the search closes all of them
    np.testing.assert_allclose([b.upper for b in found], GOLDEN_LOWER, rtol=1e-9)
    found = [bracket(*_args(params), states=0) for params in SWITCHES]
    np.testing.assert_allclose([b.lower for b in found], GOLDEN_LOWER, rtol=1e-9)
    np.testing.assert_allclose([b.upper for b in found], GOLDEN_UPPER, rtol=1e-9)


def _args(params: dict[str, Any]) -> tuple[np.ndarray, int, Any]:
    reward, deployment = paper_problem(5, 60, **{"retrain_cost": 0.02, "switch_cost": 0.005, **params})
    return reward, 10, deployment


GOLDEN_LATEST = [44.774, 44.774, 44.7724, 44.778, 44.68, 44.863]
GOLDEN_LOWER = [44.803, 44.803, 44.7796, 44.82, 44.68, 44.983]
# without the search: of the dual
GOLDEN_UPPER = [44.8030000001, 44.8030000001, 44.79395103686, 44.8240000001, 44.6800000001, 45.00861778678]
