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
from mlopsim.bench.baseline import baseline_path, read_baseline  # noqa: E402
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
    always = {"config.yaml", "leaderboard.csv", "baseline.parquet"}
    assert always <= made <= always | figures
    assert made == {path.relative_to(target).as_posix() for path in target.rglob("*") if path.is_file()}
    assert f"made_with:\n  mlopsim: {__version__}\n" in (target / "config.yaml").read_text(encoding="utf-8")
    with (target / "leaderboard.csv").open() as file:
        assert {row["method"] for row in csv.DictReader(file)} == {"never", "periodic", "oracle"}
    published = read_baseline(target / "baseline.parquet")
    assert {*published.methods} == {"never", "periodic", "oracle"} and len(published.cells) == 6
    assert baseline_path("published", "out", tmp_path) == target / "baseline.parquet"
    # one of another run would stand beside other tables
    publish.publish(source, target, baseline=False)
    assert not (target / "baseline.parquet").exists()
    monkeypatch.setattr(publish, "LARGEST", 100)
    with pytest.raises(ConfigError, match="100 at most"):
        publish.publish(source, target)
    assert (target / "figures" / "leaderboard.svg").is_file()
    # nor is anything replaced where the cells make no baseline
    monkeypatch.undo()
    monkeypatch.setattr("mlopsim.bench.baseline_write.check_makers", _two_states)
    with pytest.raises(ConfigError, match="two states"):
        publish.publish(source, target)
    assert (target / "figures" / "leaderboard.svg").is_file()


def _two_states(makers: object) -> None:
    raise ConfigError("two states of the code")


def test_figures_are_declared_for_every_track_and_are_three() -> None:
    from mlopsim.core.registry import find, names

    assert set(publish.FIGURES) == {
        name for name in names("track") if find("track", name).__module__.startswith("mlopsim.")
    }
    assert all(len(figures) <= 3 for figures in publish.FIGURES.values())
