"""mlopsim/ClosedLoop-v0: Gymnasium's contract, costs in the info, the action suspend."""

from __future__ import annotations

import warnings

import gymnasium
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

from mlopsim.core.errors import ConfigError
from mlopsim.core.spec import make
from mlopsim.delivery.mechanisms import FALLBACK, Switch
from mlopsim.delivery.pool import WorldPool
from mlopsim.governance.env import ClosedLoopEnv, ClosedLoopVectorEnv
from mlopsim.governance.registration import ENV_ID, register_closed_loop
from mlopsim.world.build import build_world
from mlopsim.world.spec import WorldSpec

PEOPLE = {
    "population": {
        "windows": 16, "warmup": 4, "per_group": 60, "strength": 1.5, "timing": {"step": {"at": 9}},
    }
}  # fmt: skip
POOL = WorldPool(
    [build_world(WorldSpec.of(PEOPLE, "ridge", {"last": {"windows": 3}}, index=i)) for i in range(3)]
)
DEPLOYMENT = make(
    "deployment", "governed", latency=2, label_delay=1, fallback=0.55, release=["accuracy_drop"],
    audits=["demographic_parity"], reviewer={"fallible": {"delay": 1}}, trigger={"ks": {"alpha": 0.001}},
    constraints=["demographic_parity", {"accuracy_floor": {"floor": 0.8, "weight": 2.0}}, "churn"],
)  # fmt: skip
register_closed_loop()


def test_gymnasium_checker() -> None:
    env = gymnasium.make(ENV_ID, pool=POOL, deployment=DEPLOYMENT)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check_env(env.unwrapped)


def test_one_and_many_say_the_same() -> None:
    vector = gymnasium.make_vec(ENV_ID, num_envs=3, pool=POOL, deployment=DEPLOYMENT)
    assert isinstance(vector, ClosedLoopVectorEnv)
    vector.reset(seed=0, options={"scenario": np.arange(3)})
    envs = [gymnasium.make(ENV_ID, pool=POOL, deployment=DEPLOYMENT).unwrapped for _ in range(3)]
    for i, env in enumerate(envs):
        env.reset(options={"scenario": i})
    actions = np.random.default_rng(0).integers(vector.engine.actions, size=(POOL.steps - 1, 3))
    total = 0.0
    for row in actions:
        obs, _, _, _, info = vector.step(row)
        assert vector.observation_space.contains(obs)
        for i, env in enumerate(envs):
            one_obs, _, _, _, one = env.step(row[i])
            assert (one_obs == obs[i]).all()
            assert one["cost"] == info["cost"][i]
            assert one["costs"] == {name: info["costs"][name][i] for name in one["costs"]}
            assert list(one["costs"]) == ["demographic_parity", "accuracy_floor", "churn"]
            wanted = (
                one["costs"]["demographic_parity"]
                + 2.0 * one["costs"]["accuracy_floor"]
                + one["costs"]["churn"]
            )
            assert one["cost"] == pytest.approx(wanted)
            total += one["cost"]
    assert total > 0.0


def test_suspended_nothing_costs_and_the_fallback_earns() -> None:
    env = ClosedLoopEnv(pool=POOL, deployment=DEPLOYMENT)
    env.reset(seed=0, options={"scenario": 0})
    suspend = DEPLOYMENT.slots + 2
    assert env.action_space == gymnasium.spaces.Discrete(suspend + 1)
    for step in range(POOL.steps):
        obs, reward, _, ended, info = env.step(suspend if step == 0 else 0)
        assert info["quality"] == 0.55 and info["cost"] == 0.0
        assert info["executed"] == (suspend if step == 0 else 0)
        assert obs[env.feature_names.index("suspended")] == 1.0
        assert reward == 0.55 - (DEPLOYMENT.switch_cost if step == 0 else 0.0)
    assert ended and (env.engine.stable[0, 4:] == FALLBACK).all()


def test_the_observation_has_what_is_measured_and_not_the_truth() -> None:
    """The same deployment with other truth observes the same; with other measurements it does not."""
    import dataclasses

    mech = DEPLOYMENT.mechanisms(POOL)

    def walked(**change: np.ndarray) -> tuple[np.ndarray, float]:
        costs = tuple(c if c.at_switch else dataclasses.replace(c, **change) for c in mech.costs)
        env = ClosedLoopVectorEnv(
            3, pool=POOL, deployment=DEPLOYMENT, mechanisms=dataclasses.replace(mech, costs=costs)
        )
        env.reset(seed=0, options={"scenario": np.arange(3)})
        seen, cost = [], 0.0
        for _ in range(POOL.steps - 1):
            obs, _, _, _, info = env.step(np.zeros(3, dtype=np.int64))
            seen.append(obs)
            cost += float(info["cost"].sum())
        return np.stack(seen), cost

    plain, cost = walked()
    other, other_cost = walked(true=np.ones_like(mech.costs[0].true))
    assert (plain == other).all() and other_cost > cost
    assert (walked(seen=np.ones_like(mech.costs[0].seen))[0] != plain).any()


def test_one_agent_can_meet_every_arm() -> None:
    arms = [int(Switch.ROLLBACK), int(Switch.ROLLBACK | Switch.SUSPEND), int(Switch.AUDITS | Switch.TRIGGER)]
    env = ClosedLoopVectorEnv(32, pool=POOL, deployment=DEPLOYMENT, arms=arms)
    obs, info = env.reset(seed=1)
    columns = [
        env.feature_names.index(f"has_{name.lower()}")
        for name in ("rollback", "suspend", "audits", "trigger")
    ]
    want = [
        [info["switches"] & int(Switch[name]) > 0] for name in ("ROLLBACK", "SUSPEND", "AUDITS", "TRIGGER")
    ]
    assert (obs[:, columns] == np.concatenate(want).T).all()
    can = env.action_masks()[:, DEPLOYMENT.slots + 2]
    assert (can == (info["switches"] & int(Switch.SUSPEND) > 0)).all() and can.any() and not can.all()
    # the next episodes draw again
    for _ in range(POOL.steps):
        info = env.step(np.zeros(32, dtype=np.int64))[4]
    assert set(info["switches"].tolist()) <= set(arms) and info["_switches"].all()


def test_it_needs_mechanisms() -> None:
    with pytest.raises(ConfigError, match="needs a deployment with mechanisms"):
        ClosedLoopEnv(pool=POOL, deployment="standard")
