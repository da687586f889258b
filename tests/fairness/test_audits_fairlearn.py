"""Gaps of fairness metrics are those of fairlearn."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from audit_cases import counts, rng, uneven
from fairlearn.metrics import (
    MetricFrame,
    demographic_parity_difference,
    demographic_parity_ratio,
    equal_opportunity_difference,
    equalized_odds_difference,
    false_positive_rate_difference,
    true_positive_rate_difference,
)
from sklearn.metrics import precision_score

from mlopsim.core.spec import make
from mlopsim.fairness.audit import Findings
from mlopsim.fairness.evidence import Evidence
from mlopsim.fairness.rates import LEAST

Metric = Callable[[np.ndarray, np.ndarray, np.ndarray], float]


def precision_gap(y: np.ndarray, says: np.ndarray, group: np.ndarray) -> float:
    frame = MetricFrame(metrics=precision_score, y_true=y, y_pred=says, sensitive_features=group)
    return float(frame.difference())


METRICS: dict[str, Metric] = {
    "demographic_parity": lambda y, says, g: demographic_parity_difference(y, says, sensitive_features=g),
    "equal_opportunity": lambda y, says, g: equal_opportunity_difference(y, says, sensitive_features=g),
    "equalised_odds": lambda y, says, g: equalized_odds_difference(y, says, sensitive_features=g),
    "predictive_parity": precision_gap,
}


def windows(evidence: Evidence) -> list[tuple[int, np.ndarray, np.ndarray, np.ndarray]]:
    """Return window, labels, decisions and groups of the windows in which every group can be compared."""
    found = []
    for t in range(evidence.windows):
        rows = evidence.window == t
        y, says = evidence.observed[rows], evidence.decision[rows].astype(np.int64)
        group = evidence.group[rows]
        cells = [
            (group == k) & part for k in range(evidence.n_groups) for part in (y == 1, y == 0, says == 1)
        ]
        if all(cell.sum() >= LEAST for cell in cells):
            found.append((t, y, says, group))
    assert len(found) >= 3
    return found


#: of equalised odds one rate is named
ODDS: tuple[Metric, Metric] = (
    lambda y, says, g: false_positive_rate_difference(y, says, sensitive_features=g),
    lambda y, says, g: true_positive_rate_difference(y, says, sensitive_features=g),
)


def gap_of(name: str, found: Findings, t: int) -> Metric:
    assert found.named is not None
    return METRICS[name] if found.named.part is None else ODDS[found.named.part[t]]


@pytest.mark.parametrize("seed", [0, 4, 9])
@pytest.mark.parametrize("name", METRICS)
def test_two_groups(name: str, seed: int) -> None:
    evidence = uneven(2, seed=seed)
    found = make("audit", name).examine(evidence, rng())
    for t, y, says, group in windows(evidence):
        # of two groups the one is named that has less
        gap = -gap_of(name, found, t)(y, says, group)
        assert found.statistic[t] == pytest.approx(gap, abs=1e-12)


@pytest.mark.parametrize("name", METRICS)
def test_of_many_groups_the_one_that_is_named_is_compared_with_all_others(name: str) -> None:
    evidence = uneven(4, seed=2)
    found = make("audit", name).examine(evidence, rng())
    assert found.named is not None and found.named.counts is not None
    for t, y, says, group in windows(evidence):
        own = group == found.named.group[t]
        size = gap_of(name, found, t)(y, says, own)
        assert abs(found.statistic[t]) == pytest.approx(size, abs=1e-12)
        k, n, other, rest = found.named.counts[t]
        assert found.statistic[t] == pytest.approx(k / n - other / rest, abs=1e-12)


def test_the_four_fifths_rule_is_a_ratio() -> None:
    evidence = uneven(2, seed=1)
    found = make("audit", "four_fifths").examine(evidence, rng())
    assert found.rule is not None
    for t, y, says, group in windows(evidence):
        ratio = demographic_parity_ratio(y, says, sensitive_features=group)
        assert found.statistic[t] == pytest.approx(ratio, abs=1e-12)
        assert found.rule[t] == (ratio < 0.8)


@pytest.mark.parametrize("groups", [2, 3, 4])
@pytest.mark.parametrize("name", [name for name in METRICS if make("audit", name).thumb])
def test_rules_of_thumb_ask_for_largest_less_smallest_rate(name: str, groups: int) -> None:
    said = []
    for seed in range(6):
        evidence = uneven(groups, seed=seed, shift=0.1)
        rule = make("audit", name).examine(evidence, rng()).rule
        assert rule is not None
        for t, y, says, group in windows(evidence):
            gap = METRICS[name](y, says, group)
            said.append(gap > 0.1)
            assert rule[t] == said[-1], (seed, t, gap)
    assert any(said)


def test_a_gap_from_all_others_below_a_tenth_does_not_keep_the_rule() -> None:
    k, n = np.array([[40, 46, 52], [40, 45, 50]]), np.full((2, 3), 100)
    found = make("audit", "demographic_parity").examine(counts(k, n), rng())
    assert found.rule is not None and np.abs(found.statistic).max() < 0.1
    # .12 is above a tenth; a tenth is not
    assert found.rule.tolist() == [True, False]


def test_groups_with_too_few_rows_play_no_part_in_the_rule() -> None:
    k, n = np.array([[40, 45, 4], [40, 60, 0]]), np.array([[100, 100, 4], [100, 100, 4]])
    rule = make("audit", "demographic_parity").examine(counts(k, n), rng()).rule
    assert rule is not None and rule.tolist() == [False, True]
