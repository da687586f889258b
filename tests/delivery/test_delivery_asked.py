"""What may be asked of the environments: whole numbers in range, known options, resets by mask."""

from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np
import pytest
from delivery_fakes import fake_pool

from mlopsim.core.errors import ConfigError
from mlopsim.core.spec import make
from mlopsim.delivery.env import DeliveryEnv
from mlopsim.delivery.registration import ENV_ID, register_envs
from mlopsim.delivery.sb3 import make_sb3_vec_env
from mlopsim.delivery.vector import DeliveryVectorEnv

register_envs()
POOL = fake_pool(0, 5, windows=20)
DEPLOYMENT = make("deployment", "standard", latency=1, canary_share=0.4, canary_windows=2)
#: no scenario, and no action either
WRONG = (1.5, 1.0, float("nan"), float("inf"), True, "1", None, -1, 99, 2**70, [[0]], 1j, object())


def vector(n: int = 3) -> DeliveryVectorEnv:
    return DeliveryVectorEnv(n, pool=POOL, deployment=DEPLOYMENT)


@pytest.mark.parametrize("wrong", WRONG, ids=lambda value: f"{type(value).__name__}")
def test_scalar_and_vector_refuse_what_is_no_whole_number(wrong: Any) -> None:
    env, vec = DeliveryEnv(pool=POOL, deployment=DEPLOYMENT), vector()
    before, _ = env.reset(seed=4)
    vec.reset(seed=4)
    if wrong is not None:
        with pytest.raises(ConfigError, match="scenario must be"):
            env.reset(options={"scenario": wrong})
        for asked in (wrong, [0, 0, wrong]):
            with pytest.raises(ConfigError, match="scenarios must be"):
                vec.reset(options={"scenario": asked})
    with pytest.raises(ConfigError, match="action must be"):
        env.step(wrong)
    with pytest.raises(ConfigError, match="actions must be"):
        vec.step([0, 0, wrong])
    adapter = make_sb3_vec_env(POOL, DEPLOYMENT, 3, seed=4)
    adapter.reset()
    with pytest.raises(ConfigError, match="actions must be"):
        adapter.step([0, 0, wrong])
    adapter.set_options({"scenario": wrong})
    with pytest.raises(ConfigError, match="scenarios must be"):
        adapter.reset()
    # what was refused has changed nothing
    twin = DeliveryEnv(pool=POOL, deployment=DEPLOYMENT)
    assert (twin.reset(seed=4)[0] == before).all()
    assert twin.step(0)[1] == env.step(0)[1]


@pytest.mark.parametrize("shape", [(2,), (4,), (3, 1), (1, 3)])
def test_actions_of_another_shape_are_refused(shape: tuple[int, ...]) -> None:
    vec = vector()
    vec.reset(seed=0)
    with pytest.raises(ConfigError, match="3 whole numbers"):
        vec.step(np.zeros(shape, dtype=np.int64))
    with pytest.raises(ConfigError, match="3 whole numbers"):
        vec.reset(options={"scenario": np.zeros(shape, dtype=np.int64)})
    env = gymnasium.make(ENV_ID, pool=POOL, deployment=DEPLOYMENT)
    env.reset(seed=0)
    with pytest.raises(ConfigError, match="whole number"):
        env.unwrapped.step(np.zeros(1, dtype=np.int64))


@pytest.mark.parametrize("wrong", [{"scenarios": 1}, {"seed": 1}, {1: 2}, [("scenario", 1)], "scenario"])
def test_unknown_options_are_errors_everywhere(wrong: Any) -> None:
    for env in (DeliveryEnv(pool=POOL, deployment=DEPLOYMENT), vector()):
        with pytest.raises(ConfigError, match="option"):
            env.reset(options=wrong)
    adapter = make_sb3_vec_env(POOL, DEPLOYMENT, 3, seed=0)
    adapter.set_options(wrong)
    with pytest.raises(ConfigError, match="option"):
        adapter.reset()


