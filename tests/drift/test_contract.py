"""Planted faults of detectors, each found by the check meant for it; ours: tests/test_contracts.py."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pytest

from mlopsim.checks.detector import CHECKS
from mlopsim.checks.run import checks_for
from mlopsim.drift.control import Control
from mlopsim.drift.detector import Detector, Run
from mlopsim.drift.signal import Side, SignalKind


def test_the_checks_of_detectors_have_names_of_their_own() -> None:
    found = [check.name for check in checks_for("detector")]
    assert len(set(found)) == len(found)
    assert {check.name for check in CHECKS} < set(found)


# -- planted faults ----------------------------------------------------------------------------------


@dataclass(kw_only=True)
class Plain(Detector):
    """A third party's detector: how far the last 20 ticks lie from the first 40, limited by threshold_."""

    threshold_: float = 1.5

    def restart(self) -> None:
        self.seen: list[float] = []

    def tick(self, x: float) -> float:
        self.seen.append(x)
        if len(self.seen) < 60:
            return float("nan")
        return abs(sum(self.seen[-20:]) / 20 - sum(self.seen[:40]) / 40)


@dataclass(kw_only=True)
class Rises(Plain):
    """A third party's detector of errors that looks for a rise of their rate, limited by threshold_."""

    reads: ClassVar[SignalKind] = SignalKind.ERRORS
    threshold_: float = 0.4

    @property
    def sides(self) -> Side:
        return Side.UP

    def tick(self, x: float) -> float:
        self.seen.append(x)
        if len(self.seen) < 60:
            return float("nan")
        return sum(self.seen[-20:]) / 20 - sum(self.seen[:40]) / 40


@dataclass(kw_only=True)
class PlainWindows(Detector):
    """A third party's detector of the spread of windows against the first's, limited by threshold_."""

    reads: ClassVar[SignalKind] = SignalKind.INPUTS
    threshold_: float = 0.8

    def restart(self) -> None:
        self.first: float | None = None

    def tick(self, x: np.ndarray) -> float:
        largest = float(np.abs(x).max())
        spread = float(np.abs(x / largest).mean()) * largest if largest else 0.0
        if self.first is None:
            self.first = spread
            return float("nan")
        return abs(spread - self.first)


@dataclass(kw_only=True)
class PlainDice(Plain):
    """A third party's detector that adds some noise from its own generator, limited by threshold_."""

    random: ClassVar[bool] = True

    def tick(self, x: float) -> float:
        noise = 0.01 * self.rng.random()
        return super().tick(x) * (1.0 + noise)


@pytest.mark.parametrize("cls", [Plain, Rises, PlainWindows, PlainDice])
def test_plain_detectors_of_others_pass(plant: Any, cls: type[Any]) -> None:
    assert plant("detector", cls) == {}


class Inverted(Plain):
    """A detector whose score is high where nothing changes, limited by threshold_."""

    threshold_: float = 0.1

    def tick(self, x: float) -> float:
        return -super().tick(x)


class ReadsAccuracy(Rises):
    """A detector of errors that takes 1 for right, limited by threshold_."""

    def tick(self, x: float) -> float:
        return super().tick(1.0 - x)


class WrongSide(Rises):
    """A detector that says that it looks for a fall, limited by threshold_."""

    @property
    def sides(self) -> Side:
        return Side.DOWN


class OneSided(Rises):
    """A detector that says that it looks both ways, limited by threshold_."""

    @property
    def sides(self) -> Side:
        return Side.BOTH


class SharedState(Plain):
    """A detector that keeps its ticks in the class, limited by threshold_."""

    seen: ClassVar[list[float]] = []

    def restart(self) -> None:
        self.seen.clear()


class NeverForgets(Plain):
    """A detector whose reset forgets to forget, limited by threshold_."""

    def restart(self) -> None:
        self.seen = getattr(self, "seen", [])[-100:]


class LooksAhead(Plain):
    """A detector that centres the whole signal first, limited by threshold_."""

    def run(self, signal: Any, rng: Any = None) -> Run:
        data = self.ticks_of(signal)
        self.reset(rng)
        whole = self.advance_freely(data) * (1.0 if len(data) == 0 else 1.0 + 0.1 * np.tanh(data).mean())
        return Run(score=whole, alarms=np.flatnonzero(whole > self.threshold))


class PeeksWithinCalls(Plain):
    """A detector that knows the rest of what it is given at once, limited by threshold_."""

    def advance(self, data: np.ndarray) -> Run:
        run = super().advance(data)
        score = run.score + 1e-9 * len(data)
        return Run(score=score, alarms=np.flatnonzero(score > self.threshold))


