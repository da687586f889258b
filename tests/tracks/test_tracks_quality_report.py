"""The report of the quality track, and its numbers."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import polars as pl
import pytest

from mlopsim.compose import Study
from mlopsim.core.section import Unavailable, make_sections
from mlopsim.core.spec import make
from mlopsim.stats.interval import Interval
from mlopsim.tracks.quality.analysis import (
    FACTS,
    cleaning,
    costly,
    disagreements,
    leaderboard,
    loss,
    recovered,
)
from mlopsim.tracks.quality.track import QualityTrack
from mlopsim.tracks.table_results import TableResults

TASKS = ("lossy", "free")
SCORES = {
    ("clean", "lossy"): [0.9, 0.8, 0.85],
    ("none", "lossy"): [0.7, 0.6, 0.65],
    ("half", "lossy"): [0.8, 0.7, 0.75],
    ("worse", "lossy"): [0.6, 0.5, 0.55],
    ("clean", "free"): [0.9, 0.8, 0.85],
    ("none", "free"): [0.9, 0.8, 0.85],
    ("half", "free"): [0.89, 0.79, 0.84],
    ("worse", "free"): [0.9, 0.8, 0.85],
    ("oracle", "lossy"): [0.9, 0.8, 0.85],
    ("oracle", "free"): [0.9, 0.8, 0.85],
}


def cells() -> pl.DataFrame:
    rows = []
    for (method, task), scores in SCORES.items():
        for seed, score in enumerate(scores):
            rows.append(
                {
                    "task": task,
                    "method": method,
                    "seed": seed,
                    "status": "done",
                    "reasons": "{}",
                    "score": score,
                    "recall": math.nan if task == "free" or method == "clean" else 0.5,
                    **dict.fromkeys(("false_alarm", "auroc", "dropped", "dropped_gap"), 0.1),
                }
            )
    return pl.DataFrame(rows)


def test_shares_are_quotients_of_sums() -> None:
    frame = cells()
    assert loss(frame, "lossy").value == pytest.approx(0.2)
    assert costly(frame, 0.005) == ["lossy"] and costly(frame, 0.3) == []
    assert recovered(frame, "half", ["lossy"]).value == pytest.approx(0.5)
    assert recovered(frame, "worse", ["lossy"]).value == pytest.approx(-0.5)
    nothing = recovered(frame, "half", [])
    assert math.isnan(nothing.value) and nothing.reason and nothing.n == 0


def test_leaderboard_orders_by_what_is_recovered_and_shows_harm() -> None:
    board = leaderboard(cells(), 0.005)
    assert board["method"].to_list()[-1] == "worse"
    half = board.filter(pl.col("method") == "half").to_dicts()[0]
    assert half["harm"] == pytest.approx(0.01) and half["recovered_n"] == 3


def test_only_gates_that_change_rows_are_compared_by_recall() -> None:
    track = QualityTrack(stages=["preprocess", "train", "test", "all"])
    found = track.methods(["zscore", {"zscore": {"action": "impute"}}, "confident", "accuracy_drop"])
    frame = pl.DataFrame([{"method": method.name, **method.attributes} for method in found])
    assert cleaning(frame) == ["zscore", "zscore(action=impute)", "confident @train", "random"]


def test_a_table_of_an_earlier_version_has_a_leaderboard_that_says_what_is_not_known() -> None:
    """It has no attributes, and metrics of the same names in their place."""
    codes = {"none": 1.0, "clean": 0.0, "oracle": 1.0, "half": 3.0, "worse": 2.0}
    old = cells().with_columns(
        stage=pl.col("method").replace_strict(codes, return_dtype=pl.Float64),
        control=pl.lit(0.0),
        key=pl.col("method"),
    )
    board = leaderboard(old, 0.005)
    assert board["recovered"].to_list()[:2] == leaderboard(cells(), 0.005)["recovered"].to_list()[:2]
    assert all(board[name].null_count() == len(board) for name in FACTS)
    curves = {"accuracy": np.full(4, 0.5)}
    results = TableResults(track=make("track", "quality"), cells=old, read=lambda key: curves)
    made, unmade = make_sections(results)
    assert "not known" in made[0].text and not set(FACTS) & set(made[0].table.columns)
    assert [each.title for each in unmade][:3] == [
        "Detection by kind of error",
        "At equal false-alarm rates",
        "Recall and worth",
    ]
    assert "'role'" in unmade[0].reason


def test_where_nothing_is_lost_sections_say_so() -> None:
    results = TableResults(track=make("track", "quality", floor=0.5), cells=cells(), read=lambda key: {})
    with pytest.raises(Unavailable, match=r"no task loses 0\.5 of accuracy"):
        make("section", "quality-by-task").make(results)


def interval(value: float) -> Interval:
    return Interval(value=value, low=value - 0.05, high=value + 0.05, n=9)


def test_disagreements_need_both_intervals_apart() -> None:
    rows = [
        ("t", "finds", interval(0.9), interval(0.1)),
        ("t", "gains", interval(0.3), interval(0.8)),
        ("t", "near", interval(0.86), interval(0.15)),
        ("u", "other", interval(0.1), interval(0.95)),
    ]
    found = [(pair.finds, pair.gains) for pair in disagreements(rows)]
    assert found == [("finds", "gains"), ("near", "gains")]


BASE = {
    "synthetic": {
        "windows": 20,
        "rows": 60,
        "warmup": 8,
        "bayes": False,
        "schedule": "none",
        "groups": [0.7, 0.3],
        "concept": {"linear_gaussian": {"variants": 1, "d": 4}},
    }
}


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("quality")
    timing = {"step": {"at": 10}}
    study = Study(
        track={"quality": {"stages": ["preprocess", "train", "test"]}},
        tasks=[
            {
                "name": name,
                "stream": {"corrupted": {"base": BASE, "timing": timing, "injector": injector, "rate": rate}},
            }
            for name, injector, rate in (
                ("unit", {"unit_scale": {"features": ["x0", "x1", "x2"]}}, 0.4),
                ("flips", "targeted_flip", 0.2),
                ("nothing", "missing", 0.0),
            )
        ],
        methods=["zscore", "hbos", "confident", "accuracy_drop", "weak_slices"],
        seeds=3,
        name="small",
    )
    results = study.run(folder, executor="serial", progress=False)
    made, unmade = make_sections(results)
    assert not unmade
    return results.cells, {section.title: section for section in made}


def test_the_leaderboard_shows_what_methods_are(report: Any) -> None:
    shown = report[1]["Leaderboard"].table
    rows = {row["method"]: row for row in shown.to_dicts()}
    assert [rows["weak_slices @test"][name] for name in ("family", "stage", "needs")] == [
        "release test",
        "release",
        "labels",
    ]
    assert rows["zscore"]["action"] == "drop" and rows["zscore @test"]["action"] == "hold"
    assert rows["clean"]["known"] == "the truth" and rows["clean"]["stage"] is None
    assert [name for name in shown.columns if not name.startswith("recovered_")][:3] == [
        *("method", "recovered", "family"),
    ]


def test_losses_say_what_is_wrong_in_a_task(report: Any) -> None:
    shown = report[1]["What errors cost"].table
    rows = {row["task"]: row for row in shown.to_dicts()}
    assert (rows["unit"]["scenario"], rows["unit"]["strength"]) == ("unit_scale", 0.4)
    # the same for all tasks
    assert "timing" not in shown.columns


def test_the_report_has_its_sections(report: Any) -> None:
    _, sections = report
    assert list(sections) == [
        "Leaderboard",
        "What errors cost",
        "Recovered by task",
        "Detection by kind of error",
        "At equal false-alarm rates",
        "Recall and worth",
        "Groups",
        "Weak slices",
        "False alarms",
        "Over time",
        "Words",
    ]


def test_the_heat_map_shows_the_table(report: Any) -> None:
    section = report[1]["Detection by kind of error"]
    axes = next(iter(section.figures.values())).axes[0]
    names = [label.get_text() for label in axes.get_yticklabels()]
    tasks = [label.get_text() for label in axes.get_xticklabels()]
    assert tasks == ["unit", "flips"] and "zscore" in names and "oracle" not in names
    shown = section.table.filter((pl.col("method") == "zscore") & (pl.col("task") == "unit"))["auroc"][0]
    place = names.index("zscore") * len(tasks)
    assert axes.texts[place].get_text() == f"{shown:.2f}"


def test_attained_rates_stand_beside_those_that_were_asked_for(report: Any) -> None:
    frame, sections = report
    rows = {row["method"]: row for row in sections["False alarms"].table.to_dicts()}
    assert set(rows) == {"zscore", "hbos", "confident @train", "random", "oracle", "none"}
    quiet = frame.filter((pl.col("task") == "nothing") & (pl.col("method") == "confident @train"))
    row = rows["confident @train"]
    assert row["asked"] == 0.05 and row["attained"] == pytest.approx(quiet["attained"].mean())
    assert row["attained_n"] == 3 and row["attained_low"] <= row["attained"] <= row["attained_high"]
    assert rows["oracle"]["asked"] is None
    assert rows["oracle"]["asked_reason"] == rows["oracle"]["why"] == "no rate is asked for"
    assert all(
        row["why"] or row["attained_low"] <= row["asked"] <= row["attained_high"] for row in rows.values()
    )


def test_gates_are_compared_at_equal_rates_by_what_they_need(report: Any) -> None:
    frame, sections = report
    rows = sections["At equal false-alarm rates"].table
    assert rows["needs"].to_list() == sorted(rows["needs"].to_list())
    assert set(rows["method"].to_list()) == {"zscore", "hbos", "confident @train", "random"}
    own = frame.filter((pl.col("method") == "zscore") & pl.col("task").is_in(["unit", "flips"]))
    shown = rows.filter(pl.col("method") == "zscore")["recall_at_5pct"][0]
    assert shown == pytest.approx(np.nanmean(own["recall_at_5pct"].to_numpy()))


def test_groups_are_the_cells(report: Any) -> None:
    frame, sections = report
    row = sections["Groups"].table.filter(pl.col("method") == "zscore").to_dicts()[0]
    assert 0.0 < row["dropped_0"] < 1.0 and 0.0 < row["dropped_1"] < 1.0
    mean = frame.filter(pl.col("method") == "zscore")["dropped_gap"].mean()
    assert row["dropped_gap"] == pytest.approx(mean)


def test_weak_slices_are_those_of_the_verdicts(report: Any) -> None:
    frame, sections = report
    rows = sections["Weak slices"].table
    # a test of all rows together names no slice
    assert set(rows["method"].to_list()) == {"weak_slices @test"}
    assert set(rows["task"].to_list()) <= {"unit", "flips"} and rows["verdicts_n"].unique().to_list() == [3]
    blocked = frame.filter((pl.col("method") == "weak_slices @test") & (pl.col("task") == "unit"))
    most = rows.filter(pl.col("task") == "unit")["verdicts"].max()
    assert isinstance(most, float) and 0.0 < most <= blocked["blocked"].to_numpy().mean()
    assert all(name == "group" or name.startswith("feature ") for name in rows["slices of"].to_list())


def test_over_time_is_paired_with_clean_data(report: Any) -> None:
    axes = report[1]["Over time"].figures["Accuracy over time"].axes[0]
    before = [np.asarray(line.get_ydata())[:2] for line in axes.get_lines() if len(line.get_xdata()) > 5]
    assert before and all((values == 0.0).all() for values in before)
