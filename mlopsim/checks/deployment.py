"""Contract checks of deployments: what the dynamics read of them, and roll-outs through two small Worlds."""

from __future__ import annotations

import math
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from mlopsim.checks.base import Check, generator, identical, require
from mlopsim.core.spec import make
from mlopsim.delivery.deployments.standard import Feedback
from mlopsim.delivery.env import DeliveryEnv
from mlopsim.delivery.vector import DeliveryVectorEnv
from mlopsim.world.build import build_world
from mlopsim.world.spec import WorldSpec

if TYPE_CHECKING:
    from mlopsim.world.world import World

STREAM = {"synthetic": {"windows": 30, "rows": 20, "warmup": 5, "concept": "sea", "schedule": "abrupt"}}
PARTS = ("quality", "switch", "retrain", "shadow")


@cache
def _worlds() -> tuple[World, ...]:
    return tuple(build_world(WorldSpec.of(STREAM, "ridge", "last", index=index)) for index in range(2))


def _parameters(cls: type[Any]) -> None:
    setting = make("deployment", cls.name)
    whole = ("slots", "label_delay", "latency", "cooldown", "canary_windows")
    for name in whole:
        value = getattr(setting, name)
        require(type(value) is int and value >= 0, f"{name} is {value!r}, expected a whole number")
    for name in ("switch_cost", "retrain_cost", "shadow_cost"):
        value = getattr(setting, name)
        require(math.isfinite(value) and value >= 0.0, f"{name} is {value!r}, expected a cost")
    require(setting.budget is None or setting.budget >= 0.0, f"budget is {setting.budget!r}")
    require(0.0 < setting.canary_share <= 1.0, f"canary_share is {setting.canary_share!r}")
    require(isinstance(setting.feedback, Feedback), f"feedback is {setting.feedback!r}", remedy="a Feedback")
    needed = 1 + (not setting.deploy_on_arrival) + setting.has_canary
    require(setting.slots >= needed, f"{setting.slots} slots, but its switches need {needed}")
    for world in _worlds():
        values = world.metric(setting.objective)
        require(values.ndim == 2, f"the objective {setting.objective!r} is no metric of a World")


def _walked(env: DeliveryVectorEnv, steps: int) -> tuple[list[np.ndarray], dict[str, np.ndarray]]:
    """Return random possible actions in both Worlds, and what each step said, (steps, 2)."""
    rng = generator()
    env.reset(seed=0, options={"scenario": np.arange(2)})
    actions, said = [], []
    for _ in range(steps):
        mask = env.action_masks()
        actions.append(np.where(mask, rng.random(mask.shape), -1.0).argmax(axis=1))
        _, reward, _, _, info = env.step(actions[-1])
        said.append({"reward": reward, **{name: info[name] for name in (*PARTS, "invalid")}})
    return actions, {name: np.array([step[name] for step in said]) for name in said[0]}


def _vector(cls: type[Any]) -> tuple[DeliveryVectorEnv, int]:
    env = DeliveryVectorEnv(2, deployment=cls.name, worlds=_worlds())
    # the last step begins the next episode
    return env, env.pool.steps - 1


def _costs(cls: type[Any]) -> None:
    env, steps = _vector(cls)
    setting = env.deployment
    _, said = _walked(env, steps)
    require(not said["invalid"].any(), "a possible action was not executed")
    total = ((said["quality"] + said["switch"]) + said["retrain"]) + said["shadow"]
    require(identical(total, said["reward"]), "the parts of the reward do not add up to it")
    for name in PARTS[1:]:
        require(bool((said[name] <= 0.0).all()), f"a cost of {name} is earned")
    spent = -(said["switch"] + said["retrain"]).sum(axis=0)
    if setting.budget is not None:
        require(
            bool((spent <= setting.budget + 1e-9).all()), f"{spent} spent of a budget of {setting.budget}"
        )


def _environments(cls: type[Any]) -> None:
    env, steps = _vector(cls)
    actions, said = _walked(env, steps)
    for number in range(2):
        alone = DeliveryEnv(deployment=cls.name, worlds=_worlds())
        alone.reset(seed=0, options={"scenario": number})
        rewards = [alone.step(np.int64(action[number]))[1] for action in actions]
        require(
            identical(np.array(rewards), said["reward"][:, number]),
            "one deployment and several at once earn other rewards by the same actions",
        )


CHECKS = [
    Check(name="parameters", text="has what the dynamics read, in its range", run=_parameters),
    Check(name="costs", text="possible actions are executed, costs add up within the budget", run=_costs),
    Check(name="environments", text="one roll-out and many at once agree to the bit", run=_environments),
]
