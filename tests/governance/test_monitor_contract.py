"""Each planted fault of a monitor is found by the check that is meant for it; numbers stay what they were."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pytest

from mlopsim.checks.monitor import CHECKS
from mlopsim.checks.run import check_component
from mlopsim.core.registry import find, names, register, unregister
from mlopsim.core.spec import make
from mlopsim.governance.monitor import Chart, Monitor
from mlopsim.governance.monitoring.rates import Rate
from mlopsim.governance.monitoring.reference import Reference, estimated


@dataclass(kw_only=True)
class Plain(Monitor):
    """A third party's monitor: how far the accuracy lies from its level, in standard deviations."""

    def charts(self, groups: tuple[str, ...]) -> list[Chart]:
        return [Chart(name="mine", labels=True)]

    def scores(self, counts: np.ndarray, reference: Reference) -> np.ndarray:
        k, n = Rate.ACCURACY.counted(counts.sum(axis=2))
        p = reference.levels(Rate.ACCURACY)[0]
        with np.errstate(invalid="ignore", divide="ignore"):
            z = np.where(n > 0, np.abs(k / n - p) / np.sqrt(p * (1.0 - p) / n), np.nan)
        return z[:, None]


class Shape(Plain):
    def scores(self, counts: np.ndarray, reference: Reference) -> np.ndarray:
        return super().scores(counts, reference)[:, 0]


class Random(Plain):
    def scores(self, counts: np.ndarray, reference: Reference) -> np.ndarray:
        return super().scores(counts, reference) + 0.0 * np.random.random()  # noqa: NPY002 - the fault


class Writes(Plain):
    def scores(self, counts: np.ndarray, reference: Reference) -> np.ndarray:
        found = super().scores(counts, reference)
        counts[:, 0] += 1
        return found


class Future(Plain):
    def scores(self, counts: np.ndarray, reference: Reference) -> np.ndarray:
        return super().scores(counts, reference) + 1e-3 * counts.shape[1]


class Neighbours(Plain):
    def scores(self, counts: np.ndarray, reference: Reference) -> np.ndarray:
        found = super().scores(counts, reference)
        return found - found.mean(axis=0) + 1.0


class Remembers(Plain):
    def scores(self, counts: np.ndarray, reference: Reference) -> np.ndarray:
        return np.maximum.accumulate(np.nan_to_num(super().scores(counts, reference)), axis=2)


class Keeps(Plain):
    def on(self, counts: np.ndarray) -> Any:
        known: list[np.ndarray] = []

        def scores(reference: Reference) -> np.ndarray:
            known.append(self.scores(counts, reference))
            return known[0]

        return scores


class First(Plain):
    def scores(self, counts: np.ndarray, reference: Reference) -> np.ndarray:
        return super().scores(counts[:, :, :1], reference)


class Zero(Plain):
    def scores(self, counts: np.ndarray, reference: Reference) -> np.ndarray:
        return np.nan_to_num(super().scores(counts, reference))


class Deaf(Plain):
    def scores(self, counts: np.ndarray, reference: Reference) -> np.ndarray:
        found = super().scores(counts, reference)
        return np.where(np.isnan(found), np.nan, 1.0)


class Absolute(Plain):
    absolute: ClassVar[bool] = True


class Unlabelled(Plain):
    def charts(self, groups: tuple[str, ...]) -> list[Chart]:
        return [Chart(name="mine", labels=False)]


class Wide(Plain):
    def scores(self, counts: np.ndarray, reference: Reference) -> np.ndarray:
        return 1.5 * super().scores(counts, reference)


class Twins(Plain):
    def charts(self, groups: tuple[str, ...]) -> list[Chart]:
        return [Chart(name="mine", labels=True)] * 2

    def scores(self, counts: np.ndarray, reference: Reference) -> np.ndarray:
        return np.repeat(super().scores(counts, reference), 2, axis=1)


FAULTS: list[tuple[type[Plain], str]] = [
    (Shape, "form"),
    (Twins, "form"),
    (Random, "randomness"),
    (Writes, "randomness"),
    (Future, "causal"),
    (Neighbours, "causal"),
    (Remembers, "causal"),
    (Keeps, "once"),
    (First, "group names"),
    (Zero, "too little"),
    (Deaf, "reacts"),
    (Absolute, "reacts"),
    (Unlabelled, "labels"),
    (Wide, "normal"),
]


def problems(cls: type[Plain]) -> dict[str, str]:
    mine: Any = dataclass(kw_only=True)(type("Mine", (cls,), {"__doc__": Plain.__doc__}))
    register("monitor", "planted")(mine)
    try:
        return {v.check: v.problem for v in check_component(mine) if v.problem}
    finally:
        unregister("monitor", "planted")


def test_a_third_partys_monitor_passes() -> None:
    assert problems(Plain) == {}


@pytest.mark.parametrize(("cls", "check"), FAULTS, ids=[cls.__name__ for cls, _ in FAULTS])
def test_a_fault_is_found_by_its_check(cls: type[Plain], check: str) -> None:
    assert check in problems(cls)


def test_every_check_of_monitors_finds_a_fault() -> None:
    assert {check for _, check in FAULTS} == {check.name for check in CHECKS}


# -- golden numbers: changed ones need a raised version ------------------------------------------------------

#: version, and the mean scores of the first charts over six windows
GOLDEN: dict[str, tuple[int, list[float]]] = {
    "bank": (1, [0.8396532152, 0.6943997363, 0.9114227946]),
    "cusum": (1, [0.5645034277]),
    "ewma": (1, [0.7047223924]),
    "f1_chart": (1, [0.7884844659]),
    "floor": (1, [-3.667687471]),
    "gap_exact": (1, [1.04308147]),
    "gap_score": (1, [0.3696512961]),
    "laney": (1, [0.8625303736]),
    "p_chart": (1, [0.8396532152]),
}


def scored(name: str) -> list[float]:
    # no drawn numbers, which hang on numpy
    step = np.arange(52 * 8) ** 2 * 31 % 101 % 17
    counts = step.reshape(1, 52, 2, 2, 2) + np.array([[[30, 8], [6, 24]], [[25, 5], [9, 15]]])
    known = estimated(counts[:, :46])
    known = Reference(cells=known.cells, rho=np.array([0.01]), windows=known.windows)
    return make("monitor", name).scores(counts[:, 46:], known)[0, :3].mean(axis=-1).tolist()


@pytest.mark.parametrize("name", names("monitor"))
def test_golden(name: str) -> None:
    version, scores = GOLDEN[name]
    assert find("monitor", name).version == str(version)
    assert scored(name) == pytest.approx(scores, rel=1e-9)
