"""The jobs of the experiment constrained_agents: Worlds, bounds, trainings, tuning, roll-outs.

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
from mlopsim.delivery.search_space import draw, merged, named, possible, space_of
from mlopsim.delivery.walk import walk
from mlopsim.governance.optimum.case import Case
from mlopsim.governance.optimum.priced import Large
from mlopsim.governance.within import Allowed, Within
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

    ``who``: ``{"rule": spec}``, or ``{"trained": [spec, seed, arrays, answer]}``: files of a training.
    """
    if "rule" in who:
        selector = make("selector", who["rule"])
    else:
        spec, seed, arrays, answer = who["trained"]
        info = json.loads(Path(answer).read_text(encoding="utf-8"))["answer"]
        selector = trained(spec, seed, arrays, info)
    whole = pool(settings, stream, "test", 0, settings["scenarios"])
    returns, costs = walked(settings, selector, whole, Split.TEST, limit, salt)
    return {"returns": returns.tolist(), "costs": costs.tolist()}


def walked(
    settings: Mapping[str, Any], selector: Any, some: WorldPool, split: Split, limit: float, salt: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return mean reward and mean cost of a window in every scenario of a pool."""
    seeds = [seed_sequence(Axis.METHOD, split, i, salt, root=settings["root"]) for i in range(len(some))]
    found = walk(selector, some, deployment(settings, limit), seeds=seeds)
    (costs,) = found.costs.values()
    return found.reward.mean(axis=1), costs.mean(axis=1)


def best_within(returns: np.ndarray, costs: np.ndarray, limit: float, level: float) -> tuple[int, bool]:
    """Choose one of several methods by its deployments: (methods, n) each.

    The highest return among those whose upper limit of the cost is at most the limit, else the lowest cost.
    Returns its number and whether it complies.
    """
    within = Within(limits=[Allowed(name="cost", limit=limit)], level=level)
    ranks = [within.rank(one, cost[:, None]) for one, cost in zip(returns, costs, strict=True)]
    best = max(range(len(ranks)), key=lambda i: ranks[i])
    return best, within.met(costs[best][:, None])


def tune(settings: Mapping[str, Any], rule: str, limit: float) -> dict[str, Any]:
    """Tune a rule under a limit on training scenarios, in as many steps as an agent is trained.

    The default and random draws of its space, as many as the steps suffice for. A rule without a space stays
    as it is, and takes no steps.
    """
    began = time.process_time()
    some = pool(settings, settings["stream"], "train", 0, settings["tuned_on"])
    space = named(space_of(make("selector", rule)), deployment(settings, limit).limit_names())
    words = identity_words(canonical("selector", rule))
    rng = np.random.default_rng(seed_sequence(Axis.REPETITION, Split.TRAIN, 0, *words, root=settings["root"]))
    drawn: list[dict[str, Any]] = [{}]
    size = max(settings["steps"] // (len(some) * some.steps), 1) if space else 1
    while len(drawn) < size:
        params = merged(rule, {name: draw(choice, rng) for name, choice in space.items()})
        if possible(make("selector", {rule: params})):
            drawn.append(params)
    if not space:
        return {"spec": {rule: {}}, "met": None, "steps_used": 0, "cpu_seconds": 0.0}
    rows = [
        walked(settings, make("selector", {rule: params}), some, Split.TRAIN, limit, 0) for params in drawn
    ]
    returns, costs = (np.stack(column) for column in zip(*rows, strict=True))
    best, met = best_within(returns, costs, limit, settings["level"])
    return {
        "spec": {rule: drawn[best]},
        "met": met,
        "steps_used": returns.size * some.steps,
        "cpu_seconds": time.process_time() - began,
    }