def test_one_deployment_has_no_mask() -> None:
    with pytest.raises(ConfigError, match="unknown option 'reset_mask'"):
        DeliveryEnv(pool=POOL, deployment=DEPLOYMENT).reset(options={"reset_mask": np.array([True])})


@pytest.mark.parametrize("seed", [-1, 1.5, True, "7"])
def test_seeds_are_whole_numbers(seed: Any) -> None:
    for env in (DeliveryEnv(pool=POOL, deployment=DEPLOYMENT), vector()):
        with pytest.raises(ConfigError, match="seed must be"):
            env.reset(seed=seed)


@pytest.mark.parametrize("n", [0, -1, 1.5, True])
def test_there_is_a_whole_number_of_environments(n: Any) -> None:
    with pytest.raises(ConfigError, match="num_envs"):
        vector(n)


def test_a_mask_begins_some_episodes_and_leaves_the_others_as_they_are() -> None:
    env, twin = vector(), vector()
    for each in (env, twin):
        each.reset(seed=7)
        for action in (3, 0, 0, 0):
            each.step(np.full(3, action))
    shown = twin.step(np.zeros(3, dtype=np.int64))[0]
    env.step(np.zeros(3, dtype=np.int64))
    mask = np.array([True, False, True])
    obs, info = env.reset(options={"reset_mask": mask, "scenario": [2, 0, 4]})
    assert info["scenario"].tolist() == [2, -1, 4] and info["_scenario"].tolist() == mask.tolist()
    assert (obs[1] == shown[1]).all()
    for row, scenario in ((0, 2), (2, 4)):
        single = DeliveryEnv(pool=POOL, deployment=DEPLOYMENT)
        assert (single.reset(options={"scenario": scenario})[0] == obs[row]).all()
    # the other one ends when it would have ended, with the same rewards
    for step in range(12):
        _, rewards, _, ended, _ = env.step(np.zeros(3, dtype=np.int64))
        _, expected, _, over, _ = twin.step(np.zeros(3, dtype=np.int64))
        assert rewards[1] == expected[1] and ended[1] == over[1] == (step == 11)
        assert not ended[0] and not ended[2]


def test_a_seed_with_a_mask_is_for_those_alone() -> None:
    whole, part = vector(), vector()
    drawn = whole.reset(seed=3)[1]["scenario"]
    part.reset(seed=8)
    fresh = part.reset(seed=3, options={"reset_mask": np.array([False, True, False])})[1]["scenario"]
    assert fresh.tolist() == [-1, drawn[1], -1]


@pytest.mark.parametrize(
    "mask",
    [[True, False, True], np.ones(3, dtype=np.int64), np.ones(2, dtype=bool), np.zeros(3, dtype=bool), None],
    ids=repr,
)
def test_masks_are_arrays_of_booleans_with_a_true_one(mask: Any) -> None:
    vec = vector()
    vec.reset(seed=0)
    with pytest.raises(ConfigError, match="reset_mask must be"):
        vec.reset(options={"reset_mask": mask})


def test_a_mask_needs_episodes_that_go_on() -> None:
    with pytest.raises(ConfigError, match="no episode has begun"):
        vector().reset(options={"reset_mask": np.array([True, False, False])})
    # everything is the same as no mask
    masked = vector().reset(seed=1, options={"reset_mask": np.ones(3, dtype=bool)})[0]
    assert (masked == vector().reset(seed=1)[0]).all()


def test_the_adapter_walks_the_scenarios_that_it_is_told_once() -> None:
    adapter = make_sb3_vec_env(POOL, DEPLOYMENT, 3, seed=0)
    adapter.set_options([{"scenario": k} for k in (4, 0, 1)])
    adapter.reset()
    assert [info["scenario"] for info in adapter.venv.reset_infos] == [4, 0, 1]
    adapter.set_options([{"scenario": 1}, {}, {}])
    with pytest.raises(ConfigError, match="only some"):
        adapter.reset()
    adapter.set_options([{"scenario": 1}])
    with pytest.raises(ConfigError, match="list of 3"):
        adapter.reset()
