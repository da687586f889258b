"""The training Worlds of fits, stacked; the last pool is kept for the next fit of a process."""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import numpy as np

from mlopsim.core.digest import canonical_json
from mlopsim.core.spec import make
from mlopsim.delivery.pool import WorldPool
from mlopsim.world.cache import default_cache
from mlopsim.world.spec import WorldSpec


@lru_cache(maxsize=1)
def _training_pool(content: str) -> WorldPool:
    import json

    part = json.loads(content)
    trainings = part["training"] if isinstance(part["training"], list) else [part["training"]]
    specs = [
        WorldSpec(
            stream=part["stream"],
            learner=part["learner"],
            training=training,
            split="train",
            index=index,
            root=part["root"],
        )
        for index in range(part["scenarios"])
        for training in trainings
    ]
    # several workers want the same Worlds at first: each builds in an order of its own, so that they
    # share the work instead of doing it twice (no number depends on the order)
    cache = default_cache()
    for place in np.random.default_rng(os.getpid()).permutation(len(specs)):
        if specs[place] not in cache:
            cache.open(specs[place])
    return WorldPool(specs, part["metric"], canary=part["canary"])


def training_pool(part: Mapping[str, Any]) -> WorldPool:
    """Open the training Worlds of a fit; the last pool is kept for the next fit of this process.

    Parameters
    ----------
    part : mapping
        With stream, learner, training, deployment, scenarios, root. ``training`` may be a list of training
        policies: then each scenario has one World for each of them, in this order.
    """
    names = ("stream", "learner", "training", "scenarios", "root")
    content: dict[str, Any] = {name: part[name] for name in names}
    # all that a pool takes from a deployment: fits of several deployments share it, and what was made of it
    deployment = make("deployment", part["deployment"])
    content |= {"metric": deployment.objective, "canary": deployment.has_canary}
    return _training_pool(canonical_json(content))
