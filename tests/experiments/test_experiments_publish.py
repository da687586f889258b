"""What of a local run travels."""

from __future__ import annotations

import csv
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "experiments"))

import publish  # noqa: E402

from mlopsim import __version__  # noqa: E402
from mlopsim.compose import Study  # noqa: E402
from mlopsim.core.errors import ConfigError  # noqa: E402


def test_settings_tables_and_declared_figures_travel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source, target = tmp_path / "local", tmp_path / "out"
    with pytest.raises(ConfigError, match="no finished run"):
        publish.publish(source, target)
    stream = {"synthetic": {"concept": "sea", "windows": 30, "rows": 50}}
    study = Study(
        track={"delivery": {"steps": 0}},
        tasks=[{"stream": stream, "learner": "ridge"}],
        methods=["never", "periodic"],
        seeds=2,
        name="tiny",
    )
    study.run(source, executor="serial", progress=False).report()
    assert (source / "report.html").is_file()
    made = {path.relative_to(target).as_posix() for path in publish.publish(source, target)}
    figures = {f"figures/{name}.svg" for name in publish.FIGURES["delivery"]}
    assert {"config.yaml", "leaderboard.csv"} <= made <= {"config.yaml", "leaderboard.csv"} | figures
    assert made == {path.relative_to(target).as_posix() for path in target.rglob("*") if path.is_file()}
    assert f"made_with:\n  mlopsim: {__version__}\n" in (target / "config.yaml").read_text(encoding="utf-8")
    with (target / "leaderboard.csv").open() as file:
        assert {row["method"] for row in csv.DictReader(file)} == {"never", "periodic", "oracle"}
    monkeypatch.setattr(publish, "LARGEST", 100)
    with pytest.raises(ConfigError, match="100 at most"):
        publish.publish(source, target)
    assert (target / "figures" / "leaderboard.svg").is_file()


def test_figures_are_declared_for_every_track_and_are_three() -> None:
    from mlopsim.core.registry import find, names

    assert set(publish.FIGURES) == {
        name for name in names("track") if find("track", name).__module__.startswith("mlopsim.")
    }
    assert all(len(figures) <= 3 for figures in publish.FIGURES.values())
