"""The contract checks of selectors find what is planted."""

from __future__ import annotations

from dataclasses import field
from typing import Any, ClassVar

import numpy as np
import pytest

from mlopsim.core.errors import ConfigError
from mlopsim.core.track import FitResult
from mlopsim.delivery.search_space import Range
from mlopsim.delivery.selector import Interface, View


class Good:
    """A selector that retrains where the inputs have moved and a retrain is possible."""

    def reset(self, n: int, interface: Interface, seeds: Any) -> None:
        self.n, self.interface = n, interface

    def act(self, view: View) -> np.ndarray:
        moved = (view["serving_ks"] > 0.5) & view.mask[:, -1]
        return np.where(moved, self.interface.retrain, 0).astype(np.int64)


class NoSuchAction(Good):
    """A selector that answers with a number beyond the actions."""

    def act(self, view: View) -> np.ndarray:
        return np.full(self.n, self.interface.retrain + 1)


class Floats(Good):
    """A selector that answers with numbers that are not whole."""

    def act(self, view: View) -> np.ndarray:
        return np.zeros(self.n)


class PeeksAtNeighbours(Good):
    """A selector that compares a deployment with the mean of the others."""

    def act(self, view: View) -> np.ndarray:
        ks = view["serving_ks"]
        return np.where((ks > ks.mean()) & view.mask[:, -1], self.interface.retrain, 0).astype(np.int64)


class NumberedWalks(Good):
    """A selector that treats the first roll-out of a batch in another way."""

    def act(self, view: View) -> np.ndarray:
        actions = super().act(view)
        actions[0] = 0
        return actions


class KeepsState(Good):
    """A selector that remembers across a reset."""

    calls: ClassVar[int] = 0

    def act(self, view: View) -> np.ndarray:
        type(self).calls += 1
        return super().act(view) * (type(self).calls % 3 == 0)


class RemembersThePast(Good):
    """A selector that looks up what came next the last time."""

    def __post_init__(self) -> None:
        self.before: list[np.ndarray] = []
        self.now: list[np.ndarray] = []

    def reset(self, n: int, interface: Interface, seeds: Any) -> None:
        super().reset(n, interface, seeds)
        self.before, self.now = self.now, []

    def act(self, view: View) -> np.ndarray:
        self.now.append(view["serving_ks"].copy())
        step = len(self.now)
        if len(self.before) > step and len(self.before[step]) == self.n:
            return np.where((self.before[step] > 0.5) & view.mask[:, -1], self.interface.retrain, 0)
        return super().act(view)


class OwnChance(Good):
    """A selector that throws the global dice."""

    def act(self, view: View) -> np.ndarray:
        return super().act(view) * (np.random.random(self.n) < 0.5)  # noqa: NPY002


class SpawnsSeeds(Good):
    """A selector that spawns from the seeds of others."""

    def reset(self, n: int, interface: Interface, seeds: Any) -> None:
        super().reset(n, interface, seeds)
        self.rngs = [np.random.default_rng(seed.spawn(1)[0]) for seed in seeds]


class WritesIntoTheView(Good):
    """A selector that changes what it is shown."""

    def act(self, view: View) -> np.ndarray:
        actions = super().act(view)
        view.mask[:, 1:] = False
        return actions


class ReadsTheTruth(Good):
    """A selector that asks for what nobody publishes."""

    def act(self, view: Any) -> np.ndarray:
        return np.where(view.world.concept[view.t] > 0, self.interface.retrain, 0)


class UnknownFeature(Good):
    """A selector that asks for a feature that does not exist."""

    def act(self, view: View) -> np.ndarray:
        return np.where(view["true_accuracy"] > 0, 0, 0)


class SaysNoErrors(Good):
    """A selector that reads the errors although it says that it does not."""

    uses_errors: ClassVar[bool] = False

    def act(self, view: View) -> np.ndarray:
        some = (view.errors > 0).any(axis=1) & view.mask[:, -1]
        return np.where(some, self.interface.retrain, 0)


class SaysNoInputs(Good):
    """A selector that reads the inputs although it says that it reads errors."""

    reads: ClassVar[str] = "errors"


class SaysNoRows(Good):
    """A selector that reads rows although it says that it reads errors."""

    uses_inputs: ClassVar[bool] = True
    reads: ClassVar[str] = "errors"

    def act(self, view: View) -> np.ndarray:
        inputs = view.inputs
        assert inputs is not None
        far = np.array([inputs.window(i).mean() > 1.0 for i in range(self.n)])
        return np.where(far & view.mask[:, -1], self.interface.retrain, 0)


