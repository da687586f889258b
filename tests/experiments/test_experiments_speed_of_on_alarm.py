"""The experiment that times on_alarm against the selectors there were."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parent.parent.parent
sys.path.insert(0, str(ROOT / "experiments"))
import speed_of_on_alarm as experiment  # noqa: E402


class Fake:
    """A walker that takes as long as it is told."""

    def __init__(self, seconds: list[float], retrains: float) -> None:
        self.seconds, self.retrains, self.asked = iter(seconds), retrains, []

    def walk(self, selector: Any) -> tuple[float, float]:
        self.asked.append(selector)
        return next(self.seconds), self.retrains


def test_the_first_walk_warms_up_and_medians_are_compared() -> None:
    old, new = Fake([90.0, 1.0, 2.0, 3.0], 4.0), Fake([70.0, 3.0, 3.0, 9.0], 5.0)
    row = experiment.compare(old, new, "adwin", {"repeats": 3, "asked_ratio": {"adwin": 1.0}})
    assert (row["on_alarm_seconds"], row["old_seconds"], row["ratio"]) == (3.0, 2.0, 1.5)
    assert (row["met"], row["low"], row["high"], row["n"]) == ("no", 1.5, 3.0, 3)
    assert (row["retrains"], row["old_retrains"]) == (5.0, 4.0)
    assert old.asked == ["adwin"] * 4 and new.asked == [{"on_alarm": {"detector": "adwin"}}] * 4


def test_nothing_is_met_where_nothing_is_asked() -> None:
    row = experiment.compare(
        Fake([1.0] * 2, 0.0), Fake([1.0] * 2, 0.0), "ks", {"repeats": 1, "asked_ratio": {}}
    )
    assert row["met"] == "" and row["asked"] != row["asked"]


@pytest.mark.slow
def test_a_walker_walks() -> None:
    walker = experiment.Walker(ROOT, {"stream": "procedural", "learner": "ridge", "scenarios": 1})
    try:
        seconds, retrains = walker.walk({"on_alarm": {"detector": "always", "cooldown": 10}})
    finally:
        walker.end()
    assert seconds > 0.0 and 5.0 < retrains < 12.0
