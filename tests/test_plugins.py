"""The examples of plug-ins, which the guides show: one file each, a track is a folder.

They are loaded from outside of the package, checked, run in small suites, and their sections are reported.
"""

from __future__ import annotations

import doctest
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from mlopsim.bench.ledger import Ledger
from mlopsim.checks.run import check_component
from mlopsim.compose import Study
from mlopsim.core.registry import find, forget_plugins, load_plugins

EXAMPLES = Path(__file__).resolve().parent.parent / "examples" / "plugins"
FILES = {
    "selector/shifted": "selector.py",
    "detector/last_mean": "detector.py",
    "injector/rounded": "injector.py",
    "stream/tide": "stream.py",
    "gate/far_out": "gate.py",
    "audit/pooled_z": "audit.py",
    "selector/small_trpo": "agent.py",
    "section/retrains": "section.py",
    "track/centre": "track/track.py",
    "section/centre-outliers": "track/sections/outliers.py",
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("MLOPSIM_CACHE", str(tmp_path / "cache"))
    yield Path(shutil.copytree(EXAMPLES, tmp_path / "mine"))
    forget_plugins()


@pytest.mark.parametrize("full_name", FILES)
def test_an_example_fulfils_its_contract(full_name: str, folder: Path) -> None:
    # a section needs its track
    load_plugins([folder / FILES[full_name], folder / "track"])
    cls = find(*full_name.split("/"))
    assert cls.version.startswith("plugin-")
    assert not {verdict.check: verdict.problem for verdict in check_component(cls) if verdict.problem}
    done = doctest.testmod(sys.modules[cls.__module__])
    assert done.attempted and not done.failed


def test_a_selector_an_injector_and_a_section_join_a_suite(folder: Path) -> None:
    base = {"synthetic": {"windows": 16, "rows": 20, "warmup": 4, "schedule": "abrupt"}}
    stream = {"corrupted": {"base": base, "injector": "rounded", "timing": {"step": {"at": 6}}}}
    study = Study(
        track={"delivery": {"steps": 0}},
        tasks=[{"stream": stream}],
        methods=["shifted", {"shifted": {"threshold": 0.4}}],
        seeds=2,
        plugins=[folder],
    )
    results = study.run(folder / "out", executor="serial", progress=False)
    assert results.cells["status"].unique().to_list() == ["done"]
    page = results.report().read_text(encoding="utf-8")
    assert "Retrains by method" in page and "shifted(threshold=0.4)" in page
    with Ledger.read(folder / "out") as ledger:
        stored = {Path(entry["path"]).name for entry in ledger.grid(None)["plugins"]}
    assert stored == {path.name for path in EXAMPLES.glob("*.py")}


def test_a_detector_joins_a_suite(folder: Path) -> None:
    study = Study(
        track={"drift": find("track", "drift").smallest["settings"]},
        tasks=find("track", "drift").smallest["tasks"],
        methods=["last_mean"],
        seeds=2,
        plugins=[folder / "detector.py"],
    )
    results = study.run(folder / "out", executor="serial", progress=False)
    rows = {row["method"]: row for row in results.cells.iter_rows(named=True)}
    assert rows["last_mean"]["status"] == "done" and rows["last_mean"]["recall"] == 1.0


def test_a_track_is_a_folder(folder: Path) -> None:
    study = Study(
        track="centre",
        tasks=[{"outliers": 0.0}, {"outliers": 0.2}],
        methods=["mean", "median"],
        seeds=5,
        plugins=[folder / "track"],
    )
    results = study.run(folder / "out", executor="serial", progress=False)
    assert len(results.cells) == 20
    assert results.leaderboard["method"].to_list() == ["median", "mean"]
    assert set(results.cells["outliers"]) == {0.0, 0.2}
    page = results.report().read_text(encoding="utf-8")
    assert "Distance by share of outliers" in page and "<svg" in page
