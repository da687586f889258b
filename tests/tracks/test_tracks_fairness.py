"""The fairness track: equal false blocks, controls, facts, guarding, one by one to the bit."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from fairness_kit import EVERY, EXPLAIN, METHODS, TASKS, made, population, quick

from mlopsim.core.errors import ConfigError
from mlopsim.core.spec import make
from mlopsim.core.track import Cell, FitResult, Outcome
from mlopsim.streams.stream import Norm
from mlopsim.tracks.fairness.controls import CONTROLS
from mlopsim.tracks.fairness.track import FairnessTrack

Ran = dict[tuple[str, str, int], Outcome]


@pytest.fixture(scope="module")
def grid() -> tuple[list[Cell], dict[str, FitResult]]:
    return made(quick())


@pytest.fixture(scope="module")
def ran(grid: Any) -> Ran:
    cells, fits = grid
    return {
        (c.task.name, c.method.name, c.seed): outcome
        for c, outcome in zip(cells, quick().run(cells, fits), strict=True)
    }


def same(one: Outcome, other: Outcome) -> bool:
    return (
        np.array_equal(list(one.metrics.values()), list(other.metrics.values()), equal_nan=True)
        and one.reasons == other.reasons
        and one.curves.keys() == other.curves.keys()
        and all(np.array_equal(one.curves[k], other.curves[k], equal_nan=True) for k in one.curves)
    )


def test_rules_of_thumb_and_controls_join_the_methods() -> None:
    names = [method.name for method in quick().methods(["four_fifths", "shap_gap", "explained"])]
    assert names == ["four_fifths", "four_fifths @rule", "shap_gap", "explained", *CONTROLS]
    without = FairnessTrack(rules=False).methods(["four_fifths"])
    assert [method.name for method in without] == ["four_fifths", *CONTROLS]


def test_a_task_stands_for_each_strength() -> None:
    names = [task.name for task in quick().tasks(TASKS)]
    assert names == ["fair", "proxy, s = 0.5", "proxy, s = 1", "unequal", "guarded"]


def test_facts_of_tasks() -> None:
    tasks = {task.name: task.attributes for task in quick().tasks(TASKS)}
    proxy = {"scenario": "proxy", "strength": 0.5, "norm": "treatment", "bias": "proxy", "learner": "ridge"}
    assert tasks["proxy, s = 0.5"].items() >= {**proxy, "every": 0, "guard": False, "real": False}.items()
    # nothing is wrong: without a bias, and with one that violates no norm
    assert tasks["fair"].items() >= {"norm": None, "bias": None, "strength": 0.0}.items()
    assert tasks["unequal"].items() >= {"norm": None, "bias": "unequal_base_rate", "strength": 1.0}.items()
    # the same features, and others
    assert tasks["unequal"]["features"] == tasks["proxy, s = 1"]["features"]
    assert len({facts["features"] for facts in tasks.values()}) == len(tasks) - 1


def test_facts_of_methods() -> None:
    truth: dict[str, Any] = {"equal_opportunity": {"labels": "true"}}
    methods = {m.name: m.attributes for m in quick().methods(["four_fifths", "explained", truth])}
    kinds = {name: (facts["role"], facts["limit"], facts["battery"]) for name, facts in methods.items()}
    assert kinds["four_fifths"] == ("method", "calibrated", False)
    assert kinds["four_fifths @rule"] == ("method", "given", False)
    assert kinds["explained"] == ("method", "calibrated", True)
    assert {kinds[name] for name in CONTROLS} == {("control", "none", False)}
    assert methods["explained"]["needs"] == "labels, group labels, model"
    assert methods["equal_opportunity(labels=true)"]["needs"] == "true labels, group labels"
    assert methods["oracle"]["known"] == "the truth" and methods["never"]["reads"] == "nothing"


def test_facts_agree_with_what_is_drawn_and_enter_no_key(grid: Any) -> None:
    cells, _ = grid
    for cell in cells[::11]:
        source = make("stream", cell.task.part["stream"])
        bias = source.generate(np.random.SeedSequence(cell.seed)).bias
        assert cell.task.attributes["strength"] == bias.strength.max()
        wrong = bias.norm is not Norm.NONE and bias.strength.max() > 0.0
        assert cell.task.attributes["norm"] == (bias.norm.name.lower() if wrong else None)
        assert replace(cell, task=replace(cell.task, attributes={})).key == cell.key


def test_tasks_that_are_alike_without_bias_share_their_limits(grid: Any) -> None:
    cells, fits = grid
    by_task = {(c.task.name, c.method.name): c.fit for c in cells}
    for method in ("four_fifths", "explained"):
        assert len({by_task[t, method] for t in ("fair", "proxy, s = 0.5", "proxy, s = 1", "unequal")}) == 1
        assert by_task["guarded", method] != by_task["fair", method]
    assert by_task["fair", "four_fifths"] == by_task["fair", "four_fifths @rule"]
    assert by_task["fair", "oracle"] is None and len(fits) == 2 * len(METHODS)


def test_cells_and_fits_in_any_company_are_the_same(grid: Any, ran: Ran) -> None:
    cells, fits = grid
    track = quick()
    for cell in cells[::-13]:
        alone = track.run([cell], fits)[0]
        assert same(alone, ran[cell.task.name, cell.method.name, cell.seed]), cell.method.name
    _, jobs = track.fits(cells)
    for job in jobs[:: max(len(jobs) // 3, 1)]:
        assert track.fit(job, {}).info == fits[job.key].info, job.label


def test_controls(ran: Ran) -> None:
    for (task, method, _), outcome in ran.items():
        metrics = outcome.metrics
        wrong = task not in ("fair", "unequal")
        if method == "never":
            assert metrics["power" if wrong else "false_block"] == 0.0
        if method == "always":
            assert metrics["power" if wrong else "false_block"] == 1.0
            assert not wrong or metrics["restricted_delay"] == 0.0
        if method == "oracle":
            # where harm follows it is blocked when it begins, and nothing else ever is
            assert wrong or metrics["false_block"] == 0.0
            assert not wrong or metrics["power"] == metrics["harmful"]
            assert metrics["harmful"] != 1.0 or metrics["lead"] == 0.0


def test_what_is_undefined_has_a_reason(ran: Ran) -> None:
    for key, outcome in ran.items():
        missing = {name for name, value in outcome.metrics.items() if math.isnan(value)}
        assert missing == set(outcome.reasons), key
    assert ran["fair", "never", 0].reasons["power"] == "nothing is wrong in this task"
    assert ran["unequal", "never", 0].reasons["power"] == "nothing is wrong in this task"
    assert ran["proxy, s = 1", "four_fifths", 0].reasons["false_block"] == "something is wrong in this task"


def test_a_strong_proxy_is_found_and_the_feature_is_blamed(ran: Ran) -> None:
    for seed in (0, 1):
        metrics = ran["proxy, s = 1", "shap_gap", seed].metrics
        assert metrics["power"] == 1.0 and metrics["blamed"] == 1.0
        # the features say nothing of what labels are: who sees no labels is wrong about fair differences
        assert ran["unequal", "shap_gap", seed].metrics["false_block"] == 1.0


def test_batteries_are_as_soon_as_their_charts_say(ran: Ran) -> None:
    for (task, method, seed), outcome in ran.items():
        if method in CONTROLS or "@rule" in method:
            continue
        alarms, position = outcome.curves["alarms"], outcome.curves["position"]
        assert np.array_equal(alarms[position > 1.0], np.ones((position > 1.0).sum())), (task, method, seed)
        assert not alarms[position < 1.0].any()


def test_what_is_guarded_adds_up(ran: Ran) -> None:
    windows = 12
    for seed in (0, 1):
        for method in ("never", "always", "oracle", "four_fifths", "explained"):
            outcome = ran["guarded", method, seed]
            metrics, alarms = outcome.metrics, outcome.curves["alarms"]
            models = windows // EVERY
            stopped = alarms.reshape(models, EVERY).any(axis=1).sum()
            assert metrics["blocked_rightly"] + metrics["blocked_wrongly"] <= stopped
            assert metrics["blocked_rightly"] + metrics["let_through"] + metrics["blocked_wrongly"] <= models
            assert 0.0 <= metrics["mended"] <= alarms.sum()
            assert len(outcome.curves["served_impact"]) == windows
            # label bias violates equal treatment
            for metric, curve in (("violation", "treatment"), ("accuracy", "accuracy")):
                drawn = outcome.curves[f"served_{curve}"]
                assert metrics[f"served_{metric}"] == pytest.approx(drawn.mean(), abs=1e-12)
        never, oracle = (ran["guarded", name, seed].metrics for name in ("never", "oracle"))
        assert never["mended"] == never["blocked_rightly"] == 0.0
        assert oracle["blocked_wrongly"] == oracle["let_through"] == 0.0
        # who blocks everything blocks each model, not each window
        everything = ran["guarded", "always", seed].metrics
        assert everything["blocked_rightly"] == oracle["blocked_rightly"]
        assert everything["blocked_rightly"] + everything["blocked_wrongly"] == windows // EVERY
        assert oracle["served_biased"] <= never["served_biased"]
        # the first model stays where everything is blocked
        always = ran["guarded", "always", seed].curves
        assert len(set(always["served_accuracy"])) == 1
    assert ran["fair", "never", 0].reasons["served_biased"] == "nothing is guarded in this task"


@pytest.mark.slow
def test_the_attained_rate_is_what_was_asked_for_audits_and_for_batteries_as_a_whole() -> None:
    track = FairnessTrack(
        calibration={"alpha": 0.1, "runs": 600, "checks": 600, "lime_runs": 20, "lime_checks": 20},
        explain=EXPLAIN,
    )
    methods = ["four_fifths", "demographic_parity", "slice_accuracy", "shap_gap", "traditional", "metrics"]
    cells = [
        Cell(track="fairness/1", task=task, method=method, seed=0)
        for task in track.tasks([TASKS[0], TASKS[3]])
        for method in track.methods(methods)
    ]
    cells, jobs = track.fits(cells)
    bundles: dict[str, list[Any]] = {}
    for job in jobs:
        bundles.setdefault(track.fit_bundle(job), []).append(job)
    for bundle in bundles.values():
        for job, fit in zip(bundle, track.fit_many(bundle, {}), strict=True):
            # four standard errors of the fresh deployments and of those that the limit was found with
            assert abs(fit.info["rate"][0] - 0.1) < 4.0 * math.sqrt(0.09 * 2 / 600), job.label
            # where a feature tells the group no law is exact
            given_away = job.part["law"]["stream"]["params"]["place"] is not None
            assert not (given_away and fit.info["exact"])


@pytest.mark.parametrize(
    ("entry", "match"),
    [
        ({"stream": {"synthetic": {}}}, "the truth about bias is not known"),
        ({"stream": {"population": {"rule": "abrupt"}}}, "whose rule and merits stay"),
        ({"strengths": 0.5}, "strengths must be a list"),
        ({"strengths": []}, "strengths must be a list"),
        ({"every": -1}, "every must be a whole number"),
        ({"guard": "yes"}, "guard must be true or false"),
        ({"label_delay": -1}, "label_delay must be a whole number"),
        ({"label_delay": 50}, "label_delay: 0 to 49"),
        ({"explain": 600}, "explain must be settings"),
        ({"explain": {"row": 600}}, "did you mean 'rows'"),
        ({"first_only": True}, "needs a population with two attributes"),
        ({"streams": population()}, "did you mean 'stream'"),
        ({"learner": "rigde"}, "did you mean 'ridge'"),
        ({"stream": population(bias="proxi")}, "did you mean 'proxy'"),
        ({"strengths": [-1.0], "stream": population(bias="proxy")}, "strength"),
    ],
)
def test_wrong_tasks_are_named(entry: dict[str, Any], match: str) -> None:
    with pytest.raises(ConfigError) as caught:
        quick().tasks([entry])
    assert match in f"{caught.value} {caught.value.remedy}"


@pytest.mark.parametrize(
    ("settings", "match"),
    [
        ({"calibration": {"run": 5}}, "did you mean 'runs'"),
        ({"calibration": {"runs": 5}}, "5 deployments cannot show a rate of 0.05"),
        ({"explain": {"row": 5}}, "did you mean 'rows'"),
        ({"tolerated": {"impacts": 0.1}}, "did you mean 'impact'"),
        ({"tolerated": {"impact": 2.0}}, "fairness.tolerated.impact"),
        ({"tolerated": {"impact": "much"}}, "must be a number"),
    ],
)
def test_wrong_settings_are_named(settings: dict[str, Any], match: str) -> None:
    with pytest.raises(ConfigError, match=match):
        FairnessTrack(**settings)


def test_wrong_methods_are_named() -> None:
    with pytest.raises(ConfigError, match="listed twice"):
        quick().methods(["four_fifths", "four_fifths"])
    with pytest.raises(ConfigError, match="did you mean 'shap_gap'"):
        quick().methods(["shap_gab"])
