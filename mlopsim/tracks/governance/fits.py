"""Fits of the governance track: tuned rules and trained agents, from training scenarios only."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from mlopsim.core.identity import identity_words
from mlopsim.core.registry import find
from mlopsim.core.seeds import Axis, Split, seed_sequence
from mlopsim.core.spec import make
from mlopsim.core.track import FitResult
from mlopsim.delivery.pool import WorldPool
from mlopsim.governance.agents.closed_loop import HELD_BACK
from mlopsim.governance.agents.held_back import held_back
from mlopsim.governance.within import Within
from mlopsim.tracks.governance.arms import SEARCH
from mlopsim.tracks.governance.reach import check_reachable
from mlopsim.tracks.governance.worlds import PAIRED
from mlopsim.tracks.rolling import seeded_parts
from mlopsim.tracks.training_worlds import training_pool


def make_fit(part: Mapping[str, Any]) -> FitResult:
    """Make the fit that a job describes.

    Parameters
    ----------
    part : mapping
        method, stream, learner, training (a list: with and without the data gate), deployment, scenarios,
        steps, root; ``chosen_on``: of a rule, on how many scenarios that are kept back it is chosen at most;
        ``worlds``: which of the two trainings count, as numbers; ``arms``: the sets of switches.

    Returns
    -------
    FitResult
        For a rule ``info["params"]``; for an agent its weights and scaling. Both tell the steps used, which
        are an attribute, too, as is the number of arms that it was made for, and ``fit_met``: whether what
        was chosen was shown to keep all limits on training scenarios (an agent: in each of its arms).

    Raises
    ------
    ConfigError
        If nothing can meet a limit of the deployment in these scenarios.
    """
    content = part["method"]
    cls = find("selector", content["name"])
    deployment = make("deployment", part["deployment"])
    pool = _worlds(part)
    for arm in part["arms"]:
        check_reachable(pool, deployment, arm)
    words = identity_words(content, *seeded_parts(part, PAIRED))
    if getattr(cls, "agent", False):
        params = {**content["params"], "arms": list(part["arms"])}
        selector = make("selector", {"kind": "selector", "name": content["name"], "params": params})
        seed = seed_sequence(Axis.REPETITION, Split.TRAIN, selector.train_seed, *words, root=part["root"])
        result: FitResult = selector.train(pool, deployment, part["steps"], seed)
    else:
        from mlopsim.delivery.tuning import tune

        free = list(content["free"])
        fixed = {name: value for name, value in content["params"].items() if name not in free}
        seed = seed_sequence(Axis.METHOD, Split.TRAIN, int(content.get(SEARCH, 0)), *words, root=part["root"])
        (switches,) = part["arms"]
        name = content["name"]
        within = Within.of(deployment)
        # chosen on scenarios as agents are: whole ones, as many of each family, in the same turns
        held = held_back(pool, HELD_BACK)
        judges = held.judges[: part["chosen_on"]]
        tuned = tune(
            name,
            fixed,
            free,
            pool.select(held.training),
            deployment,
            part["steps"],
            seed,
            validation_pool=pool.select(np.concatenate(judges)),
            switches=switches,
            by=within,
        )
        info = {"params": tuned.params, "steps_used": tuned.steps_used, "history": tuned.history}
        if within is not None and tuned.rank is not None:
            info["choice"] = {"met": tuned.rank[0] == 1.0}
        result = FitResult(info=info)
    if "choice" in result.info:
        result.attributes["fit_met"] = bool(result.info["choice"]["met"])
    result.attributes["fit_steps"] = int(result.info["steps_used"])
    # with and without the data gate, in each set of switches: they share the steps, whoever is in the table
    result.attributes["fit_arms"] = len(part["arms"]) * len(part["worlds"])
    return result


def _worlds(part: Mapping[str, Any]) -> WorldPool:
    """Return the training Worlds of the trainings that count; all fits of a process share the whole pool."""
    pool, kinds = training_pool(part), len(part["training"])
    if len(part["worlds"]) == kinds:
        return pool
    return pool.select(np.flatnonzero(np.isin(np.arange(len(pool)) % kinds, part["worlds"])))
