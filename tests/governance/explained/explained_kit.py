"""Small scenes with policies of each kind: without and with a memory, with draws, with a network."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np

from mlopsim.checks.selector import ready
from mlopsim.core.registry import find
from mlopsim.core.spec import make
from mlopsim.delivery.engine import Engine
from mlopsim.governance.explained.scene import Scene

sys.path.insert(0, str(Path(__file__).parents[2] / "delivery"))
from delivery_fakes import fake_pool

#: an agent with a network, a score with a memory, one with a trigger, one that draws, a bandit that draws
POLICIES = ("maskable_ppo", "linear", "error_threshold", "random", "thompson")


def scene(seed: int = 0, size: int = 3, **setting: Any) -> Scene:
    """Return a scene of random Worlds."""
    deployment = make("deployment", "standard", **setting)
    pool = fake_pool(seed, size, metric=deployment.objective)
    return Scene(
        pool=pool,
        deployment=deployment,
        which=np.arange(size),
        seeds=np.random.SeedSequence(seed).spawn(size),
    )


def policy(name: str, of: Scene) -> Any:
    """Return a policy that is ready to walk a scene; an agent has a random network."""
    return ready(find("selector", name), Engine(of.pool, of.deployment, 1).interface, {})
