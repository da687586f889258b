"""Many signals side by side give what each gives alone, to the bit."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from mlopsim.core.registry import names
from mlopsim.core.spec import make
from mlopsim.drift.batch import Looped, SideBySide
from mlopsim.drift.compiled import Compiled
from mlopsim.drift.detector import Detector
from mlopsim.drift.law import Bernoulli
from mlopsim.drift.signal import SignalKind

WALKS, STEPS, ROWS = 5, 14, 40


def of_errors() -> list[str]:
    """Return every detector that can read errors."""
    return [name for name in names("detector") if SignalKind.ERRORS in make("detector", name).accepted()]


def ready(name: str) -> Detector:
    """Build a detector; one that is told laws is told them."""
    detector: Any = make("detector", name)
    if hasattr(detector, "informed"):
        detector = detector.informed(Bernoulli(p=0.2), Bernoulli(p=0.5))
    found: Detector = detector
    return found


def signals() -> np.ndarray:
    """Return errors (steps, walks, rows) whose rate rises and falls, with padding amid the rows."""
    rng = np.random.default_rng(3)
    level = np.where(np.arange(STEPS)[:, None] // 4 % 2 == 1, 0.7, 0.1) * np.linspace(0.5, 1.0, WALKS)
    ticks = (rng.random((STEPS, WALKS, ROWS)) < level[:, :, None]).astype(np.float64)
    ticks[rng.random(ticks.shape) < 0.2] = np.nan
    ticks[5, 2] = np.nan
    return ticks


@pytest.mark.parametrize("name", of_errors())
def test_together_as_alone(name: str) -> None:
    detector, ticks = ready(name), signals()
    rng = np.random.default_rng(4)
    use = rng.random((STEPS, WALKS)) < 0.9
    restart = rng.random((STEPS, WALKS)) < 0.15
    batch = detector.batch([np.random.default_rng(i) for i in range(WALKS)])
    together = []
    for s in range(STEPS):
        batch.restart(restart[s])
        together.append(batch.advance(ticks[s], use[s]))
    found = np.array(together)
    for i in range(WALKS):
        alone = ready(name)
        alone.reset(np.random.default_rng(i))
        for s in range(STEPS):
            if restart[s, i]:
                alone.begin()
            places = np.flatnonzero(~np.isnan(ticks[s, i])) if use[s, i] else np.zeros(0, dtype=np.int64)
            alarms = alone.advance(ticks[s, i, places]).alarms if len(places) else np.zeros(0, dtype=np.int64)
            assert np.flatnonzero(found[s, i]).tolist() == places[alarms].tolist()


def test_alarms_are_there_to_be_compared() -> None:
    for name in ("adwin", "ddm", "kswin", "cusum"):
        batch = ready(name).batch([np.random.default_rng(i) for i in range(WALKS)])
        assert any(batch.advance(rows, np.ones(WALKS, bool)).any() for rows in signals()), name


def test_our_detectors_of_rows_advance_in_compiled_calls() -> None:
    """Only controls and detectors of others are looped over."""
    looped = set()
    for name in of_errors():
        batch = ready(name).batch([np.random.default_rng(0)])
        assert isinstance(batch, SideBySide | Looped)
        if isinstance(batch, Looped):
            looped.add(name)
    assert looped == {"river", *(n for n in of_errors() if make("detector", n).control)}


def test_a_kernel_in_python_is_looped_over() -> None:
    class Plain(Compiled):
        full_name, limit, threshold_ = "detector/plain", "threshold_", 2.5

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

    batch = Plain().batch([np.random.default_rng(0), np.random.default_rng(0)])
    found = batch.advance(np.array([[1.0, 1.0, 1.0, 1.0], [0.0, 1.0, 0.0, 0.0]]), np.array([True, True]))
    assert np.argwhere(found).tolist() == [[0, 2]]


@pytest.mark.parametrize(
    "name", [n for n in names("detector") if make("detector", n).reads.value == "inputs"]
)
def test_a_given_reference_is_that_of_the_first_windows(name: str) -> None:
    """The rows of the first windows, given, lead to the scores that the windows themselves lead to."""
    windows = np.random.default_rng(5).normal(size=(16, 20, 3))
    windows[13:] += 2.0
    learnt: Any = make("detector", name, reference=6)
    learnt.reset(np.random.default_rng(1))
    wanted = learnt.advance_freely(windows)[6:]
    given: Any = make("detector", name)
    given.reset(np.random.default_rng(1))
    given.begin_from(windows[:6].reshape(-1, 3), 20)
    found = given.advance_freely(windows[6:])
    assert np.array_equal(wanted, found, equal_nan=True)
    assert not np.isnan(found).all()
