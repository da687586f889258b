"""Fits of the delivery track: tuned rules and trained agents, from training scenarios only."""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import numpy as np

from mlopsim.core.digest import canonical_json
from mlopsim.core.identity import identity_words
from mlopsim.core.registry import find
from mlopsim.core.seeds import Axis, Split, seed_sequence
from mlopsim.core.spec import make
from mlopsim.core.track import FitResult
from mlopsim.delivery.pool import WorldPool
from mlopsim.delivery.scenarios import pool_of
from mlopsim.world.cache import default_cache
from mlopsim.world.spec import WorldSpec

#: parts of a fit that its seed hangs on, beside the method
SEEDED = ("stream", "learner", "training", "deployment")


def seeded_parts(part: Mapping[str, Any]) -> list[Any]:
    """Return the parts of a task or fit that seeds hang on, the deployment without its feedback.

    So a method that reads no scores of versions is tuned and rolled out alike under every feedback, and what
    differs between two of them is what is seen, not the luck of two searches.

    Examples
    --------
    >>> from mlopsim.core.spec import canonical
    >>> part = dict.fromkeys(SEEDED) | {"deployment": canonical("deployment", {"standard": {"slots": 2}})}
    >>> "feedback" in seeded_parts(part)[3]["params"], seeded_parts(part)[3]["params"]["slots"]
    (False, 2)
    """
    found = [part[kind] for kind in SEEDED]
    params = {name: value for name, value in found[-1]["params"].items() if name != "feedback"}
    return [*found[:-1], {**found[-1], "params": params}]


@lru_cache(maxsize=1)
def _training_pool(content: str) -> WorldPool:
    import json

    part = json.loads(content)
    specs = [
        WorldSpec(
            stream=part["stream"],
            learner=part["learner"],
            training=part["training"],
            split="train",
            index=index,
            root=part["root"],
        )
        for index in range(part["scenarios"])
    ]
    # several workers want the same Worlds at first: each builds in an order of its own, so that they
    # share the work instead of doing it twice (no number depends on the order)
    cache = default_cache()
    for place in np.random.default_rng(os.getpid()).permutation(len(specs)):
        if specs[place] not in cache:
            cache.open(specs[place])
    return pool_of(specs, make("deployment", part["deployment"]))


def training_pool(part: Mapping[str, Any]) -> WorldPool:
    """Open the training Worlds of a fit; the last pool is kept for the next fit of this process.

    Parameters
    ----------
    part : mapping
        With stream, learner, training, deployment, scenarios, root.
    """
    names = ("stream", "learner", "training", "deployment", "scenarios", "root")
    return _training_pool(canonical_json({name: part[name] for name in names}))


def build_selector(content: Mapping[str, Any], fit: FitResult | None) -> Any:
    """Build a selector from a method's part, with the parameters or weights of its fit."""
    params = dict(content["params"])
    if fit is not None and "params" in fit.info:
        params.update(fit.info["params"])
    part = {"kind": content["kind"], "name": content["name"], "params": params}
    selector = make("selector", part)
    if getattr(type(selector), "agent", False):
        assert fit is not None
        selector.load(fit)
    return selector


def make_fit(part: Mapping[str, Any], teacher: FitResult | None = None) -> FitResult:
    """Make the fit that a job describes.

    Parameters
    ----------
    part : mapping
        method, stream, learner, training, deployment, scenarios, steps, root; ``teacher``, the method that it
        stands on, if there is one.
    teacher : FitResult, optional
        The teacher's fit, if it needs one.

    Returns
    -------
    FitResult
        For a rule ``info["params"]``; for an agent its weights and scaling. Both tell the steps used, which
        are an attribute, too.
    """
    result = _made(part, teacher)
    result.attributes["fit_steps"] = int(result.info["steps_used"])
    return result


def _made(part: Mapping[str, Any], teacher: FitResult | None) -> FitResult:
    content = part["method"]
    cls = find("selector", content["name"])
    pool = training_pool(part)
    deployment = make("deployment", part["deployment"])
    words = identity_words(content, *seeded_parts(part))
    if getattr(cls, "agent", False):
        selector = make("selector", {k: content[k] for k in ("kind", "name", "params")})
        seed = seed_sequence(Axis.REPETITION, Split.TRAIN, selector.train_seed, *words, root=part["root"])
        if "teacher" in part:
            used = 0 if teacher is None else int(teacher.info["steps_used"])
            selector.teach(build_selector(part["teacher"], teacher), used)
        result: FitResult = selector.train(pool, deployment, part["steps"], seed)
        return result
    from mlopsim.delivery.tuning import tune

    free = list(content["free"])
    fixed = {name: value for name, value in content["params"].items() if name not in free}
    # a selector walks alike whichever of its searches it comes from: the number is in no other seed
    number = content.get("tuning", 0)
    seed = seed_sequence(Axis.METHOD, Split.TRAIN, number, *words, root=part["root"])
    tuned = tune(content["name"], fixed, free, pool, deployment, part["steps"], seed)
    return FitResult(info={"params": tuned.params, "steps_used": tuned.steps_used, "history": tuned.history})
