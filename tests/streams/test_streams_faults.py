"""The contract checks of streams and what they are made of find what is planted."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
import pytest

from mlopsim.streams.concepts.sea import Sea
from mlopsim.streams.durations.base import Duration
from mlopsim.streams.schedules.abrupt import Abrupt
from mlopsim.streams.shifts.covariate import Covariate
from mlopsim.streams.sources.synthetic import Synthetic
from mlopsim.streams.stream import DriftEvent, DriftKind, Stream


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
