"""The report of the fairness track: its numbers by hand, its sections, and tables without facts."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl
import pytest
from fairness_kit import CALIBRATION, EXPLAIN, TASKS, results

from mlopsim.compose.published_series import PublishedSeries
from mlopsim.core.section import make_sections, makers
from mlopsim.tracks.fairness import analysis
from mlopsim.tracks.fairness.compare import compare
from mlopsim.tracks.fairness.track import FairnessTrack
from mlopsim.tracks.table_results import TableResults

NAMED: list[dict[str, Any]] = [
    {**TASKS[0], "name": "fair / ridge"},
    {**TASKS[1], "name": "proxy / ridge"},
    {**TASKS[2], "name": "unequal base rate / ridge", "strengths": [0.5, 1.0]},
    {**TASKS[3], "name": "label bias / ridge retrained"},
]
#: columns of facts, which earlier versions did not store
FACTS = (
    *("scenario", "norm", "bias", "stream", "real", "learner", "every", "first_only", "guard", "features"),
    *("family", "role", "reads", "needs", "known", "limit", "battery", "exact", "met"),
)


@pytest.fixture(scope="module")
def run() -> TableResults:
    track = FairnessTrack(calibration=CALIBRATION, explain=EXPLAIN)
    return results(track, NAMED, ["four_fifths", "shap_gap", "traditional", "metrics"], seeds=3)


def earlier(table: pl.DataFrame) -> pl.DataFrame:
    """Return a table as an earlier version stored it: facts as numbers, or not at all."""
    codes = pl.col("norm").replace_strict(
        ["treatment", "impact", "errors"], [1.0, 2.0, 3.0], default=0.0, return_dtype=pl.Float64
    )
    flags = {
        "norm": codes,
        "control": (pl.col("role") == "control").cast(pl.Float64),
        "rule": (pl.col("limit") == "given").cast(pl.Float64),
        "arm": pl.col("battery").cast(pl.Float64),
        "exact": pl.col("exact").cast(pl.Float64),
        "met": pl.col("met").cast(pl.Float64),
    }
    numbers = table.select(**flags)
    return table.drop(FACTS).with_columns(numbers)


def test_sections_read_no_series_that_is_not_published(run: TableResults) -> None:
    compared = FairnessTrack.compared_curves
    have = {name for key in run.cells["key"] for name in run.curves(key)}
    assert set(compared) == have - {"position", "alarms"}

    def read(key: str) -> Mapping[str, np.ndarray]:
        held = {name: run.curves(key)[name] for name in compared if name in run.curves(key)}
        return PublishedSeries(held, compared, cell=key, origin="0f")

    made, unmade = make_sections(replace(run, read=read))
    whole, _ = make_sections(run)
    assert not unmade and [(s.title, list(s.figures)) for s in made] == [
        (s.title, list(s.figures)) for s in whole
    ]


def test_every_section_is_made_with_n_and_interval(run: TableResults) -> None:
    made, unmade = make_sections(run)
    assert not unmade
    found = {section.title: section for section in made}
    assert list(found) == [
        "Leaderboard",
        "Power by scenario",
        "Power against strength",
        "Lead time",
        "Proxy or unequal base rate",
        "False blocks",
        "Blame",
        "Guarding a deployment",
        "Words",
    ]
    for title in ("Power by scenario", "Power against strength", "Lead time", "False blocks", "Blame"):
        columns = set(found[title].table.columns)
        ends = {name for name in columns if name.endswith("_low")}
        assert ends and all({name[:-4], f"{name[:-4]}_high", f"{name[:-4]}_n"} <= columns for name in ends)
    assert "29.9%" in found["False blocks"].text and "98.6%" in found["False blocks"].text
    apart = found["Proxy or unequal base rate"].table
    # the features have the same law: without labels nobody can tell the two apart
    row = dict(zip(apart["method"], apart["difference"], strict=True))
    assert row["shap_gap"] == 0.0 and row["always"] == 0.0
    assert set(found["Proxy or unequal base rate"].figures) == {"Told apart, proxy / ridge"}
    assert set(found["Guarding a deployment"].figures) == {
        f"{what} over time, label bias / ridge retrained" for what in ("Fairness", "Accuracy")
    }
    # one law of no bias, a place in the population makes another
    assert len(found["False blocks"].figures) == found["False blocks"].table["law of"].n_unique() == 2
    assert found["Blame"].figures
    assert set(found["Leaderboard"].figures) == {"Leaderboard", "Rules of thumb"}
    # the score that leads stands beside the method, then facts
    columns = [name for name in found["Leaderboard"].table.columns if not name.startswith("power_")]
    assert columns[:5] == ["method", "power", "role", "limit", "needs"]


def test_conditions_and_additions_have_sections_of_their_own() -> None:
    few = {"runs": 20, "checks": 10, "lime_runs": 10, "lime_checks": 10}
    track = FairnessTrack(calibration={**CALIBRATION, **few}, explain=EXPLAIN)
    proxy = {**NAMED[1], "strengths": [1.0]}
    late = {**proxy, "name": "proxy / ridge, labels 3 late", "label_delay": 3}
    more = {**proxy, "name": "proxy / ridge, LIME on more rows", "explain": {"rows": 20}}
    one, other = ({"arm": {"audits": [name]}} for name in ("input_gap", "shap_gap"))
    methods = ["accuracy", "lime_gap", one, other, {"arm": {"audits": ["input_gap", "shap_gap"]}}]
    table = results(track, [NAMED[0], proxy, late, more], methods, seeds=2)
    made, unmade = make_sections(table)
    assert not unmade
    found = {section.title: section for section in made}
    added = found["What audits add"].table
    assert set(added["scenario"]) == {"(all)", proxy["name"], late["name"], more["name"]}
    assert added.height == 2 * 4 and {"gain_low", "gain_high", "gain_n", "sooner_n"} <= set(added.columns)
    # a frozen linear model: the Shapley values say what the inputs say
    assert (added["gain"].abs() <= 0.5).all() and len(found["What audits add"].figures) == 2
    delays = found["Label delay"].table
    assert delays["label_delay"].unique().to_list() == [0, 3]
    later = {(m, n): v for m, n, v in delays.select("method", "label_delay", "later").iter_rows()}
    assert later["lime_gap", 3] == 0.0 and {v for (_, n), v in later.items() if n == 0} == {0.0}
    assert later["accuracy", 3] >= 0.0 and "alarm" not in delays.columns
    rows = found["Explained rows"].table
    assert rows["lime_rows"].unique().to_list() == [10, 20]
    assert rows["method"].unique().len() == 3
    # means over tasks are over the usual ones; the others would count one deployment again and again
    board = table.leaderboard
    plain = table.cells.filter(pl.col("task") == "proxy / ridge, s = 1")
    for method, power in board.select("method", "power").iter_rows():
        assert power == plain.filter(pl.col("method") == method)["power"].mean(), method
    # and so is the difference of two
    powers = dict(board.select("method", "power").iter_rows())
    gap = compare(table.cells, "accuracy", "lime_gap").row(-1, named=True)
    assert gap["tasks"] == 1 and gap["difference"] == pytest.approx(powers["accuracy"] - powers["lime_gap"])
    assert "LIME explains 10 rows a window" in found["Leaderboard"].text
    assert "sections of their own" in found["Leaderboard"].text


def test_the_order_of_sections_is_theirs() -> None:
    orders = [maker.order for maker in makers("fairness") if maker.track == "fairness"]
    assert orders == sorted(set(orders)) and len(orders) == 12


def test_the_leaderboard_pools_no_limits(run: TableResults) -> None:
    board = run.leaderboard
    limits = board["limit"].to_list()
    assert limits == sorted(limits) and set(limits) == {"calibrated", "given", "none"}
    for limit in set(limits):
        power = board.filter(pl.col("limit") == limit)["power"].to_list()
        assert power == sorted(power, reverse=True)
    facts = dict(zip(board["method"], board["needs"], strict=True))
    assert facts["four_fifths"] == "group labels" and facts["traditional"] == "labels, group labels"
    assert board["cells"].to_list() == [18] * board.height


def test_rates_are_those_of_the_limits(run: TableResults) -> None:
    rows = analysis.false_blocks(run.cells)
    # a rule of thumb has no calibrated limit that could be met, though it shares the fit of its audit
    told = run.cells.filter(pl.col("limit") == "given").select("exact", "met", "fit")
    assert told.null_count().row(0) == (told.height, told.height, 0)
    ruled = rows.filter(pl.col("method") == "four_fifths @rule")
    assert ruled["met"].null_count() == ruled.height == 2 and not ruled["exact"].any()
    others = rows.filter(pl.col("method") != "four_fifths @rule")
    assert others["met"].null_count() == 0
    # limits that an earlier version made: the rates stand, what was not stored is not known
    then = analysis.false_blocks(run.cells.drop("exact", "met"))
    assert then.drop("exact", "met").equals(rows.drop("exact", "met"))
    assert then["met"].null_count() == then.height and then["exact"].null_count() == others.height
    # once a law, however many tasks and seeds share it
    assert rows.group_by("method", "law of").len()["len"].max() == 1


def by_hand() -> pl.DataFrame:
    """Two strengths of a bias and of its twin, two seeds; one method finds the strong one only."""
    rows: list[dict[str, Any]] = []
    for scenario, norm in (("p", "treatment"), ("u", None), ("none", None)):
        for strength in (0.5, 1.0) if scenario != "none" else (0.0,):
            for seed in (0, 1):
                for method in ("a", "a @rule", "never"):
                    hit = float(method != "never" and (strength == 1.0 or method == "a @rule"))
                    row: dict[str, Any] = {"task": f"{scenario}, {strength}", "method": method, "seed": seed}
                    row |= {"status": "done", "scenario": scenario, "strength": strength, "norm": norm}
                    row |= {"power": hit if norm else math.nan, "false_block": math.nan if norm else hit}
                    row |= dict.fromkeys(("restricted_delay", "lead", "blamed", "stable"), math.nan)
                    row["features"] = "none" if scenario == "none" else f"{strength}"
                    row["role"] = "control" if method == "never" else "method"
                    row["limit"] = {"a": "calibrated", "a @rule": "given", "never": "none"}[method]
                    rows.append(row)
    return pl.DataFrame(rows, infer_schema_length=None)


def test_numbers_by_hand() -> None:
    table = by_hand()
    assert analysis.biased(table) == analysis.biased(table, "treatment") == ["p, 0.5", "p, 1.0"]
    assert analysis.biased(table, "impact") == [] and analysis.fair(table) == ["none, 0.0"]
    assert analysis.unequal(table) == ["u, 0.5", "u, 1.0"]
    assert analysis.scenarios(table, ["u, 1.0", "p, 1.0", "u, 0.5"]) == {
        "u": ["u, 0.5", "u, 1.0"],
        "p": ["p, 1.0"],
    }
    assert analysis.twins(table) == [("p", ["p, 0.5", "p, 1.0"], ["u, 0.5", "u, 1.0"])]
    # the twin of one strength is missing: that strength is left out
    fewer = table.filter(pl.col("task") != "u, 0.5")
    assert analysis.twins(fewer) == [("p", ["p, 1.0"], ["u, 1.0"])]
    assert analysis.controls(table) == ["never"] and analysis.rules(table) == ["a @rule"]
    assert analysis.calibrated(table) == ["a"] and analysis.batteries(table) == []
    board = analysis.leaderboard(table)
    # the rule of thumb finds more, and blocks everything
    assert board["method"].to_list() == ["a", "a @rule", "never"]
    assert board["power"].to_list() == [0.5, 1.0, 0.0] and board["unequal_block"].to_list() == [0.5, 1.0, 0.0]
    assert board["false_block"].to_list() == [0.0, 1.0, 0.0]
    assert analysis.difference(table, "a @rule", "a", "power", ["p, 0.5", "p, 1.0"]).value == 0.5
    assert analysis.apart(table, "a", ["p, 1.0"], ["u, 0.5"]).value == 1.0


def test_without_facts_the_leaderboard_stands_and_sections_say_what_is_missing(run: TableResults) -> None:
    old = TableResults(track=run.track, cells=earlier(run.cells), read=run.curves)
    board = old.leaderboard
    assert board["role"].null_count() == board["limit"].null_count() == board.height
    both = run.leaderboard.join(board, on="method", suffix="_then")
    for name in ("power", "false_block", "unequal_block", "lead", "blamed"):
        assert np.array_equal(both[name], both[f"{name}_then"], equal_nan=True), name
    # codes of norms are not read
    assert "power_treatment" in run.leaderboard.columns and "power_treatment" not in board.columns
    made, unmade = make_sections(old)
    assert [section.title for section in made] == ["Leaderboard", "Words"]
    assert "stored no facts" in made[0].text and set(made[0].figures) == {"Leaderboard"}
    assert "role" not in made[0].table.columns
    assert len(unmade) == 10 and all("did not store" in section.reason for section in unmade)


def test_a_suite_without_bias_has_no_empty_sections() -> None:
    track = FairnessTrack(calibration=CALIBRATION, explain=EXPLAIN)
    made, unmade = make_sections(results(track, NAMED[:1], ["accuracy"], seeds=1))
    assert not unmade
    assert [section.title for section in made] == ["Leaderboard", "False blocks", "Words"]
    assert not made[0].figures
