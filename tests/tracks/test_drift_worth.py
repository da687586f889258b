"""What alarms are worth: the numbers from when the drift track had a trigger of its own."""

from __future__ import annotations

from typing import Any

import pytest

from mlopsim.core.registry import find
from mlopsim.core.track import Cell

TASK = {
    "name": "worth",
    "signal": "model",
    "stream": {
        "synthetic": {
            "windows": 40,
            "rows": 50,
            "concept": "sea",
            "schedule": {"abrupt": {"order": [0, 3], "duration": {"fixed": {"mean": 12}}, "limit": 1}},
        }
    },
    "learner": "ridge",
    "deployment": "standard",
}
#: return and retrains by method and seed, as commit 3031aa5 gave them
WANTED: dict[tuple[str, int], tuple[float, float]] = {
    ("adwin(delta=0.02)", 0): (0.9269999999999998, 1.0),
    ("adwin(delta=0.02)", 1): (0.9263333333333333, 1.0),
    ("ddm(level=2.5)", 0): (0.921, 2.0),
    ("ddm(level=2.5)", 1): (0.9220000000000003, 2.0),
    ("kswin(alpha=0.001)", 0): (0.9, 0.0),
    ("hddm_a(delta=0.001)", 0): (0.9223333333333331, 1.0),
    ("hddm_a(delta=0.001)", 1): (0.9099999999999999, 0.0),
    ("always", 0): (0.9253333333333333, 4.0),
    ("periodic", 0): (0.9029999999999999, 1.0),
    ("clairvoyant", 1): (0.921, 1.0),
}
METHODS: list[Any] = [
    {"adwin": {"delta": 0.02}},
    {"ddm": {"level": 2.5}},
    {"kswin": {"alpha": 0.001}},
    {"hddm_a": {"delta": 0.001}},
]


def test_the_worth_of_error_detectors_is_what_it_was() -> None:
    track: Any = find("track", "drift")(
        calibration={"arl0": 5000, "curve": [], "runs": 2, "checks": 2, "rate_runs": 2}, wait=4
    )
    tasks = track.tasks([TASK])
    methods = track.methods(METHODS)
    cells = [Cell(track="drift/1", task=tasks[0], method=m, seed=s) for m in methods for s in range(2)]
    named, jobs = track.fits(cells)
    outcomes = track.run(named, {job.key: track.fit(job, {}) for job in jobs})
    found = {
        (cell.method.name, cell.seed): (outcome.metrics["return"], outcome.metrics["retrains"])
        for cell, outcome in zip(named, outcomes, strict=True)
    }
    for key, (value, retrains) in WANTED.items():
        assert found[key] == (pytest.approx(value, rel=1e-12), retrains), key
