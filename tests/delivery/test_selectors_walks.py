"""Rules and tuning on real Worlds."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from mlopsim.core.errors import ConfigError
from mlopsim.core.registry import find, names
from mlopsim.core.spec import make
from mlopsim.delivery.pool import WorldPool
from mlopsim.delivery.tuning import rungs, tune
from mlopsim.delivery.walk import Trajectory, walk
from mlopsim.world.build import build_world
from mlopsim.world.spec import WorldSpec

RULES = [name for name in names("selector") if not getattr(find("selector", name), "agent", False)]
STREAM: dict[str, Any] = {"procedural": {"windows": 60, "rows": 50, "mean_duration": [10.0, 20.0]}}


def worlds(split: str, count: int) -> WorldPool:
    specs = [WorldSpec.of(STREAM, "ridge", "last", split=split, index=i) for i in range(count)]
    return WorldPool([build_world(spec) for spec in specs])


@pytest.fixture(scope="module")
def pool() -> WorldPool:
    return worlds("train", 30)


@pytest.fixture(scope="module")
def deployment() -> Any:
    return make("deployment", "standard")


def assert_looks_before_it_asks(name: str, found: Trajectory) -> None:
    """All rules but chance know what is possible; what is asked in vain is kept, and counted."""
    assert name == "random" or not found.invalid.any(), name
    assert np.array_equal(found.invalid, found.asked != found.executed)
    assert (found.executed[found.invalid] == 0).all()


@pytest.mark.parametrize("name", RULES)
def test_walks_are_possible_and_independent(name: str, pool: WorldPool, deployment: Any) -> None:
    seeds = np.random.SeedSequence(4).spawn(8)
    together = walk(make("selector", name), pool, deployment, range(8), seeds)
    assert_looks_before_it_asks(name, together)
    for i in (0, 5):
        alone = walk(make("selector", name), pool, deployment, [i], [seeds[i]])
        assert np.array_equal(alone.executed[0], together.executed[i])
    # the last two do nothing without a trigger or a fallback
    assert together.retrained.any() == (name not in ("never", "observed_alarm", "suspend_always"))


def test_walks_with_a_canary(pool: WorldPool) -> None:
    canary = WorldPool(pool.worlds[:4], canary=True)
    setting = make("deployment", "standard", canary_share=0.2, canary_windows=3)
    for name in RULES:
        assert_looks_before_it_asks(name, walk(make("selector", name), canary, setting))


def test_walks_with_other_settings(pool: WorldPool) -> None:
    for changes in (
        {"deploy_on_arrival": False, "feedback": "full"},
        {"budget": 0.3, "label_delay": 0, "latency": 0, "slots": 1},
        {"label_delay": 70},
    ):
        setting = make("deployment", "standard", **changes)
        for name in RULES:
            assert_looks_before_it_asks(name, walk(make("selector", name), pool, setting, range(4)))


@pytest.mark.parametrize("name", ["periodic", "uniform", "error_or_shift", "linear"])
def test_tuning_keeps_its_budget_and_is_no_worse(name: str, pool: WorldPool, deployment: Any) -> None:
    free = list(find("selector", name).space)
    budget = 40_000
    first = tune(name, {}, free, pool, deployment, budget, np.random.SeedSequence(1))
    assert 0.5 * budget < first.steps_used <= budget
    assert first.history[-1]["steps"] == first.steps_used
    final = [entry for entry in first.history if entry["stage"] == "final"]
    default = make("selector", name)
    mine = max(final, key=lambda entry: entry["score"])
    assert all(first.params[key] == value for key, value in mine["params"].items())
    assert any(all(make("selector", name, **entry["params"]) == default for _ in [0]) for entry in final), (
        "the default is no finalist"
    )
    again = tune(name, {}, free, pool, deployment, budget, np.random.SeedSequence(1))
    assert again == first
    make("selector", name, **first.params)


def test_tuning_finds_what_is_much_better(pool: WorldPool, deployment: Any) -> None:
    free = ["count"]
    dear = make("deployment", "standard", retrain_cost=5.0)
    found = tune("uniform", {}, free, pool, dear, 60_000, np.random.SeedSequence(0))
    assert found.params["count"] == 0
    cheap = make("deployment", "standard", retrain_cost=0.0, switch_cost=0.0)
    found = tune("uniform", {}, free, pool, cheap, 60_000, np.random.SeedSequence(0))
    assert found.params["count"] > 5


def test_tuning_respects_what_is_fixed(pool: WorldPool, deployment: Any) -> None:
    result = tune("periodic", {"every": 9}, ["phase"], pool, deployment, 20_000, np.random.SeedSequence(0))
    assert result.params["every"] == 9
    assert {tuple(entry["params"]) for entry in result.history} == {("phase",)}
    nothing = tune("periodic", {"every": 9}, [], pool, deployment, 20_000, np.random.SeedSequence(0))
    assert (nothing.params, nothing.steps_used) == ({"every": 9}, 0)


def test_tuning_with_validation_scenarios(pool: WorldPool, deployment: Any) -> None:
    other = worlds("validation", 6)
    result = tune("ks", {}, ["limit"], pool, deployment, 30_000, np.random.SeedSequence(0), other)
    assert result.steps_used <= 30_000
    final = [entry for entry in result.history if entry["stage"] == "final"]
    assert {entry["scenarios"] for entry in final} == {6}


@pytest.mark.parametrize("budget", [0, 1, 49, 120, 300, 777, 2_000, 5_001])
@pytest.mark.parametrize("name", ["ks", "linear", "uniform"])
def test_tuning_never_exceeds_a_small_budget(
    budget: int, name: str, pool: WorldPool, deployment: Any
) -> None:
    free = list(find("selector", name).space)
    result = tune(name, {}, free, pool, deployment, budget, np.random.SeedSequence(2))
    assert result.steps_used <= budget
    assert set(result.params) == set(free)


def test_tuning_errors(pool: WorldPool, deployment: Any) -> None:
    seed = np.random.SeedSequence(0)
    with pytest.raises(ConfigError, match=r"cannot tune 'evry'.*every"):
        tune("periodic", {}, ["evry"], pool, deployment, 1000, seed)
    with pytest.raises(ConfigError, match="both fixed and free"):
        tune("periodic", {"every": 3}, ["every"], pool, deployment, 1000, seed)
    with pytest.raises(ConfigError, match="budget"):
        tune("periodic", {}, ["every"], pool, deployment, -1, seed)


@pytest.mark.parametrize("episodes", [2, 10, 100, 1000, 30_000])
@pytest.mark.parametrize("scenarios", [1, 7, 200, 2000])
@pytest.mark.parametrize("most", [2, 41, 1 << 30])
def test_rungs_fit(episodes: int, scenarios: int, most: int) -> None:
    count, ladder = rungs(episodes, scenarios, most)
    alive, before, total = count, 0, 0
    for k, met in enumerate(ladder):
        alive = -(-count // 4**k)
        total += alive * (met - before)
        before = met
    assert total <= episodes
    assert 1 <= count <= most
    assert ladder == sorted(ladder)
    assert 1 <= ladder[-1] <= scenarios
