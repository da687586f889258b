"""Ticks one at a time: whatever number they are, wherever they are cut, and in a copy that goes on alone."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from mlopsim.core.errors import DataError
from mlopsim.core.registry import names
from mlopsim.core.spec import make
from mlopsim.drift.compiled import Compiled
from mlopsim.drift.detector import Detector
from mlopsim.drift.law import Bernoulli
from mlopsim.drift.signal import SignalKind

OF_ROWS = [name for name in names("detector") if SignalKind.ERRORS in make("detector", name).accepted()]
TICKS = (np.random.default_rng(1).random(900) < np.repeat([0.1, 0.7, 0.1], 300)).astype(np.float64)


def ready(name: str) -> Detector:
    """Build a detector and start it; one that is told laws is told them."""
    detector: Any = make("detector", name)
    if hasattr(detector, "informed"):
        detector = detector.informed(Bernoulli(p=0.1), Bernoulli(p=0.7))
    detector.reset(np.random.default_rng(2))
    found: Detector = detector
    return found


def streamed(detector: Detector, ticks: Any) -> list[int]:
    return [i for i, x in enumerate(ticks) if detector.update(x)]


@pytest.mark.parametrize("name", OF_ROWS)
def test_a_tick_is_a_number_of_any_type(name: str) -> None:
    wanted = ready(name).advance(TICKS).alarms.tolist()
    for kind in (float, int, bool, np.float64, np.float32, np.int8, np.bool_, np.asarray):
        assert streamed(ready(name), [kind(x) for x in TICKS]) == wanted, kind


@pytest.mark.parametrize("name", OF_ROWS)
def test_what_is_no_tick_is_refused_and_changes_nothing(name: str) -> None:
    detector, bad = ready(name), [np.nan, np.inf, -np.inf, None, "x", [1.0], np.ones(1), 10**400, 1j]
    errors_only = detector.reads is SignalKind.ERRORS
    wanted = ready(name).advance(TICKS)
    found = streamed(detector, TICKS[:400])
    for x in [*bad, *([0.5, 2] if errors_only else [])]:
        before = detector.statistic
        with pytest.raises(DataError):
            detector.update(x)
        assert detector.statistic == before or np.isnan(before)
    with pytest.raises(DataError):
        detector.update_many([0.0, 1.0, np.nan])
    found += (detector.update_many(TICKS[400:]) + 400).tolist()
    assert found == wanted.alarms.tolist()
    assert detector.statistic == wanted.score[-1] or np.isnan(wanted.score[-1])


def through_bytes(detector: Detector) -> Any:
    return pickle.loads(pickle.dumps(detector))


@pytest.mark.parametrize("copied", [copy.deepcopy, through_bytes])
@pytest.mark.parametrize("name", OF_ROWS)
def test_a_copy_goes_on_alone(name: str, copied: Callable[[Detector], Any]) -> None:
    detector = ready(name)
    streamed(detector, TICKS[:400])
    twin = copied(detector)
    assert twin.statistic == detector.statistic or np.isnan(detector.statistic)
    one = streamed(detector, TICKS[400:])
    assert streamed(twin, TICKS[400:]) == one
    # and again, in chunks, after both have moved apart
    apart = copied(twin)
    streamed(twin, 1.0 - TICKS[:200])
    assert apart.update_many(TICKS[:300]).tolist() == detector.update_many(TICKS[:300]).tolist()


def test_a_shallow_copy_of_a_compiled_detector_has_a_state_of_its_own() -> None:
    detector = ready("ddm")
    streamed(detector, TICKS[:400])
    twin = copy.copy(detector)
    streamed(twin, np.ones(300))
    wanted = ready("ddm").advance(TICKS).alarms
    assert streamed(detector, TICKS[400:]) == (wanted[wanted >= 400] - 400).tolist()


def test_a_detector_that_nobody_started_starts_at_its_first_tick() -> None:
    wanted = make("detector", "kswin").alarms(TICKS).tolist()
    assert streamed(make("detector", "kswin"), TICKS) == wanted
    assert make("detector", "kswin").update_many(TICKS).tolist() == wanted


def test_a_kernel_in_python_is_streamed() -> None:
    class Sum(Compiled):
        full_name, limit, threshold_ = "detector/sum", "threshold_", 2.5

        def kernel(self) -> Any:
            def run(x, state, fresh, params, limit, score, alarm):  # type: ignore[no-untyped-def]
                for i, value in enumerate(x):
                    state[0] += value
                    score[i], alarm[i] = state[0], state[0] > limit
                    if alarm[i]:
                        state[:] = fresh

            return run

        def fresh(self) -> np.ndarray:
            return np.zeros(1)

    detector = Sum()
    assert streamed(detector, [1.0, 1, True, 1.0]) == [2]
    assert detector.statistic == 1.0
    assert copy.deepcopy(detector).update_many([1.0, 1.0]).tolist() == [1]
