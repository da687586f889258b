"""Tests of inputs and of scores by group: what they see and what not, and what explanations repeat."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from audit_cases import explained, rng, uneven

from mlopsim.core.spec import make
from mlopsim.fairness import made_up_evidence as probes
from mlopsim.fairness.audit import Findings
from mlopsim.fairness.audits.rivals import RIVALS
from mlopsim.fairness.evidence import Evidence
from mlopsim.fairness.group_values import Values, compare_means
from mlopsim.fairness.verdicts import shuffled


def look(name: str, evidence: Evidence) -> Findings:
    found: Findings = make("audit", name).examine(evidence, rng())
    return found


def test_inputs_are_tested_without_model_labels_and_explanations() -> None:
    whole = probes.sample(seed=5, windows=3, shift=0.5)
    bare = dataclasses.replace(
        whole,
        decision=~whole.decision,
        score=np.zeros(len(whole.score)),
        observed=1 - whole.observed,
        true=None,
        explain=None,
        flip=None,
        known=None,
        _explained={},
    )
    for name in ("input_gap", "input_ks"):
        np.testing.assert_array_equal(look(name, whole).score, look(name, bare).score)
    for name in RIVALS:
        audit = make("audit", name)
        assert audit.asks_for == ("group labels",) and audit.reads == (
            "rows" if "input" in name else "outputs"
        )


@pytest.mark.parametrize("groups", [2, 3])
def test_the_studentised_gap_of_shapley_values_of_a_linear_model_is_that_of_its_inputs(groups: int) -> None:
    evidence = uneven(groups, seed=3)
    weights = np.array([0.8, -0.01, 3.0, 1e-4])
    values = explained(evidence, evidence.X * weights - 0.7).explained("shap").values
    place, rows = evidence.place, evidence.rows
    inputs = compare_means(Values(values=evidence.X, place=place, rows=rows)).z
    shap = compare_means(Values(values=values, place=place, rows=rows)).z
    np.testing.assert_allclose(shap, inputs * np.sign(weights), rtol=1e-6)


def test_what_cancels_in_the_score_is_in_the_inputs_only() -> None:
    whole = probes.sample(seed=6, windows=1, per_group=2000)
    # one input lower, another higher for the last group, by as much as the weights take back
    X = whole.X.copy()
    last = whole.group == 1
    X[last, 0] -= 0.5 / probes.WEIGHTS[0]
    X[last, 1] += 0.5 / probes.WEIGHTS[1]
    moved = dataclasses.replace(whole, X=X, score=X @ probes.WEIGHTS - probes.BAR, _explained={})
    assert look("input_gap", moved).score[0] > 15.0 and look("input_ks", moved).score[0] > 30.0
    np.testing.assert_allclose(moved.score, whole.score, atol=1e-12)
    assert look("score_gap", moved).score[0] < 3.0 and look("score_ks", moved).score[0] < 3.0


def test_a_group_of_few_rows_is_no_further_out_than_others() -> None:
    # 3,000 windows without a difference; a third group of 1 % as against one of a third
    rates = []
    for small in (6, 200):
        rows = np.array([200, 200, small])
        place = np.repeat(np.arange(3000 * 3), np.tile(rows, 3000))
        values = rng(small).normal(size=(len(place), 1))
        seen = Values(values=values, place=place, rows=np.tile(rows, (3000, 1)))
        z = np.abs(compare_means(seen).z[:, :, 0])
        rates.append((z > 1.96).mean(axis=0))
    assert np.abs(np.array(rates) - 0.05).max() < 4.0 * np.sqrt(0.05 * 0.95 / 3000)


def test_shuffled_groups_keep_the_inputs() -> None:
    far, alike = probes.sample(windows=1, per_group=100, shift=1.0), probes.sample(windows=1, per_group=100)
    for name in ("input_gap", "score_gap"):
        audit = make("audit", name)
        assert shuffled(audit, far, 199, np.random.SeedSequence(1))[0] == 1 / 200
        assert shuffled(audit, alike, 199, np.random.SeedSequence(1))[0] > 0.05


def test_far_from_zero_digits_are_kept() -> None:
    near = probes.sample(seed=2, windows=2, shift=0.3)
    far = dataclasses.replace(near, X=near.X + 1e8, score=near.score + 1e8, _explained={})
    for name in ("input_gap", "score_gap"):
        np.testing.assert_allclose(look(name, far).score, look(name, near).score, rtol=1e-5)
