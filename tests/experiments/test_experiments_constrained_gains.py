"""Gains of a price in short: what a training is judged by, and the log, which loses nothing."""

from __future__ import annotations

import csv
import sys
from pathlib import Path

import polars as pl
import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "experiments"))

import _common  # noqa: E402
import constrained_gains  # noqa: E402

from mlopsim.core.spec import make  # noqa: E402


def test_what_is_logged_stays(tmp_path: Path) -> None:
    rows = [{"key": "a", "judged": 0.5}, {"key": "b", "judged": 0.25}]
    _common.write_table(tmp_path, constrained_gains.log(tmp_path, rows), "searches")
    later = [{"key": "b", "judged": 9.0}, {"key": "c", "judged": 0.125}]
    _common.write_table(tmp_path, constrained_gains.log(tmp_path, later), "searches")
    with (tmp_path / "searches.csv").open(newline="", encoding="utf-8") as file:
        assert [tuple(row.values()) for row in csv.DictReader(file)] == [
            ("a", "0.5"), ("b", "0.25"), ("c", "0.125"),
        ]  # fmt: skip


def test_scenarios_that_judge_are_no_scenarios_of_the_trainings() -> None:
    settings, agents = (
        _common.read_settings(ROOT / "conf" / "experiment" / f"constrained_{name}.yaml")
        for name in ("gains", "agents")
    )
    first, stop = settings["judged"]
    used = [agents["train_scenarios"], *(stage["train_scenarios"] for stage in settings["stages"])]
    assert max(used) <= first < stop
    # the same problem
    for key in ("root", "learner", "training", "stream", "deployment", "constraint"):
        assert settings[key] == agents[key]
    # and what is compared there was tried here
    tried = [{"ppo_lagrangian": settings["gains"][name]} for name in settings["stages"][0]["gains"]]
    assert agents["methods"]["PI"] in tried
    # by the gains that the agent comes with
    ours, default = make("selector", agents["methods"]["PI"]), make("selector", "ppo_lagrangian")
    assert (ours.proportional, ours.integral) == (default.proportional, default.integral)


@pytest.mark.slow
def test_gains_in_short(tmp_path: Path) -> None:
    settings = _common.read_settings(ROOT / "conf" / "experiment" / "constrained_gains.yaml")
    stage = {"steps": 9000, "train_scenarios": 8, "limits": [0.2], "seeds": [0], "gains": ["a", "b"]}
    settings |= {"stages": [stage], "judged": [8, 11], "workers": 1}
    settings |= {"gains": {"a": {"n_steps": 8}, "b": {"n_steps": 8, "proportional": 0.0}}}
    (tmp_path / "conf.yaml").write_text(yaml.safe_dump(settings), encoding="utf-8")
    constrained_gains.main(["--conf", str(tmp_path / "conf.yaml"), "--results", str(tmp_path)])
    table, searches = (pl.read_csv(tmp_path / f"{name}.csv") for name in ("table", "searches"))
    assert table["gains"].to_list() == ["a", "b"] and searches["proportional"][1] == 0.0
    assert (searches["steps"] <= 9000).all() and (searches["n"] == 3).all()
    assert (tmp_path / "figure.svg").is_file()
