"""Forks where a deployment can be suspended and versions have costs: suspend is an action, costs exact."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from explained_kit import scene

from mlopsim.checks.selector import ready
from mlopsim.core.registry import find
from mlopsim.delivery.engine import Engine
from mlopsim.delivery.mechanisms import EVERY_SWITCH, Costs, Mechanisms, Switch
from mlopsim.governance.explained.decision import explain
from mlopsim.governance.explained.forks import exact_return, fork
from mlopsim.governance.explained.page import alternatives
from mlopsim.governance.explained.scene import Scene


def guarded(seed: int, size: int = 3) -> tuple[Scene, Mechanisms]:
    """Return a scene with a fallback and one constraint."""
    of = scene(seed, size=size)
    rng = np.random.default_rng(seed)
    cost = rng.random((size, of.pool.reward.shape[1])).round(2)
    mechanisms = Mechanisms(
        fallback=np.full((size, of.pool.windows), 0.55),
        costs=(Costs(name="parity", true=cost, seen=cost.astype(np.float32), lag=1, limit=0.2),),
    )
    return replace(of, options={"mechanisms": mechanisms}), mechanisms


class Drawn:
    """Any possible action, suspend too, by seed and step."""

    full_name = "selector/drawn"
    uses_errors = False
    can_suspend = True

    def reset(self, n: int, interface: Any, seeds: Any) -> None:
        self.seeds = [int(seed.generate_state(1)[0]) for seed in seeds]

    def act(self, view: Any) -> np.ndarray:
        drawn = [
            np.random.default_rng([seed, int(t)]).random(view.mask.shape[1])
            for seed, t in zip(self.seeds, view.t, strict=True)
        ]
        return np.asarray((np.array(drawn) * view.mask).argmax(axis=1))


def test_suspending_is_forked_and_costs_are_those_of_the_walk() -> None:
    of, _ = guarded(1)
    who = Drawn()
    found, own = fork(of, who), of.walk(who)
    last = found.mask.shape[1] - 1
    assert last == 6 and found.mask[:, last].any() and (found.done == last).any()
    after = np.cumsum(own.costs["parity"][:, ::-1], axis=1)[:, ::-1].ravel()
    mine = found.costs["parity"][np.arange(len(after)), found.chosen]
    assert mine == pytest.approx(after, abs=1e-10)
    # the fallback costs nothing as long as it serves
    assert np.nanmin(found.costs["parity"]) >= 0.0 and np.nanmax(found.costs["parity"]) > 0.0


def test_the_lemma_holds_with_suspensions() -> None:
    of, _ = guarded(2)
    engine = Engine(of.pool, of.deployment, 1, mechanisms=of.options["mechanisms"])
    tree = ready(find("selector", "surrogate_tree"), engine.interface, {})
    walks = of.walk(Drawn())
    found = fork(of, tree, forced=walks.executed)
    difference = exact_return(walks, found.unit) - exact_return(of.walk(tree), found.unit)
    # the tree does not know suspend, and its Q of it is exact all the same
    assert tree.tree.outputs == 6 and found.mask.shape[1] == 7 and (found.done == 6).any()
    assert np.array_equal(difference, np.bincount(found.row, found.lost_by_done))


def test_switches_go_with_their_deployment() -> None:
    of, _ = guarded(3)
    every = np.full(3, int(EVERY_SWITCH))
    off = every.copy()
    off[1] &= ~int(Switch.SUSPEND)
    mixed = replace(of, each={"switches": off})
    found = fork(mixed, Drawn())
    suspends = [bool(found.mask[found.row == row, -1].any()) for row in range(3)]
    assert suspends == [True, False, True]
    alone = fork(mixed.of(np.array([1])), Drawn())
    assert np.array_equal(alone.values, found.values[found.row == 1], equal_nan=True)


def test_a_suspended_deployment_is_explained_in_words() -> None:
    of, _ = guarded(1)
    walked = of.walk(Drawn())
    step = int(np.flatnonzero(walked.executed[0] == 6)[0])
    explained = explain(of, Drawn(), of.first + step)
    assert explained.actions[explained.answer] == "suspend"
    assert "cost parity" in alternatives(explained).columns
    later = explain(of, Drawn(), of.first + step + 1)
    assert later.actions[0] == "keep the fallback"
