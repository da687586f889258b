"""The jobs of the experiment constrained_agents: Worlds, bounds, trainings and roll-outs, each for itself.

All that a job depends on is in its arguments and in the code; answers are numbers that JSON can hold.
Rewards and costs are means of a window.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from mlopsim.core.digest import digest
from mlopsim.core.files import atomic_path
from mlopsim.core.identity import identity_words
from mlopsim.core.seeds import Axis, Split, seed_sequence
from mlopsim.core.spec import canonical, make, split_spec
from mlopsim.core.track import FitResult
from mlopsim.delivery.pool import WorldPool
from mlopsim.delivery.scenarios import pool_of
from mlopsim.delivery.walk import walk
from mlopsim.governance.optimum.case import Case
from mlopsim.governance.optimum.priced import Large
from mlopsim.world.spec import WorldSpec

#: the limit where none matters: of costs, never of what is decided
ANY = 0.5
#: Worlds of the training pool, opened once a worker
_pools: dict[str, WorldPool] = {}


def deployment(settings: Mapping[str, Any], limit: float) -> Any:
    """Return the deployment with this limit."""
    name, params = split_spec("constraint", settings["constraint"])
    constraint = {name.split("/")[-1]: {**params, "limit": limit}}
    return make("deployment", {"governed": {**settings["deployment"], "constraints": [constraint]}})


def conditions(settings: Mapping[str, Any], stream: Any, split: str) -> dict[str, Any]:
    """Return what a roll-out of a family hangs on, but for its number."""
    names = ("root", "learner", "training", "deployment", "constraint")
    return {**{name: settings[name] for name in names}, "stream": stream, "split": split}


def pool(settings: Mapping[str, Any], stream: Any, split: str, start: int, stop: int) -> WorldPool:
    """Open Worlds of a family; builds those that are not in the cache."""
    key = digest([conditions(settings, stream, split), start, stop])
    if key not in _pools:
        specs = [
            WorldSpec.of(
                stream,
                settings["learner"],
                settings["training"],
                split=split,
                index=i,
                root=settings["root"],
            )
            for i in range(start, stop)
        ]
        _pools[key] = pool_of(specs, deployment(settings, ANY))
    return _pools[key]


def build(settings: Mapping[str, Any], stream: Any, split: str, start: int, stop: int) -> int:
    """Build some of the Worlds; returns their number."""
    found = len(pool(settings, stream, split, start, stop))
    # they are opened again with the whole pool
    _pools.clear()
    return found


def bounds(
    settings: Mapping[str, Any], stream: Any, split: str, start: int, stop: int, prices: Sequence[float]
) -> dict[str, list[list[float]]]:
    """Bound what is earned less the price of its cost, and say what the best plan found earns and costs.

    Lists by price and scenario, means of a window.
    """
    some = pool(settings, stream, split, start, stop)
    solvers = [Large(case=case) for case in Case.all_of(some, deployment(settings, ANY))]
    found: dict[str, list[list[float]]] = {"upper": [], "value": [], "cost": []}
    for price in prices:
        rows = []
        for solver in solvers:
            one = solver.at(price)
            best = int(np.argmax(one.played.value - price * one.played.cost))
            ends = (one.upper, one.played.value[best], one.played.cost[best])
            rows.append([float(end) / some.steps for end in ends])
        for name, column in zip(found, zip(*rows, strict=True), strict=True):
            found[name].append(list(column))
    return found


def train(
    settings: Mapping[str, Any], spec: Mapping[str, Any], limit: float, seed: int, arrays: str
) -> dict[str, Any]:
    """Train an agent, keep its arrays in a file, and return the rest of its fit."""
    ((name, params),) = spec.items()
    given = {name: {**params, "train_seed": seed}}
    agent = make("selector", given)
    words = identity_words(canonical("selector", given))
    sequence = seed_sequence(Axis.REPETITION, Split.TRAIN, seed, *words, root=settings["root"])
    whole = pool(settings, settings["stream"], "train", 0, settings["train_scenarios"])
    began = time.process_time()
    fit = agent.train(whole, deployment(settings, limit), settings["steps"], sequence)
    fit.info["cpu_seconds"] = time.process_time() - began
    with atomic_path(Path(arrays)) as path, path.open("wb") as out:
        np.savez_compressed(out, **fit.arrays)
    return dict(fit.info)


def trained(spec: Mapping[str, Any], seed: int, arrays: str, info: Mapping[str, Any]) -> Any:
    """Return an agent that was trained before."""
    ((name, params),) = spec.items()
    agent = make("selector", {name: {**params, "train_seed": seed}})
    with np.load(arrays, allow_pickle=False) as stored:
        agent.load(FitResult(arrays={key: stored[key] for key in stored.files}, info=dict(info)))
    return agent


def roll(
    settings: Mapping[str, Any], stream: Any, limit: float, salt: int, who: Mapping[str, Any]
) -> dict[str, list[float]]:
    """Roll a selector out in all test scenarios of a family.

    ``who``: ``{"rule": spec}``, ``{"trained": [spec, seed, arrays, answer]}`` with the file of the training's
    answer, or ``{"suspended": true}``.
    """
    if "rule" in who:
        selector = make("selector", who["rule"])
    elif "trained" in who:
        spec, seed, arrays, answer = who["trained"]
        info = json.loads(Path(answer).read_text(encoding="utf-8"))["answer"]
        selector = trained(spec, seed, arrays, info)
    else:
        selector = SuspendAlways()
    count = settings["scenarios"]
    seeds = [seed_sequence(Axis.METHOD, Split.TEST, i, salt, root=settings["root"]) for i in range(count)]
    found = walk(selector, pool(settings, stream, "test", 0, count), deployment(settings, limit), seeds=seeds)
    (costs,) = found.costs.values()
    return {"returns": found.reward.mean(axis=1).tolist(), "costs": costs.mean(axis=1).tolist()}


class SuspendAlways:
    """Suspends at the first decision and never does anything else."""

    full_name = "selector/suspend-always"
    can_suspend = True
    uses_errors = False

    def reset(self, n: int, interface: Any, seeds: Sequence[np.random.SeedSequence]) -> None:
        """Take note of the number of the action."""
        self.suspend = interface.suspend

    def act(self, view: Any) -> np.ndarray:
        """Suspend where that is possible."""
        return np.where(view.mask[:, self.suspend], self.suspend, 0).astype(np.int64)
