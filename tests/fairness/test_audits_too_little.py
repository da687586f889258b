"""Where there are not enough data an audit says so: NaN with a reason, no exception and no warning."""

from __future__ import annotations

import dataclasses
import warnings

import numpy as np
import pytest
from audit_cases import SINGLE, rng

from mlopsim.core.spec import make
from mlopsim.fairness import made_up_evidence as probes
from mlopsim.fairness.audit import Findings
from mlopsim.fairness.evidence import Evidence
from mlopsim.fairness.rates import left_out

#: that do not compare groups: one group is enough for them
UNGROUPED = {"accuracy", "f1", "slice_accuracy", "influence"}


def look(name: str, evidence: Evidence) -> Findings:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found: Findings = make("audit", name).examine(evidence, rng())
    return found


def lacks(found: Findings, window: int) -> bool:
    if not np.isnan(found.score[window]):
        return False
    assert np.isnan(found.statistic[window]) and found.reason
    assert found.p is None or np.isnan(found.p[window])
    assert found.rule is None or not found.rule[window]
    return True


def without(evidence: Evidence, rows: np.ndarray) -> Evidence:
    return probes.taken(evidence, np.flatnonzero(~rows))


@pytest.mark.parametrize("name", SINGLE)
def test_one_group_only_in_a_window(name: str) -> None:
    whole = probes.sample(seed=1, windows=3)
    found = look(name, without(whole, (whole.window == 1) & (whole.group == 1)))
    assert lacks(found, 1) == (name not in UNGROUPED)
    assert not lacks(found, 0) and not lacks(found, 2)


@pytest.mark.parametrize("name", SINGLE)
def test_a_group_of_one_row(name: str) -> None:
    whole = probes.sample(seed=1, windows=3)
    rare = np.flatnonzero((whole.window == 1) & (whole.group == 1))
    gone = np.zeros(len(whole.window), dtype=np.bool_)
    gone[rare[1:]] = True
    found = look(name, without(whole, gone))
    assert lacks(found, 1) == (name not in UNGROUPED)
    assert not lacks(found, 0) and not lacks(found, 2)


@pytest.mark.parametrize("name", SINGLE)
def test_a_window_without_rows(name: str) -> None:
    whole = probes.sample(seed=1, windows=3)
    found = look(name, without(whole, whole.window == 1))
    assert lacks(found, 1) and not lacks(found, 0) and not lacks(found, 2)


@pytest.mark.parametrize("name", SINGLE)
def test_a_constant_prediction(name: str) -> None:
    whole = probes.sample(seed=1, windows=3)
    found = look(name, probes.constant(whole, 1))
    # what is left to compare differs; what is compared is a number, what is not has a reason
    assert lacks(found, 1) or np.isfinite(found.statistic[1])
    if name in ("demographic_parity", "four_fifths", "predictive_parity", "calibration_gap", "shap_gap"):
        assert lacks(found, 1)
    assert not lacks(found, 0) and not lacks(found, 2)


@pytest.mark.parametrize("name", SINGLE)
def test_labels_of_one_kind_only(name: str) -> None:
    whole = probes.sample(seed=1, windows=3)
    ones = np.where(whole.window == 1, 1, whole.observed)
    found = look(name, dataclasses.replace(whole, observed=ones, true=ones, _explained={}))
    assert lacks(found, 1) or np.isfinite(found.statistic[1])
    if name == "calibration_gap":
        assert lacks(found, 1)


def test_groups_that_are_left_out_are_named() -> None:
    few = np.array([[9, 9, 2]])
    assert left_out(few, ("a", "b", "c")) == "group 'c' (2) left out: fewer than 5 rows"
    two = left_out(np.repeat(few, 2, axis=0), ("a", "b", "c"), "accepted rows")
    assert two == "group 'c' left out in 2 of 2 windows: fewer than 5 accepted rows"
    assert left_out(few[:, :2], ("a", "b")) == ""


@pytest.mark.parametrize("name", [name for name in SINGLE if name not in UNGROUPED])
def test_a_small_group_is_left_out_by_every_audit_alike(name: str) -> None:
    """Three rows of a third group: nobody's number is theirs, and everybody says so."""
    whole = probes.sample(seed=4, windows=1, per_group=150, groups=3, shift=0.5)
    third = np.flatnonzero(whole.group == 2)
    found = look(name, probes.taken(whole, np.delete(np.arange(len(whole.group)), third[3:])))
    assert not np.isnan(found.score[0]) and found.named is not None
    assert found.named.group[0] in (-1, 0, 1)
    assert "group 'c' (" in found.reason and "left out: fewer than 5" in found.reason
    assert found.gaps is None or np.isnan(found.gaps[0, 2])
