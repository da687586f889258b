"""Fits of the delivery track: tuned rules and trained agents, from training scenarios only."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mlopsim.core.identity import identity_words
from mlopsim.core.registry import find
from mlopsim.core.seeds import Axis, Split, seed_sequence
from mlopsim.core.spec import make
from mlopsim.core.track import FitResult
from mlopsim.tracks.rolling import build_selector, seeded_parts
from mlopsim.tracks.training_worlds import training_pool


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
