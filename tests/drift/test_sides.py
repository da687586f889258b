"""Detectors of one side and of both: mirror images, side by side, and what each can tell."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from mlopsim.core.registry import find, names
from mlopsim.core.spec import make, params_of
from mlopsim.drift.mirrored import Mirrored
from mlopsim.drift.signal import Side

#: parameters with which each alarms a few times on the signal below
MIRRORED: dict[str, dict[str, Any]] = {
    "ddm": {},
    "eddm": {"beta": 0.8, "warm_start": 10},
    "fhddm": {"delta": 0.001},
    "rddm": {"warm_start": 30, "level": 2.5, "warning": 1.2, "longest": 300, "patience": 90, "stable": 100},
}


def errors(*shares: float, rows: int = 700) -> np.ndarray:
    rng = np.random.default_rng(11)
    return np.concatenate([(rng.random(rows) < share).astype(np.float64) for share in shares])


def test_every_mirrored_detector_is_tried() -> None:
    found = {name for name in names("detector") if issubclass(find("detector", name), Mirrored)}
    assert found == set(MIRRORED)


@pytest.mark.parametrize("name", MIRRORED)
def test_falls_are_rises_of_right_answers(name: str) -> None:
    signal = errors(0.3, 0.05, 0.4)
    up, down = (make("detector", name, side=side, **MIRRORED[name]) for side in ("up", "down"))
    ours, mirror = down.run(signal), up.run(1.0 - signal)
    np.testing.assert_array_equal(ours.alarms, mirror.alarms)
    np.testing.assert_array_equal(ours.score, mirror.score)


@pytest.mark.parametrize("name", MIRRORED)
def test_both_sides_are_two_detectors_side_by_side(name: str) -> None:
    """Row by row: the higher score counts, and the side that did not alarm starts afresh."""
    signal = errors(0.3, 0.05, 0.4)
    rises, falls = (make("detector", name, **MIRRORED[name]) for _ in range(2))
    rises.reset()
    falls.reset()
    alarms, scores = [], []
    for i, x in enumerate(signal.tolist()):
        up, down = rises.update(x), falls.update(1.0 - x)
        scores.append(np.fmax(rises.statistic, falls.statistic))
        if up or down:
            alarms.append(i)
            for alarmed, detector in ((up, rises), (down, falls)):
                if not alarmed:
                    detector.reset()
    found = make("detector", name, side="both", **MIRRORED[name]).run(signal)
    assert found.alarms.tolist() == alarms and len(alarms) > 1
    np.testing.assert_array_equal(found.score, scores)


@pytest.mark.parametrize("name", ["adwin", "ecdd", "fhddm", "ddm", "hddm_a", "hddm_w", "stepd"])
def test_only_both_sides_tell_a_fall(name: str) -> None:
    """As in `sea recurring`: a frozen model that is wrong half of the time, then hardly ever."""
    own: dict[str, dict[str, Any]] = {
        "ecdd": {"lam": 0.05, "scale": 1.3},
        "fhddm": {"delta": 1e-4},
        "ddm": {"level": 3.5},
        "stepd": {"alpha": 1e-4},
    }
    limit = own.get(name, {})
    signal = np.concatenate([errors(0.5, rows=800), errors(0.07, rows=500)])
    delays = {}
    for side in ("up", "both"):
        detector = make("detector", name, side=side, **limit)
        later = detector.alarms(signal) - 800
        delays[side] = min(later[later >= 0], default=500)
    assert delays["up"] == 500 and delays["both"] < 450
    rising = np.concatenate([errors(0.07, rows=800), errors(0.5, rows=500)])
    for side, told in (("up", True), ("both", True), ("down", False)):
        alarms = make("detector", name, side=side, **limit).alarms(rising)
        assert ((alarms >= 800) & (alarms < 1250)).any() == told, side


def test_a_side_at_its_default_is_in_no_part() -> None:
    """What was computed before there were sides stays found."""
    assert "side" not in params_of(make("detector", "ddm")) and "side" not in params_of(
        make("detector", "adwin")
    )
    assert params_of(make("detector", "ddm", side="both"))["side"] == "both"
    assert make("detector", "ddm").sides is Side.UP and make("detector", "adwin").sides is Side.BOTH
