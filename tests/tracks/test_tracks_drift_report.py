"""The report of the drift track, from a run of a small suite."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest

from mlopsim.bench.ledger import Ledger
from mlopsim.bench.table import table
from mlopsim.compose import Study
from mlopsim.core.track import Section
from mlopsim.drift.law import Normal
from mlopsim.drift.run_length.floor import floor_delay
from mlopsim.tracks.drift.evidence import references
from mlopsim.tracks.drift.sections_pictures import NAMES

MOVED = {
    "synthetic": {
        "windows": 35,
        "concept": {"linear_gaussian": {"d": 4, "n_relevant": 2}},
        "bayes": False,
        "schedule": "none",
        "shifts": [{"covariate": {"at": 22, "feature": 3, "magnitude": 2.0, "mode": "move"}}],
    }
}
SETTINGS = {
    "calibration": {"arl0": 4000, "horizon": 1500, "runs": 60, "checks": 60, "curve": [2000]},
    "tolerance": 500,
}


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("drift")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLOPSIM_CACHE", str(folder / "worlds"))
        study = Study(
            track={"drift": SETTINGS},
            tasks=[
                {"name": "normal", "signal": {"iid": {"law": "normal", "ticks": 2000, "change": 1000}}},
                {"name": "moved", "signal": {"model": {"harmless": ["covariate"]}}, "stream": MOVED},
            ],
            methods=["cusum", {"cusum": {"side": "up"}}, "ks", "shiryaev_roberts"],
            seeds=2,
            name="small",
        )
        study.run(folder / "r", progress=False, executor="serial")
        with Ledger.read(folder / "r") as ledger:
            frame = table(ledger)
            sections = {s.title: s for s in study.track.sections(frame, ledger.curves)}
            kept = {key: ledger.curves(key) for key in frame["key"]}
    return sections, frame, kept


def test_the_report_has_its_figures(report: Any) -> None:
    sections: dict[str, Section] = report[0]
    assert list(sections["Floor"].figures) == ["Delay on normal"]
    lengths = sections["Run lengths without a change"].figures
    assert list(lengths) == ["Run lengths in rows", "Run lengths in windows"]
    pictures = sections["Distribution functions"].figures
    assert list(pictures) == ["Distribution functions: moved"]
    assert "feature 3" in next(iter(pictures.values())).axes[0].get_xlabel()


def test_the_floor_in_the_table_is_the_exact_one(report: Any) -> None:
    frame = report[0]["Floor"].table
    floor = frame.filter(pl.col("reference") == NAMES["floor"]).to_dicts()[0]
    # a delay here is 0 where the alarm is at the first changed row
    assert floor["4,000"] == pytest.approx(floor_delay(Normal(), Normal(mean=1.0), 4000.0) - 1.0)
    known = references([{"p": 0.1}, {"p": 0.2}], [500.0, 1000.0]).arrays
    assert all(a < b for a, b in known.values())
    assert known["floor"][0] > max(known["cusum"][0], known["roberts"][0])


def test_cells_keep_laws_run_lengths_and_samples(report: Any) -> None:
    _, frame, kept = report
    for row in frame.iter_rows(named=True):
        found = kept[row["key"]]
        if row["status"] != "done" or "by_arl0_arl0" not in found:
            continue
        assert ("reference_floor" in found) == (row["task"] == "normal" and row["method"] == "clairvoyant")
        if row["fit"] is not None and row["method"] != "clairvoyant":
            survival = found["run_length_survival"]
            assert survival[0] == 1.0 and (np.diff(survival) <= 0.0).all()
            assert 1.0 - survival[-1] == pytest.approx(row["share"])
        pictured = row["method"] == "ks" and row["task"] == "moved" and row["seed"] == 0
        assert ("cdf_place" in found) == pictured
        if pictured:
            assert found["cdf_place"].tolist() == [3, 4, 12]
            assert found["cdf_window"].shape == (100,) and found["cdf_reference"].shape == (1000,)
            assert abs(found["cdf_window"].mean() - found["cdf_reference"].mean()) > 1.0


def test_a_floor_that_is_not_known_has_a_reason() -> None:
    found = references([{"mean": 0.0, "sd": 1.0}, {"mean": 1.0, "sd": 2.0}], [1000.0])
    assert np.isnan(found.arrays["floor"]).all() and "normal laws of one spread" in found.info["reason"]


def test_always_is_last_and_has_no_delay(report: Any) -> None:
    board = report[0]["Leaderboard"].table
    rows = {row["method"]: row for row in board.to_dicts()}
    assert "never" in rows and np.isfinite(rows["never"]["restricted_delay"])
    assert np.isnan(rows["always"]["restricted_delay"]) and np.isnan(rows["always"]["delay"])
    assert "at random" in rows["always"]["restricted_delay_reason"]
    place = board["method"].to_list().index
    assert place("always") > place("never") > place("clairvoyant")
    tasks = report[0]["Tasks"].table.filter(pl.col("method") == "always")
    assert len(tasks) and np.isnan(tasks["restricted_delay"].to_numpy()).all()