class ForgetsBetweenCalls(Plain):
    """A detector whose state does not outlive a call, limited by threshold_."""

    def advance(self, data: np.ndarray) -> Run:
        self.restart()
        return super().advance(data)


class ConstantScore(Plain):
    """A detector that always says 1, limited by threshold_."""

    def tick(self, x: float) -> float:
        return 1.0


class NoScore(Plain):
    """A detector that never says anything, limited by threshold_."""

    def tick(self, x: float) -> float:
        return float("nan")


class Clock(Plain):
    """A detector that only counts, limited by threshold_."""

    threshold_: float = 100.0

    def tick(self, x: float) -> float:
        self.seen.append(x)
        return float(len(self.seen))


class GlobalDice(Plain):
    """A detector that throws the dice of numpy, limited by threshold_."""

    def tick(self, x: float) -> float:
        return super().tick(x) * (1.0 + 0.01 * np.random.random())  # noqa: NPY002


class PythonDice(Plain):
    """A detector that throws the dice of Python, limited by threshold_."""

    def tick(self, x: float) -> float:
        return super().tick(x) * (1.0 + 0.01 * random.random())


class UnseededDice(Plain):
    """A detector with a generator that nobody gave it, limited by threshold_."""

    def restart(self) -> None:
        super().restart()
        self.scale = 1.0 + 0.01 * np.random.default_rng().random()

    def tick(self, x: float) -> float:
        return super().tick(x) * self.scale


class UnstatedDice(PlainDice):
    """A detector that does not say that it draws, limited by threshold_."""

    random: ClassVar[bool] = False


class NoDice(Plain):
    """A detector that says that it draws, limited by threshold_."""

    random: ClassVar[bool] = True


class AlarmsEarly(Plain):
    """A detector that alarms below its threshold, limited by threshold_."""

    def advance(self, data: np.ndarray) -> Run:
        score, alarms = np.empty(len(data)), []
        for i, x in enumerate(data):
            score[i] = self.tick(x)
            if score[i] > 0.9 * self.threshold:
                alarms.append(i)
                self.restart()
        return Run(score=score, alarms=np.array(alarms, dtype=np.int64))


class ScoreOfTheLimit(Plain):
    """A detector whose score depends on the limit, threshold_."""

    def tick(self, x: float) -> float:
        return super().tick(x) / (1.0 + self.threshold_)


class SaysSo(ScoreOfTheLimit):
    """A detector whose score depends on the limit, threshold_, and that says so."""

    separable: ClassVar[bool] = False
    threshold_: float = 0.6


class OneWayLimit(Plain):
    """A detector whose threshold is another function of threshold_ than limited() takes it for."""

    @property
    def threshold(self) -> float:
        return 2.0 * self.threshold_


class NoSuchLimit(Plain):
    """A detector whose limit is no parameter (threshold_ is)."""

    limit: ClassVar[str] = "alpha"


class ReadsAnything(Plain):
    """A detector that takes what it gets, limited by threshold_."""

    def _check(self, data: np.ndarray) -> None:
        pass


class RemembersWhatItRefused(Plain):
    """A detector that reads a tick before it looks at it, limited by threshold_."""

    def update(self, x: Any) -> bool:
        if not np.isfinite(x):
            self.seen.append(0.0)
        return super().update(x)


class NeedsTicks(Plain):
    """A detector that cannot bear an empty signal, limited by threshold_."""

    def advance(self, data: np.ndarray) -> Run:
        data[0]
        return super().advance(data)


class DividesByZero(Plain):
    """A detector that divides by a spread that may be 0, limited by threshold_."""

    def tick(self, x: float) -> float:
        gap = super().tick(x)
        return gap / np.std(np.clip(self.seen[:40], -1e9, 1e9))


class WritesIntoTheSignal(PlainWindows):
    """A detector that scales its windows in place, limited by threshold_."""

    def tick(self, x: np.ndarray) -> float:
        score = super().tick(x)
        x *= 0.5
        return score


class WholeScores(Plain):
    """A detector whose scores are whole numbers, limited by threshold_."""

    def advance(self, data: np.ndarray) -> Run:
        run = super().advance(data)
        return Run(score=np.nan_to_num(run.score).astype(np.int64), alarms=run.alarms)


class Foreign:
    """No detector at all."""

    def update(self, x: float) -> bool:
        return x > 1


class NoFamily(Plain):
    """A detector of which nobody says what it is, limited by threshold_."""

    family: ClassVar[str] = ""


