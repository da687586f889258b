"""Both matchings on one small grid, rises and falls apart, ranks beside means, tuning with equal budgets."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import polars as pl
import pytest

from mlopsim.compose import Study
from mlopsim.core.errors import ConfigError
from mlopsim.core.spec import make
from mlopsim.drift.detector import Detector
from mlopsim.tracks.drift.analysis import by_match, delays_by_task, leaderboard, pooled_tasks
from mlopsim.tracks.drift.mean_ranks import mean_ranks
from mlopsim.tracks.drift.realised_alarms import REALISED, pooled_over_laws
from mlopsim.tracks.drift.rises_falls import by_task, falls
from mlopsim.tracks.drift.track import DriftTrack
from mlopsim.tracks.drift.tuning import candidates

TASKS = [
    {"name": "rise", "signal": {"iid": {"p": 0.2, "p1": 0.6, "ticks": 1400, "change": 700}}},
    {"name": "fall", "signal": {"iid": {"p": 0.5, "p1": 0.05, "ticks": 1400, "change": 700}}},
]
METHODS: list[Any] = ["ddm", "fhddm", {"fhddm": {"side": "both"}}, "hddm_w", {"hddm_w": {"side": "both"}}]
SMALL = {
    "arl0": 2000,
    "horizon": 500,
    "runs": 100,
    "checks": 100,
    "curve": [],
    "rate_rows": 4000,
    "rate_runs": 40,
}


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    found = {}
    for name, calibration, tuning in (
        ("first_alarm", {}, {}),
        ("rate", {"match": "rate"}, {}),
        ("tuned", {}, {"budget": 3, "seeds": 4, "runs": 60}),
    ):
        track = {"drift": {"calibration": {**SMALL, **calibration}, "tolerance": 500, "tuning": tuning}}
        study = Study(track=track, tasks=TASKS, methods=METHODS, seeds=2, name="small")
        found[name] = study.run(tmp_path_factory.mktemp(name) / "r", progress=False, executor="serial")
    return found


@pytest.mark.parametrize("match", ["first_alarm", "rate"])
def test_what_is_asked_is_equal_and_the_other_is_printed(ran: dict[str, Any], match: str) -> None:
    cells = ran[match].cells.filter(pl.col("fit").is_not_null() & pl.col("share").is_finite())
    asked = {"first_alarm": ("share", -math.expm1(-0.25), 0.19), "rate": ("rate", 0.5, 0.35)}
    name, value, near = asked[match]
    assert len(cells) and (cells[name] - value).abs().max() < near
    assert set(cells["match"]) == {match.replace("_", " ")}
    for each in REALISED:
        assert (cells[f"{each}_low"] <= cells[each]).all() and (cells[each] <= cells[f"{each}_high"]).all()
    board = ran[match].leaderboard
    assert {f"{each}{end}" for each in REALISED for end in ("", "_low", "_high", "_n")} <= set(board.columns)
    # DDM is nervous at first and calm for good: at the same chance of a first alarm its rate is the lowest
    rates = dict(ran["first_alarm"].leaderboard.select("method", "rate").iter_rows())
    assert rates["ddm"] < min(rates["fhddm"], rates["hddm_w"])


def test_rises_and_falls_are_never_pooled(ran: dict[str, Any]) -> None:
    cells = ran["first_alarm"].cells
    ways = dict(by_task(cells).select("task", "direction").iter_rows())
    assert ways == {"rise": "rise", "fall": "fall"}
    assert pooled_tasks(cells) == ["rise"]
    fallen = cells.filter(pl.col("task") == "fall")
    assert fallen["restricted_delay"].is_nan().all() and fallen["recall"].is_nan().all()
    assert all("the error rises at none" in reason for reason in fallen["reasons"])
    rows = {row["method"]: row for row in falls(cells).to_dicts()}
    assert (
        rows["hddm_w"]["fall_restricted_delay"]
        > 400
        > 200
        > rows["hddm_w(side=both)"]["fall_restricted_delay"]
    )
    assert rows["hddm_w(side=both)"]["sides"] == "both" and rows["hddm_w"]["tasks"] == 1
    assert rows["hddm_w(side=both)"]["fall_rank"] < rows["hddm_w"]["fall_rank"]
    board = leaderboard(cells)
    assert board.filter(pl.col("rank").is_finite())["rank"].mean() == pytest.approx(3.0)


def test_pages_say_what_is_equal(ran: dict[str, Any]) -> None:
    from mlopsim.core.section import make_sections

    for match, words in (("first_alarm", "Equal is that chance"), ("rate", "Equal is that rate")):
        made, unmade = make_sections(ran[match])
        titles = {section.title: section for section in made}
        assert {"Leaderboard", "Falls", "Rises and falls", "What is equal"} <= set(titles), unmade
        for title in ("Leaderboard", "What is equal", "False alarms asked and attained", "Words"):
            assert words in titles[title].text
        shown = ("Leaderboard", "Falls", "False alarms asked and attained", "Tasks", "What is equal")
        tables = [titles[name].table for name in shown]
        assert all(set(REALISED) <= set(table.columns) for table in tables)
        assert "fall" in titles["Falls"].text and "(1.0 falls beside 0.0 rises" in titles["Falls"].text


def test_tuning_spends_alike_and_keeps_what_is_given(ran: dict[str, Any]) -> None:
    cells = ran["tuned"].cells
    tuned = cells.filter(pl.col("parameters") == "tuned")
    assert set(tuned["method"]) == {"ddm", "fhddm", "fhddm(side=both)", "hddm_w", "hddm_w(side=both)"}
    risen = tuned.filter(pl.col("task") == "rise")
    assert risen["setting"].null_count() == 0
    # where nothing rises nothing is to be chosen by: parameters stay as they come
    fallen = dict(tuned.filter(pl.col("task") == "fall").select("method", "setting").iter_rows())
    assert fallen["fhddm"] == "window=100" and fallen["ddm"] == "warm_start=30"
    plain = ran["first_alarm"].leaderboard
    better = dict(ran["tuned"].leaderboard.select("method", "restricted_delay").iter_rows())
    first = dict(plain.select("method", "restricted_delay").iter_rows())
    assert better["fhddm"] < first["fhddm"]
    assert candidates(make("detector", "hddm_w", lam=0.2), ["lam"], 5, [1]) == [{}]
    sizes = {name: len(candidates(make("detector", name), [], 4, [1])) for name in ("fhddm", "page_hinkley")}
    assert sizes == {"fhddm": 4, "page_hinkley": 4}


def test_every_space_names_parameters_and_holds_their_defaults() -> None:
    from mlopsim.core.registry import find, names

    for name in names("detector"):
        cls: type[Detector] = find("detector", name)
        detector = make("detector", name)
        for key, values in cls.space.items():
            assert getattr(detector, key) in values and len(set(values)) == len(values), (name, key)
            assert key != cls.limit


def test_matchings_stand_apart_in_one_table(ran: dict[str, Any]) -> None:
    frames = [
        ran[match].cells.with_columns(
            method=pl.when(pl.col("match").is_null())
            .then("method")
            .otherwise(pl.format(f"{{}} {match}", "method"))
        )
        for match in ("first_alarm", "rate")
    ]
    both = pl.concat([frames[0], frames[1].filter(pl.col("match").is_not_null())], how="diagonal")
    names = [suffix for suffix, _ in by_match(both)]
    assert names == [", matched by the first alarm", ", matched by the rate"]
    board = leaderboard(both).filter(pl.col("role") == "method")
    assert board["match"].to_list() == sorted(board["match"].to_list())
    # ranked within a matching only: five methods each
    assert board["rank"].max() <= 5.0


def frame(rows: dict[tuple[str, str], list[float]]) -> pl.DataFrame:
    return pl.DataFrame(
        [
            {
                "method": method,
                "task": task,
                "seed": seed,
                "status": "done",
                "channel": "errors",
                "match": "rate",
                "restricted_delay": value,
            }
            for (method, task), values in rows.items()
            for seed, value in enumerate(values)
        ]
    )


def test_ranks_and_means_may_disagree() -> None:
    """One task carries the mean; a method without a value somewhere is ranked nowhere."""
    table = frame(
        {
            ("a", "t"): [1.0, 1.0],
            ("a", "u"): [900.0, 900.0],
            ("a", "v"): [1.0, 1.0],
            ("b", "t"): [9.0, 9.0],
            ("b", "u"): [10.0, 10.0],
            ("b", "v"): [9.0, 9.0],
            ("c", "t"): [0.0, 0.0],
        }
    )
    found = mean_ranks(table, "restricted_delay")
    assert found["a"].value == pytest.approx(4 / 3) and found["b"].value == pytest.approx(5 / 3)
    assert math.isnan(found["c"].value) and "other tasks" in found["c"].reason


def test_a_seed_without_a_rise_costs_nobody_the_task() -> None:
    nan = math.nan
    table = frame({("a", "t"): [1.0, nan, 3.0], ("b", "t"): [5.0, nan, nan]})
    assert delays_by_task(table, "a", ["t"]).tolist() == [2.0]
    assert np.isnan(delays_by_task(table, "b", ["t"])).all()


def test_intervals_over_laws_are_those_of_independent_estimates() -> None:
    rows = pl.DataFrame({"rate": [0.1] * 4, "rate_low": [0.06] * 4, "rate_high": [0.14] * 4})
    found = pooled_over_laws(rows, "rate")
    assert (found.low, found.high, found.n) == (pytest.approx(0.08), pytest.approx(0.12), 4)
    assert "earlier version" in pooled_over_laws(pl.DataFrame({"x": [1]}), "rate").reason


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"calibration": {"match": "rates"}}, "did you mean 'rate'"),
        ({"tuning": {"budgt": 1}}, "did you mean 'budget'"),
        ({"tuning": {"seeds": 0}}, "seeds"),
    ],
)
def test_wrong_settings_name_the_key(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        DriftTrack(**settings)
