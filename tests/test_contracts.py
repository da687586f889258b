"""The contract checks hold for every component, and find what is planted."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
import pytest

from mlopsim.core.contract import check_component, checks_for
from mlopsim.core.errors import ConfigError
from mlopsim.core.registry import PACKAGES, find, names, register, unregister
from mlopsim.core.track import FitResult
from mlopsim.delivery.selector import Interface, View
from mlopsim.delivery.space import Range
from mlopsim.learners.models import ConstantModel
from mlopsim.learners.presets.ridge import Ridge
from mlopsim.streams.concepts.sea import Sea
from mlopsim.streams.durations._base import Duration
from mlopsim.streams.schedules.abrupt import Abrupt
from mlopsim.streams.shifts.covariate import Covariate
from mlopsim.streams.sources.synthetic import Synthetic
from mlopsim.streams.stream import DriftEvent, DriftKind, Stream

EVERYTHING = [(kind, name) for kind in PACKAGES for name in names(kind)]


@pytest.mark.parametrize(("kind", "name"), EVERYTHING, ids=[f"{k}/{n}" for k, n in EVERYTHING])
def test_every_component_fulfils_its_contract(kind: str, name: str) -> None:
    problems = {v.check: v.problem for v in check_component(find(kind, name)) if v.problem}
    assert not problems


@pytest.mark.parametrize(("kind", "name"), EVERYTHING, ids=[f"{k}/{n}" for k, n in EVERYTHING])
def test_every_component_has_an_example(kind: str, name: str) -> None:
    assert ">>>" in (find(kind, name).__doc__ or "")


@pytest.mark.parametrize(
    "kind", ["concept", "schedule", "duration", "shift", "stream", "learner", "training", "selector"]
)
def test_rooms_add_checks_of_their_own(kind: str) -> None:
    own = {check.name for check in checks_for(kind)} - {check.name for check in checks_for("track")}
    assert own
    assert len({check.name for check in checks_for(kind)}) == len(checks_for(kind))


# -- planted faults ----------------------------------------------------------------------------------


@pytest.fixture
def plant() -> Iterator[Callable[..., dict[str, str]]]:
    """Register a class, check it, and return the problems by check."""
    done: list[tuple[str, str]] = []

    def check(kind: str, cls: type[Any]) -> dict[str, str]:
        cls.__module__ = __name__
        made = dataclass(kw_only=True)(cls)
        register(kind, "planted")(made)
        done.append((kind, "planted"))
        return {v.check: v.problem for v in check_component(made) if v.problem}

    yield check
    for kind, name in done:
        unregister(kind, name)


class Good:
    """A selector that retrains where the inputs have moved and a retrain is possible."""

    def reset(self, n: int, interface: Interface, seeds: Any) -> None:
        self.n, self.interface = n, interface

    def act(self, view: View) -> np.ndarray:
        moved = (view["serving_ks"] > 0.5) & view.mask[:, -1]
        return np.where(moved, self.interface.retrain, 0).astype(np.int64)


class IgnoresTheMask(Good):
    """A selector that retrains without asking whether that is possible."""

    def act(self, view: View) -> np.ndarray:
        return np.where(view["serving_ks"] > 0.5, self.interface.retrain, 0).astype(np.int64)


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
    """A selector that treats the first walk of a batch in another way."""

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
    (IgnoresTheMask, "possible", "impossible action"),
    (NoSuchAction, "possible", "actions are 0"),
    (Floats, "possible", "float64"),
    (PeeksAtNeighbours, "independent", "beside it"),
    (NumberedWalks, "independent", "beside it"),
    (KeepsState, "deterministic", "after a reset"),
    (RemembersThePast, "causal", "look the same so far"),
    (OwnChance, "deterministic", "global random numbers"),
    (SpawnsSeeds, "view", "spawns"),
    (WritesIntoTheView, "view", "changes view.mask"),
    (ReadsTheTruth, "possible", "view.world, which is not published"),
    (UnknownFeature, "possible", "true_accuracy"),
    (SaysNoErrors, "errors", "reads view.errors"),
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


class Mutating(Ridge):
    """A ridge classifier with an alpha that centres the rows that it is given in place."""

    def fit(self, X: np.ndarray, y: np.ndarray, n_classes: int, seed: Any) -> Any:
        X -= X.mean(axis=0)
        return super().fit(X, y, n_classes, seed)


class Dice(Ridge):
    """A ridge classifier with an alpha that trains on rows drawn by global chance."""

    def fit(self, X: np.ndarray, y: np.ndarray, n_classes: int, seed: Any) -> Any:
        rows = np.random.permutation(len(X))[: max(1, len(X) // 2)]  # noqa: NPY002
        return super().fit(X[rows], y[rows], n_classes, seed)


class Stateful(Ridge):
    """A ridge classifier with an alpha that grows from fit to fit."""

    def fit(self, X: np.ndarray, y: np.ndarray, n_classes: int, seed: Any) -> Any:
        self.alpha *= 100.0
        return super().fit(X, y, n_classes, seed)


class OtherFit(Ridge):
    """A ridge classifier with an alpha that is another one for single fits."""

    def fit(self, X: np.ndarray, y: np.ndarray, n_classes: int, seed: Any) -> Any:
        return Ridge(alpha=50.0).fit(X, y, n_classes, seed)


class ShortLabels:
    """A learner whose labels have another type than agreed."""

    def fit(self, X: np.ndarray, y: np.ndarray, n_classes: int, seed: Any) -> Any:
        model = ConstantModel(label=int(y[0]), n_classes=n_classes)

        class Short:
            def predict(self, rows: np.ndarray) -> np.ndarray:
                return model.predict(rows).astype(np.int8)

            def scores(self, rows: np.ndarray) -> np.ndarray:
                return model.scores(rows)

        return Short()


class FewScores:
    """A learner that only knows the classes that it saw."""

    def fit(self, X: np.ndarray, y: np.ndarray, n_classes: int, seed: Any) -> Any:
        return ConstantModel(label=0, n_classes=len(np.unique(y)))


class AlwaysOne:
    """A learner that always answers one."""

    def fit(self, X: np.ndarray, y: np.ndarray, n_classes: int, seed: Any) -> Any:
        return ConstantModel(label=1, n_classes=n_classes)


LEARNERS = [
    (Mutating, "inputs", "changes the rows"),
    (Dice, "deterministic", "global random numbers"),
    (Stateful, "deterministic", "same seed"),
    (OtherFit, "batch", "other scores"),
    (ShortLabels, "form", "int8"),
    (FewScores, "missing class", "shape (50, 2)"),
    (AlwaysOne, "missing class", "predicts class 1"),
    (AlwaysOne, "one class", "predicts another one"),
]


@pytest.mark.parametrize(
    ("cls", "check", "text"), LEARNERS, ids=[f"{cls.__name__}-{c}" for cls, c, _ in LEARNERS]
)
def test_faults_of_learners_are_found(plant: Any, cls: type[Any], check: str, text: str) -> None:
    problems = plant("learner", cls)
    assert text in problems.get(check, ""), problems


class LooksAhead:
    """Training windows that begin where the whole stream moves most."""

    def starts(self, X: np.ndarray, bounds: np.ndarray, warmup: int) -> np.ndarray:
        means = np.array([X[a:b].mean() for a, b in itertools.pairwise(bounds)])
        return np.minimum(np.arange(len(means)), np.abs(np.diff(means)).argmax()).astype(np.int64)


class FromTheFuture:
    """Training windows that begin one window too late."""

    def starts(self, X: np.ndarray, bounds: np.ndarray, warmup: int) -> np.ndarray:
        return np.arange(1, len(bounds))


@pytest.mark.parametrize(("cls", "check"), [(LooksAhead, "causal"), (FromTheFuture, "windows")])
def test_faults_of_training_are_found(plant: Any, cls: type[Any], check: str) -> None:
    assert check in plant("training", cls)


class OneStream:
    """A stream that never heard of seeds."""

    def generate(self, seed: Any) -> Stream:
        return Synthetic(windows=20, rows=10, warmup=4).generate(np.random.SeedSequence(0))


class Fixed(OneStream):
    """A stream that says that it is always the same."""

    fixed: ClassVar[bool] = True


class Spawning:
    """A stream that spawns from its seed, so that the second one differs."""

    def generate(self, seed: Any) -> Stream:
        return Synthetic(windows=20, rows=10, warmup=4).generate(seed.spawn(1)[0])


class EarlyEvent:
    """A stream that states a drift in its warm-up."""

    def generate(self, seed: Any) -> Stream:
        stream = Synthetic(windows=20, rows=10, warmup=4).generate(seed)
        stream.events = (DriftEvent(kind=DriftKind.CONCEPT, start=15, end=15),)
        return stream


class FloatLabels:
    """A stream with labels that are not whole numbers."""

    def generate(self, seed: Any) -> Stream:
        stream = Synthetic(windows=20, rows=10, warmup=4).generate(seed)
        stream.y = stream.y.astype(float)
        return stream


class WrongConcept(Sea):
    """A concept with the thresholds and margin of SEA whose labels are not those of its rule."""

    def labels(self, X: np.ndarray, law: Any, rng: Any) -> np.ndarray:
        return 1 - self.rule(X, law)


class ForgetfulConcept(Sea):
    """A concept with the thresholds of SEA that draws from a generator of its own."""

    def inputs(self, law: Any, rng: Any) -> np.ndarray:
        return super().inputs(law, np.random.default_rng())


class UnstatedChanges(Abrupt):
    """A schedule with duration, order and limit that keeps its changes to itself."""

    def plan(self, layout: Any, count: int, rng: Any) -> Any:
        plan = super().plan(layout, count, rng)
        return type(plan)(a=plan.a, b=plan.b, weight=plan.weight, blend=plan.blend, changes=plan.changes[1:])


class WrongMean(Duration):
    """Durations of another mean than is asked for."""

    def draw(self, size: int, rng: Any) -> np.ndarray:
        return rng.exponential(self.mean * 1.5, size)


class SilentShift(Covariate):
    """A shift with at, width, until, feature, magnitude, scale and mode that states nothing."""

    def reset(self, *args: Any) -> tuple[Any, ...]:
        super().reset(*args)
        return ()


STREAMS = [
    ("stream", OneStream, "stream", "the same for every seed"),
    ("stream", Spawning, "stream", "spawns"),
    ("stream", EarlyEvent, "stream", "warm-up"),
    ("stream", FloatLabels, "stream", "y is float64"),
    ("concept", WrongConcept, "rows", "noisy"),
    ("concept", ForgetfulConcept, "seed", "seed is the same"),
    ("schedule", UnstatedChanges, "plan", "without a stated change"),
    ("duration", WrongMean, "draw", "on average"),
    ("shift", SilentShift, "shift", "0 events"),
]


@pytest.mark.parametrize(
    ("kind", "cls", "check", "text"), STREAMS, ids=[cls.__name__ for _, cls, _, _ in STREAMS]
)
def test_faults_of_streams_are_found(plant: Any, kind: str, cls: type[Any], check: str, text: str) -> None:
    problems = plant(kind, cls)
    assert text in problems.get(check, ""), problems


def test_a_fixed_stream_may_say_so(plant: Any) -> None:
    assert plant("stream", Fixed) == {}


def test_crashes_are_reported_by_name(plant: Any) -> None:
    class Crashing(Good):
        """A selector that divides by zero."""

        values: list[int] = field(default_factory=list)

        def act(self, view: View) -> np.ndarray:
            raise ZeroDivisionError("oh")

    problems = plant("selector", Crashing)
    assert problems["possible"] == "ZeroDivisionError: oh"
