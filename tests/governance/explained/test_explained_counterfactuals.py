"""Counterfactuals hold when the policy is run, and are the nearest where that is promised."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from explained_kit import policy, scene

from mlopsim.core.spec import make
from mlopsim.governance.explained.consistent import quantities, violations
from mlopsim.governance.explained.counterfactuals import Counterfactual, counterfactuals
from mlopsim.governance.explained.history import History, history_of
from mlopsim.governance.explained.scene import Watched


class Changed(Watched):
    """A policy that is shown another observation at one step of a true walk."""

    def __init__(self, selector: Any, step: int, obs: np.ndarray) -> None:
        super().__init__(selector)
        self.step, self.other = step, obs

    def act(self, view: Any) -> np.ndarray:
        if len(self.views) == self.step:
            view = view.rows(np.arange(len(view.t)))
            view.obs[:] = self.other
        return super().act(view)


def exhaustive(history: History, step: int) -> dict[tuple[str, bool], tuple[float, int]]:
    """Return the nearest admissible value with another answer, by quantity and side, asking about all."""
    obs = history.views[step].obs[0]
    own = int(history.ask(step, obs[None, :])[0][0])
    found = {}
    for quantity in quantities(history.interface.names, obs, history.interface.deployment):
        grid = quantity.grid()
        answers = history.ask(step, quantity.change(obs, grid))[0]
        for above in (False, True):
            side = grid > quantity.value if above else grid < quantity.value
            other = grid[side & (answers != own)]
            if len(other):
                value = float(other.min() if above else other.max())
                found[quantity.name, above] = value, int(answers[grid == value][0])
    return found


def as_table(found: list[Counterfactual]) -> dict[tuple[str, bool], tuple[float, int]]:
    return {(one.quantity.name, one.value > one.quantity.value): (one.value, one.answer) for one in found}


@pytest.mark.parametrize(("name", "how"), [("linear", "closed form"), ("surrogate_tree", "leaf boxes")])
def test_closed_forms_and_leaf_boxes_find_what_asking_about_everything_finds(name: str, how: str) -> None:
    total = 0
    for seed in range(2):
        of = scene(seed, size=1, feedback="full")
        history = history_of(of, policy(name, of))
        for step in range(1, of.steps, 2):
            found = counterfactuals(history, step)
            wanted = exhaustive(history, step)
            if name == "linear":
                # it reads errors row by row: what labels tell is left out
                labels = {
                    one.name
                    for one in quantities(history.interface.names, history.views[step].obs[0], of.deployment)
                    if one.of_labels
                }
                wanted = {key: value for key, value in wanted.items() if key[0] not in labels}
            assert as_table(found) == wanted
            assert {one.how for one in found} <= {how}
            total += len(found)
    assert total > 2


@pytest.mark.parametrize("name", ["maskable_ppo", "linear", "linucb"])
def test_each_one_is_verified_by_a_true_walk_and_its_neighbour_answers_as_before(name: str) -> None:
    of = scene(5, size=1, latency=1)
    who = policy(name, of)
    history = history_of(of, who)
    seen = 0
    for step in range(1, of.steps):
        obs = history.views[step].obs[0]
        own = int(history.ask(step, obs[None, :])[0][0])
        for found in counterfactuals(history, step, points=16)[:3]:
            changed = found.quantity.change(obs, np.array([found.value, found.still]))
            assert violations(history.interface.names, changed[0], of.deployment) == []
            for row, wanted in zip(changed, (found.answer, own), strict=True):
                walked = Changed(who, step, row)
                of.walk(walked)
                answer, mask = int(walked.answers[step][0]), walked.views[step].mask[0]
                assert (answer if mask[answer] else 0) == wanted
            assert 0.0 < found.move <= 1.0
            seen += 1
    assert seen > 2


def test_a_policy_that_reads_rows_has_no_counterfactual_of_features() -> None:
    of = scene(1, size=1)

    class Rows:
        full_name = "selector/rows"
        uses_inputs = True

        def reset(self, *_: Any) -> None: ...

        def act(self, view: Any) -> np.ndarray:
            return np.zeros(len(view.t), dtype=np.int64)

    rule = make("selector", "never")
    history = history_of(of, rule)
    assert counterfactuals(history, 3) == []
    assert (
        counterfactuals(
            History(
                policy=Rows(),
                interface=history.interface,
                seed=history.seed,
                views=history.views,
                answers=history.answers,
                believed=None,
                alarmed=None,
            ),
            3,
        )
        == []
    )
