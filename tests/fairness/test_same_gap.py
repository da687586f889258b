"""The same words mean the same gap: in findings, verdicts, tables of the page and texts."""

from __future__ import annotations

import numpy as np
import pytest
from small_groups import defendants

from mlopsim.fairness.audit_page import of_text, rate_gaps, rule_text, sections, verdict_rows
from mlopsim.fairness.audit_page_scores import attribution_gaps
from mlopsim.fairness.dataset_audit import Subject, prepare
from mlopsim.fairness.explaining import Explaining
from mlopsim.fairness.naming import GAP
from mlopsim.fairness.verdicts import Verdict, judge

#: audits of rates, and what the table of the page calls their rates
RATES = {
    "demographic_parity": "accepted",
    "equal_opportunity": "true_positive",
    "predictive_parity": "precision",
    "slice_accuracy": "accuracy",
}
AUDITS = (*RATES, "equalised_odds", "four_fifths", "shap_gap", "lime_gap", "score_gap")


@pytest.fixture(scope="module", params=[2, 6])
def audited(request: pytest.FixtureRequest) -> tuple[Subject, dict[str, Verdict]]:
    sizes = (600, 500, 90, 60, 9, 6)[: request.param]
    seed = np.random.SeedSequence(3)
    explaining = Explaining(background=20, rows=60, samples=60)
    subject = prepare(defendants(3, sizes=sizes), "ridge", explaining, seed, most=200)
    return subject, {v.audit: v for v in judge(subject, AUDITS, seed, rounds=19)}


def test_gaps_of_rates_are_those_of_the_table(audited: tuple[Subject, dict[str, Verdict]]) -> None:
    subject, verdicts = audited
    table = rate_gaps(subject.evidence, 0.95)
    for name in (*RATES, "equalised_odds"):
        verdict = verdicts[name]
        rate = RATES.get(name) or verdict.rate.removesuffix(" rate").replace("-", "_")
        found = table[rate][subject.evidence.groups.index(verdict.group)]
        assert (verdict.statistic, verdict.low, verdict.high) == pytest.approx(
            (found.value, found.low, found.high), abs=1e-12
        ), name
        others = [group for group in subject.evidence.groups if group != verdict.group]
        assert verdict.against == (others[0] if len(others) == 1 else "all others")


def test_gaps_of_attributions_are_those_of_the_table(audited: tuple[Subject, dict[str, Verdict]]) -> None:
    subject, verdicts = audited
    features = subject.features
    for name in ("shap", "lime"):
        verdict, (found, _) = verdicts[f"{name}_gap"], attribution_gaps(subject.features, name, 0.95)
        place = features.groups.index(verdict.group) * len(features.features)
        gap = found[place + features.features.index(verdict.rate)]
        spread = features.spread[0]
        # a linear model makes the same of a feature whatever its group is said to be; LIME draws again
        close = 1e-9 if name == "shap" else 0.5 * abs(gap.high - gap.low)
        assert verdict.statistic * spread == pytest.approx(gap.value, abs=close)
        assert np.sign(verdict.statistic) == np.sign(gap.value)


def test_small_groups_have_no_gap_and_are_named(audited: tuple[Subject, dict[str, Verdict]]) -> None:
    subject, verdicts = audited
    small = [name for name, n in zip(subject.evidence.groups, subject.evidence.rows[0], strict=True) if n < 5]
    assert bool(small) == (len(subject.evidence.groups) == 6)
    for name in small:
        place = subject.evidence.groups.index(name)
        for values in rate_gaps(subject.evidence, 0.95).values():
            assert np.isnan(values[place].value) and "left out: fewer than 5 rows" in values[place].reason
        for verdict in verdicts.values():
            assert f"'{name}' (" in verdict.reason and name not in (verdict.group, verdict.against)


def test_texts_say_what_a_gap_is_and_whose(audited: tuple[Subject, dict[str, Verdict]]) -> None:
    subject, verdicts = audited
    page = sections(subject, list(verdicts.values()), {"all": list(AUDITS)}, 0.05)
    for section in page:
        if section.title in ("Verdicts", "Gaps between groups", "Shapley values", "LIME"):
            assert GAP in section.text, section.title
    rows = verdict_rows(list(verdicts.values()))
    for verdict, of, rule in zip(verdicts.values(), rows["of"], rows["rule of thumb"], strict=True):
        assert of == of_text(verdict) and rule == rule_text(verdict)
        assert of.startswith(verdict.group) and verdict.against in of and verdict.rate in of
    (text,) = (section.text for section in page if section.title == "Verdicts")
    assert "The model sees `race`" in text and "coin" in text
