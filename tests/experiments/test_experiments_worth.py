"""The study of what gates are worth tabulates the right cells, and finds where recall and worth disagree."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "experiments"))

import worth_of_a_gate as study  # noqa: E402

from mlopsim.stats.interval import Interval  # noqa: E402

SEEDS = 8
#: score and recall by task and method; in "harmless" nothing is lost
NUMBERS: dict[str, dict[str, tuple[float, float]]] = {
    "costly": {
        "clean": (0.9, np.nan),
        "none": (0.7, 0.0),
        "oracle": (0.9, 1.0),
        "sees": (0.72, 0.9),
        "helps": (0.86, 0.2),
        "helps @test": (0.9, 0.2),
    },
    "harmless": {
        "clean": (0.9, np.nan),
        "none": (0.9, 0.0),
        "oracle": (0.9, 1.0),
        "sees": (0.88, 0.9),
        "helps": (0.9, 0.2),
        "helps @test": (0.9, 0.2),
    },
}


def table() -> pl.DataFrame:
    rng = np.random.default_rng(0)
    rows = []
    for task, methods in NUMBERS.items():
        for seed, shift in enumerate(rng.normal(0.0, 0.01, SEEDS)):
            rows += [
                {
                    "task": task,
                    "method": method,
                    "seed": seed,
                    "status": "done",
                    "score": score + shift,
                    "recall": recall + (0.0 if recall in (0.0, 1.0) else shift),
                    "reasons": "{}",
                    "stage": "release" if method == "helps @test" else "entry",
                    "action": None if method in ("clean", "none") else "drop",
                    "known": "the truth" if method in ("clean", "oracle") else "nothing",
                    **dict.fromkeys(("false_alarm", "auroc", "dropped", "dropped_gap"), 0.05),
                }
                for method, (score, recall) in methods.items()
            ]
    return pl.DataFrame(rows)


def test_what_is_lost_is_clean_less_no_gate() -> None:
    rows = study.losses(table(), ["costly"])
    assert [row["task"] for row in rows] == ["costly", "harmless"]
    assert rows[0]["loss"] == pytest.approx(0.2) and rows[1]["loss"] == pytest.approx(0.0)
    assert [row["counts"] for row in rows] == [True, False]
    assert rows[0]["loss_n"] == SEEDS


def test_recovered_is_told_only_where_something_is_lost() -> None:
    rows = {(row["task"], row["method"]): row for row in study.gates(table(), ["costly"])}
    assert not {method for _, method in rows} & {"clean", "none"}
    assert rows["costly", "sees"]["recovered"] == pytest.approx(0.1)
    assert rows["costly", "helps"]["recovered"] == pytest.approx(0.8)
    assert rows["costly", "oracle"]["recovered"] == pytest.approx(1.0)
    assert np.isnan(rows["harmless", "sees"]["recovered"]) and rows["harmless", "sees"]["recovered_n"] == 0
    assert rows["harmless", "sees"]["recall"] == pytest.approx(0.9, abs=0.01)


def test_gates_that_recall_and_worth_order_differently_are_named() -> None:
    (pair,) = study.against(study.estimates(table(), ["costly"]))
    assert (pair.task, pair.finds, pair.gains) == ("costly", "sees", "helps")
    assert pair.recall[0] > pair.recall[1] and pair.recovered[0] < pair.recovered[1]
    assert study.against(study.estimates(table(), [])) == []


@pytest.mark.parametrize(
    ("action", "alarms", "alike", "fair"),
    [
        ("drop", (0.05, 0.05), True, True),
        ("drop", (0.09, 0.05), True, False),
        ("drop", (0.02, 0.05), True, True),
        ("weight", (0.05, 0.05), False, False),
    ],
)
def test_what_could_explain_a_pair_stands_beside_it(
    action: str, alarms: tuple[float, float], alike: bool, fair: bool
) -> None:
    finds, gains = pl.col("method") == "sees", pl.col("method") == "helps"
    cells = table().with_columns(
        action=pl.when(gains).then(pl.lit(action)).otherwise("action"),
        false_alarm=pl.when(finds).then(alarms[0]).when(gains).then(alarms[1]).otherwise("false_alarm"),
    )
    known = study.estimates(cells, ["costly"])
    pairs = study.explained(known, study.against(known))
    assert [(row["alike"], row["fair"]) for row in pairs] == [(alike, fair)]
    rows = study.counts(known, ["costly", "harmless"], ["helps"])
    found = {(row.pop("task"), row.pop("pairs")): tuple(row.values()) for row in rows}
    # of the one pair, `sees` finds more and gains less; the other task has none
    expected = dict(zip(study.COUNTED, (True, alike, fair, False), strict=True))
    for which, there in expected.items():
        assert found["costly", which] == found[study.SUM, which] == (int(there), 0, 0)
        assert found["harmless", which] == (0, 0, 0)


def test_a_pair_that_agrees_and_one_that_is_open_are_told_apart() -> None:
    def gate(recall: float, worth: float) -> study.Estimates:
        near = [Interval(value=x, low=x - 0.05, high=x + 0.05, n=5) for x in (recall, worth, 0.1)]
        return study.Estimates(recall=near[0], worth=near[1], alarms=near[2], stage="entry", action="drop")

    known = {("t", "a"): gate(0.9, 0.8), ("t", "b"): gate(0.5, 0.2), ("t", "c"): gate(0.2, 0.25)}
    rows = study.counts(known, ["t"], ["c"])
    # a beats b and c in both; b finds more than c, and which gains more is open
    assert rows[0] == {"task": "t", "pairs": "all", "disagree": 0, "agree": 2, "open": 1}
    assert rows[3] == {"task": "t", "pairs": "fair, no control", "disagree": 0, "agree": 1, "open": 0}


def test_the_figure_has_a_panel_for_each_task() -> None:
    rows = study.gates(table(), ["costly"])
    figure = study.panels(rows, ["costly"], ["sees", "helps"], SEEDS)
    (axes,) = figure.axes
    assert axes.get_title(loc="left") == "costly"
    assert {text.get_text() for text in axes.texts} == {"sees", "helps"}
    assert f"{SEEDS} seeds" in " ".join(text.get_text() for text in figure.texts)


def test_gates_that_lie_together_have_one_label() -> None:
    rows: list[dict[str, Any]] = [{"method": name} for name in ("a", "b @train", "c")]
    assert study.short(rows[:2]) == "a, b @train" and study.short(rows) == "a and 2 more"


def test_a_suite_of_another_track_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit, match="not of quality"):
        study.main(["suite=drift-quick", f"ledger={tmp_path / 'ledger'}"])
