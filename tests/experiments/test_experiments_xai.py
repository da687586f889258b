"""The study of testing with explanations tabulates the right cells, paired over seeds."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from mlopsim.core.errors import ConfigError

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "experiments"))

import xai_vs_traditional as study  # noqa: E402

SEEDS = 12
BATTERIES = ("traditional", "explained")
PAIRS = [["explained", "traditional"]]
#: windows from alarm to harm by task and battery; in the last task nothing is wrong
LEADS: dict[str, dict[str, float]] = {
    "proxy / ridge, s = 0.5": {"traditional": -4.0, "explained": 2.0},
    "proxy / ridge, s = 1": {"traditional": 0.0, "explained": 6.0},
    "label bias / ridge, s = 1": {"traditional": np.nan, "explained": np.nan},
    "unequal base rate / ridge, s = 1": {"traditional": np.nan, "explained": np.nan},
}

SCENARIOS = {
    "proxy / ridge, s = 0.5": ("proxy / ridge", 0.5),
    "proxy / ridge, s = 1": ("proxy / ridge", 1.0),
    "label bias / ridge, s = 1": ("label bias / ridge", 1.0),
    "unequal base rate / ridge, s = 1": ("unequal base rate / ridge", 1.0),
}


def table() -> pl.DataFrame:
    rng = np.random.default_rng(0)
    rows: list[dict[str, Any]] = []
    for task, leads in LEADS.items():
        wrong = SCENARIOS[task][0] != "unequal base rate / ridge"
        for seed, shift in enumerate(rng.normal(0.0, 10.0, SEEDS)):
            for method in (*BATTERIES, "never"):
                found = method == "explained" or (method == "traditional" and seed % 2 == 0)
                lead = leads.get(method, np.nan)
                rows.append(
                    {
                        "task": task,
                        "method": method,
                        "seed": seed,
                        "status": "done",
                        "scenario": SCENARIOS[task][0],
                        "strength": SCENARIOS[task][1],
                        "norm": "treatment" if wrong else None,
                        "battery": method in BATTERIES,
                        "role": "control" if method == "never" else "method",
                        "limit": "none" if method == "never" else "calibrated",
                        "reads": "nothing" if method == "never" else "decisions",
                        "needs": "none" if method == "never" else "labels",
                        "power": float(found) if wrong else np.nan,
                        "false_block": np.nan if wrong else float(found),
                        "lead": lead + shift if wrong else np.nan,
                        "restricted_delay": 10.0 - 5.0 * found if wrong else np.nan,
                        "blamed": np.nan,
                    }
                )
    return pl.DataFrame(rows)


def test_differences_are_paired_over_seeds() -> None:
    (proxy, label, fair) = study.between_batteries(table(), PAIRS)
    assert (proxy["scenario"], proxy["battery"], proxy["than"]) == ("proxy / ridge", *PAIRS[0])
    # the people differ by ten windows, the batteries by six in every one of them
    assert proxy["lead"] == pytest.approx(6.0) and proxy["lead_low"] == pytest.approx(6.0)
    assert proxy["power"] == pytest.approx(0.5) and proxy["power_low"] < 0.5 < proxy["power_high"]
    assert proxy["lead_n"] == SEEDS
    # no harm follows; nothing is wrong
    assert np.isnan(label["lead"]) and label["lead_n"] == 0 and label["power"] == pytest.approx(0.5)
    assert np.isnan(fair["power"]) and fair["false_block"] == pytest.approx(0.5)


def test_each_strength_and_method_has_a_row() -> None:
    rows = study.by_strength(table())
    assert len(rows) == len(LEADS) * 3
    assert [row["strength"] for row in rows if row["scenario"] == "proxy / ridge"] == [0.5] * 3 + [1.0] * 3
    row = next(r for r in rows if r["method"] == "explained" and r["strength"] == 0.5)
    assert row["power"] == 1.0 and row["power_n"] == SEEDS
    assert {one["method"]: one["battery"] for one in study.methods(table())}["explained"] is True
    assert np.isnan(row["false_block"]) and np.isnan(row["blamed"]) and row["blamed_n"] == 0


def test_pairs_are_arms_of_the_suite() -> None:
    assert study.check_pairs(table(), PAIRS) == list(BATTERIES)
    for wrong in ([["explained", "never"]], [["explained"]]):
        with pytest.raises(ConfigError, match="no pair of batteries"):
            study.check_pairs(table(), wrong)


def test_the_figure_has_a_mark_for_each_battery_and_each_difference() -> None:
    cells = table()
    figure = study.drawn(cells, BATTERIES, study.between_batteries(cells, PAIRS))
    left, right = figure.axes
    assert [text.get_text() for text in left.get_yticklabels()] == ["proxy / ridge", "label bias / ridge"]
    assert {text.get_text() for text in figure.legends[0].get_texts()} == set(BATTERIES)
    marks = [line for line in right.lines if line.get_marker() not in ("None", "", None)]
    assert sum(len(line.get_xdata()) for line in marks) == 2


def test_other_tracks_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="not of fairness"):
        study.main(["suite=quick", f"ledger={tmp_path}", "--results", str(tmp_path)])