class SaysNoLabels(Good):
    """A selector that reads an accuracy although it says that it reads inputs."""

    reads: ClassVar[str] = "inputs"

    def act(self, view: View) -> np.ndarray:
        low = (view["recent_accuracy"] < 0.5) & view.mask[:, -1]
        return np.where(low, self.interface.retrain, 0)


class ReadsTea(Good):
    """A selector that reads what there is no word for."""

    reads: ClassVar[str] = "tea leaves"


class NoFamily(Good):
    """A selector whose family has no name."""

    family: ClassVar[str] = ""


class StrangeSpace(Good):
    """A selector whose space names no parameter of it."""

    space: ClassVar[dict[str, Any]] = {"level": Range(0.0, 1.0)}


class DefaultOutside(Good):
    """A selector with a level that lies outside of its own space.

    Parameters
    ----------
    level : float
        Of the shift.
    """

    level: float = 2.0
    space: ClassVar[dict[str, Any]] = {"level": Range(0.0, 1.0)}


class RefusesItsSpace(DefaultOutside):
    """A selector with a level whose space holds what is refused."""

    level: float = 0.1

    def __post_init__(self) -> None:
        if self.level > 0.5:
            raise ConfigError("too much")


class UntrainedAgent(Good):
    """An agent that acts without having been trained."""

    agent: ClassVar[bool] = True

    def train(self, pool: Any, deployment: Any, steps: int, seed: Any) -> FitResult:
        assert len(pool) == 2
        return FitResult(info={"level": 0.5})

    def load(self, fit: FitResult) -> None:
        self.level = fit.info["level"]


class TrainedAgent(UntrainedAgent):
    """An agent of somebody else that fulfils the contract."""

    def reset(self, n: int, interface: Interface, seeds: Any) -> None:
        if not hasattr(self, "level"):
            raise ConfigError("not trained", remedy="train it")
        super().reset(n, interface, seeds)


class Undocumented(Good):
    """A selector with a level."""

    level: float = 0.5
    limit: int = 3


SELECTORS = [
    (NoSuchAction, "actions", "actions are 0"),
    (Floats, "actions", "float64"),
    (PeeksAtNeighbours, "independent", "beside it"),
    (NumberedWalks, "independent", "beside it"),
    (KeepsState, "deterministic", "after a reset"),
    (RemembersThePast, "causal", "look the same so far"),
    (OwnChance, "deterministic", "global random numbers"),
    (SpawnsSeeds, "view", "spawns"),
    (WritesIntoTheView, "view", "changes view.mask"),
    (ReadsTheTruth, "actions", "view.world, which is not published"),
    (UnknownFeature, "actions", "true_accuracy"),
    (SaysNoErrors, "errors", "reads view.errors"),
    (SaysNoInputs, "reads", "change with the inputs"),
    (SaysNoRows, "reads", "change with the inputs"),
    (SaysNoLabels, "reads", "change with the labels"),
    (ReadsTea, "reads", "'tea leaves'"),
    (NoFamily, "facts", "family"),
    (StrangeSpace, "space", "no parameter"),
    (DefaultOutside, "space", "outside"),
    (RefusesItsSpace, "space", "refused: too much"),
    (UntrainedAgent, "untrained", "without having been trained"),
    (Undocumented, "documented", "limit"),
]  # fmt: skip


@pytest.mark.parametrize(("cls", "check", "text"), SELECTORS, ids=[cls.__name__ for cls, _, _ in SELECTORS])
def test_faults_of_selectors_are_found(plant: Any, cls: type[Any], check: str, text: str) -> None:
    problems = plant("selector", cls)
    assert text in problems.get(check, ""), problems


def test_good_selectors_pass(plant: Any) -> None:
    assert plant("selector", Good) == {}


def test_a_foreign_agent_passes(plant: Any) -> None:
    assert plant("selector", TrainedAgent) == {}


def test_crashes_are_reported_by_name(plant: Any) -> None:
    class Crashing(Good):
        """A selector that divides by zero."""

        values: list[int] = field(default_factory=list)

        def act(self, view: View) -> np.ndarray:
            raise ZeroDivisionError("oh")

    problems = plant("selector", Crashing)
    assert problems["actions"] == "ZeroDivisionError: oh"
