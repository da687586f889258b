"""Labels that are late: who waits for them, who does not, and what counts as found."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from fairness_kit import CALIBRATION, EXPLAIN, made, population

from mlopsim.core.spec import make
from mlopsim.fairness.calibration import exact_limit
from mlopsim.fairness.deployment import Deployment, deploy
from mlopsim.fairness.explaining import Explaining
from mlopsim.tracks.fairness.run import Said, Scenario, open_scenario, run_cell, said_by
from mlopsim.tracks.fairness.track import FairnessTrack

LATE = 3


def opened(late: int, every: int = 0, **more: Any) -> Deployment:
    content = {"stream": population(**more), "learner": "ridge", "every": every, "first_only": False}
    if late:
        content["label_delay"] = late
    return deploy(content, np.random.SeedSequence(4), np.random.SeedSequence(5), Explaining(**EXPLAIN))


def test_audits_that_use_labels_say_of_a_frozen_model_the_same_so_many_windows_later() -> None:
    bias: dict[str, Any] = {"bias": "label_bias", "strength": 1.0, "timing": {"step": {"at": 6}}}
    soon, late = opened(0, **bias), opened(LATE, **bias)
    views = [d.views(d.train()) for d in (soon, late)]
    assert views[0].newest is views[0].labelled
    for name in ("accuracy", "f1", "slice_accuracy"):
        first, second = (make("audit", name).examine(v.of(make("audit", name)), _rng()) for v in views)
        np.testing.assert_array_equal(second.score[LATE:], first.score[:-LATE])
        assert np.isnan(second.score[:LATE]).all() and "fewer than" in second.reason
    for name in ("demographic_parity", "shap_gap", "lime_gap", "flip", "influence", "input_gap", "score_ks"):
        first, second = (make("audit", name).examine(v.of(make("audit", name)), _rng()) for v in views)
        np.testing.assert_array_equal(second.score, first.score)


def _rng() -> np.random.Generator:
    return np.random.default_rng(1)


def test_models_are_trained_on_what_has_labels_and_never_on_what_they_are_audited_on() -> None:
    d = opened(LATE, every=2)
    assert [d.span(t) for t in (2, 4, 6, 8)] == [(0, 1), (0, 1), (1, 2), (3, 4)]
    models = d.train()
    evidence = d.evidence(models, labelled=True)
    for i, t in enumerate(d.audited):
        rows = evidence.window == i
        assert rows.any() == (t - LATE >= d.stream.warmup)
        if rows.any():
            assert d.span(t)[1] < t - LATE
            part = d.rows(t - LATE, t - LATE)
            np.testing.assert_array_equal(evidence.observed[rows], d.stream.y[part])
            np.testing.assert_array_equal(evidence.decision[rows], models[i].predict(d.Z[part]) == 1)
    # what needs attributions of late rows has them, too
    assert len(evidence.explained("shap").rows) == len(evidence.window)
    assert evidence.flipped()[0].shape == evidence.decision.shape


@pytest.fixture(scope="module")
def ran() -> tuple[Any, Any, Any]:
    track = FairnessTrack(calibration=CALIBRATION, explain=EXPLAIN)
    task = {"name": "p", "stream": population(bias="proxy", timing={"step": {"at": 6}}, strength=3.0)}
    both: dict[str, Any] = {"arm": {"audits": ["accuracy", "input_gap"]}}
    cells, fits = made(
        track,
        [task, {**task, "name": "late", "label_delay": LATE}],
        ["equal_opportunity", "accuracy", both],
        1,
    )
    return cells, fits, track.run(cells, fits)


def test_limits_of_exact_tests_count_the_windows_that_have_labels(ran: Any) -> None:
    cells, fits, _ = ran
    for cell in cells:
        if cell.method.name == "equal_opportunity":
            windows = 12 - (LATE if cell.task.name == "late" else 0)
            expected = exact_limit(CALIBRATION["alpha"], windows).value
            assert fits[cell.fit].info["limit"]["value"] == pytest.approx(expected)
    facts = {cell.task.name: cell.task.attributes["label_delay"] for cell in cells}
    assert facts == {"p": 0, "late": LATE}
    # where labels are there at once nothing says so
    assert "label_delay" not in next(c for c in cells if c.task.name == "p").task.part


def test_a_bias_is_found_by_rows_that_have_it(ran: Any) -> None:
    cells, _, outcomes = ran
    found = {(c.task.name, c.method.name): o for c, o in zip(cells, outcomes, strict=True)}
    battery = next(name for _, name in found if name.startswith("arm"))
    # inputs are seen at once however late labels are
    assert found["late", battery].metrics["restricted_delay"] == 0.0
    for method in ("accuracy", "equal_opportunity"):
        soon, late = found["p", method].metrics, found["late", method].metrics
        assert late["power"] == soon["power"] == 1.0
        assert late["delay"] >= LATE


@pytest.mark.parametrize("method", ["accuracy", "accuracy @rule", "arm"])
def test_an_alarm_on_rows_from_before_the_onset_finds_nothing(ran: Any, method: str) -> None:
    cells, fits, _ = ran
    cell = next(c for c in cells if c.task.name == "late" and c.method.name.startswith(method))
    scenario: Scenario = open_scenario(cell)
    info = fits[cell.fit].info
    onset = scenario.onset
    assert onset is not None and scenario.waiting.sum() == LATE
    # the first rows that it sees of the bias are the first of which it may say something
    for content in info["audits"]:
        found = scenario.single(content, scenario.plain)
        loud = np.zeros(scenario.windows)
        loud[onset + LATE - 1] = 1e6
        found.score[:] = loud if make("audit", content).waits else 0.0
        if found.rule is not None:
            found.rule[:] = loud > 0.0
    said = said_by(cell, scenario, info, scenario.plain)
    assert said.alarms[onset + LATE - 1] and not said.hits(onset).size and said.early(onset)
    metrics = run_cell(cell, scenario, info).metrics
    assert metrics["power"] == 0.0 and metrics["early"] == 1.0 and math.isnan(metrics["delay"])
    later = replace(said, alarms=np.roll(said.alarms, 1), stale=None)
    assert isinstance(later, Said) and later.hits(onset).tolist() == [onset + LATE]