class PicturedWithoutWindows(Plain):
    """A detector that compares no samples that could be shown, limited by threshold_."""

    pictured: ClassVar[bool] = True


class NoControl(Plain):
    """A detector that looks at the signal, limited by threshold_."""

    control: ClassVar[bool] = True


@dataclass(kw_only=True)
class Rings(Control):
    """A control whose alarms are said to follow from a rate."""

    limit: ClassVar[str] = ""
    by_rate: ClassVar[bool] = True

    @property
    def threshold(self) -> float:
        return 0.0

    def scores(self, count: int, limit: float) -> np.ndarray:
        return np.ones(count)


class NoSuchEnd(Rings):
    """A control at an end that the scale does not have."""

    by_rate: ClassVar[bool] = False
    bound: ClassVar[str] = "middle"


FAULTS: list[tuple[type[Any], dict[str, str]]] = [
    (Inverted, {"polarity": "does not react to a rise"}),
    (ReadsAccuracy, {"polarity": "reacts to the opposite"}),
    (WrongSide, {"polarity": "looks for a fall of the error rate"}),
    (OneSided, {"polarity": "does not react to a fall"}),
    (SharedState, {"instances": "another instance"}),
    (NeverForgets, {"reset": "a new instance"}),
    (LooksAhead, {"causal": "it looks ahead"}),
    (PeeksWithinCalls, {"chunks": "than in one call"}),
    (ForgetsBetweenCalls, {"chunks": "than in one call"}),
    (ConstantScore, {"constant score": "its score is 1 whatever", "polarity": "does not react"}),
    (NoScore, {"constant score": "never gives a score", "polarity": "does not react"}),
    (Clock, {"degenerate": "nothing changes", "polarity": "does not react"}),
    (GlobalDice, {"randomness": "global random numbers"}),
    (PythonDice, {"randomness": "global random numbers"}),
    (UnseededDice, {"randomness": "with an equal generator"}),
    (UnstatedDice, {"randomness": "set random = True"}),
    (NoDice, {"randomness": "remove random"}),
    (AlarmsEarly, {"alarm": "alarm and score disagree"}),
    (ScoreOfTheLimit, {"separable": "separable = False"}),
    (OneWayLimit, {"limit": "inverse of the property threshold"}),
    (NoSuchLimit, {"form": "no parameter"}),
    (ReadsAnything, {"bad values": "a signal with nan is accepted"}),
    (RemembersWhatItRefused, {"bad values": "changes what comes after it"}),
    (NeedsTicks, {"degenerate": "an empty signal: IndexError"}),
    (DividesByZero, {"degenerate": "RuntimeWarning"}),
    (WritesIntoTheSignal, {"input": "run() changes the signal"}),
    (WholeScores, {"form": "no array (n,) of float64"}),
    (Foreign, {"form": "is no Detector"}),
    (NoFamily, {"form": "family is ''"}),
    (PicturedWithoutWindows, {"form": "compares no windows"}),
    (NoControl, {"form": "is no Control"}),
    (Rings, {"form": "has no rate to set"}),
    (NoSuchEnd, {"form": "bound is 'middle'"}),
]


@pytest.mark.parametrize(("cls", "wanted"), FAULTS, ids=[cls.__name__ for cls, _ in FAULTS])
def test_planted_faults_are_found(plant: Any, cls: type[Any], wanted: dict[str, str]) -> None:
    problems = plant("detector", cls)
    for check, text in wanted.items():
        assert text in problems.get(check, ""), problems


ONLY = {
    Inverted, ReadsAccuracy, WrongSide, OneSided, SharedState, ConstantScore, UnstatedDice, NoDice,
    OneWayLimit, RemembersWhatItRefused,
}  # fmt: skip


@pytest.mark.parametrize(
    ("cls", "wanted"),
    [case for case in FAULTS if case[0] in ONLY],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_fault_is_found_by_its_own_check_only(plant: Any, cls: type[Any], wanted: dict[str, str]) -> None:
    assert set(plant("detector", cls)) == set(wanted)


def test_a_score_that_depends_on_the_limit_may_say_so(plant: Any) -> None:
    assert plant("detector", SaysSo) == {}


def test_a_control_may_be_constant(plant: Any) -> None:
    class Bell(Control):
        """A control that rings at every tick."""

        limit: ClassVar[str] = ""

        @property
        def threshold(self) -> float:
            return 0.0

        def scores(self, count: int, limit: float) -> np.ndarray:
            return np.ones(count)

    assert plant("detector", Bell) == {}
    Bell.control = False
    assert "constant score" in plant("detector", Bell)
