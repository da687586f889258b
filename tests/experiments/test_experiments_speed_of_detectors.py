"""The experiment that times detectors beside river's, and the search of their limits, at tiny sizes."""

from __future__ import annotations

import csv
import inspect
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

ROOT = Path(__file__).parent.parent.parent
sys.path.insert(0, str(ROOT / "experiments"))
import _common  # noqa: E402
import speed_of_detectors as experiment  # noqa: E402

from mlopsim.core.errors import MlopsimError  # noqa: E402
from mlopsim.core.registry import names  # noqa: E402
from mlopsim.core.spec import label, make  # noqa: E402
from mlopsim.drift.signal import SignalKind  # noqa: E402

TINY = [
    "streaming.ticks=300", "streaming.chunk=40", "streaming.repeats=2",
    "streaming.slow_ticks={kswin: 20}", "calibration.runs=4", "calibration.runs_of_inputs=2",
    "calibration.horizon=200", "calibration.window=[20,2]", "calibration.arl0=[200,1000]",
]  # fmt: skip


@pytest.fixture(scope="module")
def settings() -> dict[str, Any]:
    return _common.read_settings(ROOT / "conf" / "experiment" / "speed_of_detectors.yaml", TINY)


def test_every_detector_of_rows_is_timed_and_so_is_each_class_of_river(settings: dict[str, Any]) -> None:
    from river import base, drift

    rows = [experiment.stream(name, settings["streaming"]) for name in ("adwin", "cusum", "never")]
    assert [row["river"] for row in rows] == ["ADWIN", "", "NoDrift"]
    assert all(row["update"] > 0.0 and row["update_many"] > 0.0 and row["n"] == 2 for row in rows)
    assert rows[0]["ratio"] == pytest.approx(rows[0]["update"] / rows[0]["river_update"])
    assert np.isnan(rows[1]["ratio"]) and rows[1]["met"] == ""
    known = {entry["class"] for entry in settings["streaming"]["river"].values()}
    kinds = (base.DriftDetector, base.BinaryDriftDetector)
    every = inspect.getmembers(drift, inspect.isclass) + [
        (f"binary.{name}", cls) for name, cls in inspect.getmembers(drift.binary, inspect.isclass)
    ]
    assert known == {name for name, cls in every if issubclass(cls, kinds)}


def test_alarms_that_differ_are_an_error(settings: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(experiment, "in_chunks", lambda *_: [1, 2])
    with pytest.raises(MlopsimError, match="cusum in chunks differ"):
        experiment.stream("cusum", settings["streaming"])


@pytest.mark.parametrize("method", ["hddm_a", {"hddm_w": {"side": "both"}}, "ddm", "ks"])
def test_limits_are_the_same_and_signals_are_read_less(settings: dict[str, Any], method: Any) -> None:
    row = experiment.calibrate(method, settings["calibration"])
    searched = not make("detector", method).separable
    assert row["method"] == label("detector", method) and row["equal"] == "yes"
    assert (row["passes_after"] < row["passes_before"]) == searched
    assert row["signals"] == (2 if method == "ks" else 4)


def test_committed_tables_hold_every_detector_and_every_method() -> None:
    folder = ROOT / "results" / "speed_of_detectors"
    if not folder.is_dir():
        pytest.skip("results/speed_of_detectors is not there")

    def read(name: str) -> list[dict[str, str]]:
        with (folder / name).open(newline="") as file:
            return list(csv.DictReader(file))

    of_rows = {name for name in names("detector") if SignalKind.ERRORS in make("detector", name).accepted()}
    assert {row["detector"] for row in read("table.csv")} <= of_rows
    assert all(row["equal"] == "yes" for row in read("calibration.csv"))
