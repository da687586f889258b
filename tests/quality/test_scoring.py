"""Scores against the truth: scikit-learn's numbers, ties, constants, and chance."""

from __future__ import annotations

import itertools
import math
import warnings

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, f1_score, roc_auc_score

from mlopsim.quality.scoring import auprc, auroc, is_constant, precision_at, recall_at


def drawn(n: int, share: float, digits: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return scores, rounded so that some are equal, that tell something; and the truth."""
    rng = np.random.default_rng(seed)
    truth = rng.random(n) < share
    truth[:2] = True, False
    return np.round(rng.normal(size=n) + truth, digits), truth


@pytest.mark.parametrize("digits", [9, 1, 0, -1])
@pytest.mark.parametrize(("n", "share"), [(2, 0.5), (30, 0.5), (500, 0.02), (500, 0.9)])
def test_areas_are_those_of_scikit_learn(n: int, share: float, digits: int) -> None:
    score, truth = drawn(n, share, digits, seed=n)
    assert auroc(score, truth) == pytest.approx(roc_auc_score(truth, score), abs=1e-12)
    assert auprc(score, truth) == pytest.approx(average_precision_score(truth, score), abs=1e-12)


def test_infinite_scores_are_ties_like_others() -> None:
    score = np.array([np.inf, np.inf, 1.0, 0.0, -np.inf, -np.inf, np.inf, -np.inf])
    truth = np.array([True, False, True, False, True, False, True, False])
    finite = np.clip(score, -5.0, 5.0)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert auroc(score, truth) == roc_auc_score(truth, finite)
        assert auprc(score, truth) == pytest.approx(average_precision_score(truth, finite), abs=1e-15)
        for order in itertools.islice(itertools.permutations(range(8)), 0, None, 997):
            # ties taken together: the order of the rows plays no part
            assert auprc(score[list(order)], truth[list(order)]) == pytest.approx(auprc(score, truth))
        assert precision_at(score, truth, 3) == 2 / 3


@pytest.mark.parametrize("value", [0.0, 7.0, -np.inf, np.inf])
def test_a_constant_score_tells_nothing_and_is_said_to(value: float) -> None:
    _, truth = drawn(200, 0.2, 3, seed=0)
    score = np.full(200, value)
    assert is_constant(score)
    assert auroc(score, truth) == 0.5
    assert auprc(score, truth) == pytest.approx(truth.mean(), abs=1e-15)
    assert precision_at(score, truth, 50) == pytest.approx(truth.mean(), abs=1e-15)


def test_all_but_equal_scores_are_constant() -> None:
    score = np.zeros(2000)
    score[:2] = 1.0
    assert is_constant(score)
    score[:3] = 1.0
    assert not is_constant(score)
    assert is_constant(np.full(5, np.nan)) and is_constant(np.zeros(0))
    assert is_constant(np.array([np.nan, 3.0, np.nan])) and not is_constant(np.array([1.0, 2.0, np.nan]))


def test_random_scores_have_the_areas_of_chance() -> None:
    rng = np.random.default_rng(1)
    areas, precisions = [], []
    for _ in range(300):
        truth = np.arange(400) < 80
        score = rng.random(400)
        areas.append((auroc(score, truth), auprc(score, truth)))
        precisions.append(precision_at(score, truth, 80))
    mean, error = np.mean(areas, axis=0), np.std(areas, axis=0) / math.sqrt(300)
    assert abs(mean[0] - 0.5) < 4.0 * error[0] and error[0] < 0.003
    # a little above the share of what is wrong, as the first one found counts whole
    assert 0.2 < mean[1] < 0.23
    assert abs(np.mean(precisions) - 0.2) < 4.0 * np.std(precisions) / math.sqrt(300)


def test_a_perfect_score_and_its_opposite() -> None:
    truth = np.arange(50) < 10
    score = np.linspace(1.0, 0.0, 50)
    assert (auroc(score, truth), auprc(score, truth), precision_at(score, truth, 10)) == (1.0, 1.0, 1.0)
    assert (auroc(-score, truth), precision_at(-score, truth, 10)) == (0.0, 0.0)


@pytest.mark.parametrize("seed", range(6))
def test_precision_is_the_mean_over_all_orders_of_ties(seed: int) -> None:
    rng = np.random.default_rng(seed)
    score, truth = rng.integers(0, 3, 7).astype(np.float64), rng.random(7) < 0.5
    for k in range(1, 8):
        kept = [
            truth[list(order[:k])].mean()
            for order in itertools.permutations(range(7))
            if all(score[a] >= score[b] for a, b in itertools.pairwise(order))
        ]
        assert precision_at(score, truth, k) == pytest.approx(np.mean(kept), abs=1e-12)


def test_precision_with_as_many_flags_as_wrong_ones_is_f1() -> None:
    score, truth = drawn(300, 0.2, 9, seed=5)
    k = int(truth.sum())
    flagged = np.isin(np.arange(300), np.argsort(-score)[:k])
    assert precision_at(score, truth, k) == pytest.approx(f1_score(truth, flagged), abs=1e-12)


def test_what_is_not_scored_is_left_out() -> None:
    score, truth = drawn(100, 0.3, 1, seed=6)
    score[::3] = np.nan
    known = ~np.isnan(score)
    assert auroc(score, truth) == pytest.approx(roc_auc_score(truth[known], score[known]))
    assert auprc(score, truth) == pytest.approx(average_precision_score(truth[known], score[known]))
    assert precision_at(score, truth, 10) == precision_at(score[known], truth[known], 10)


def test_without_both_kinds_there_is_no_area() -> None:
    for truth in (np.zeros(5, np.bool_), np.ones(5, np.bool_), np.zeros(0, np.bool_)):
        score = np.arange(float(len(truth)))
        assert math.isnan(auroc(score, truth)) and math.isnan(auprc(score, truth))
    truth = np.array([True, False])
    for k in (0, -1, 3):
        assert math.isnan(precision_at(np.array([1.0, 2.0]), truth, k))
    assert math.isnan(auroc(np.full(2, np.nan), truth))


def test_recall_at_a_rate_is_that_of_a_limit_between_ties() -> None:
    rng = np.random.default_rng(0)
    truth = rng.random(400) < 0.2
    score = rng.integers(0, 6, 400) + 2.0 * truth
    for rate in (0.0, 0.05, 0.3, 1.0):
        # by breaking ties at random many times
        found = []
        for _ in range(300):
            own = score + 0.5 * rng.random(400)
            right = np.sort(own[~truth])[::-1]
            allowed = rate * len(right)
            k = int(allowed + rng.random())
            limit = np.inf if k == 0 and rate == 0.0 else right[min(k, len(right) - 1)]
            found.append((own[truth] > limit).mean() if k < len(right) else 1.0)
        if rate > 0.0:
            assert recall_at(score, truth, rate) == pytest.approx(np.mean(found), abs=0.02)
    assert recall_at(score, truth, 0.0) == (score[truth] > score[~truth].max()).mean()
    assert recall_at(np.zeros(400), truth, 0.05) == pytest.approx(0.05)
    assert np.isnan(recall_at(score, np.zeros(400, bool), 0.05))
    assert recall_at(np.r_[score, np.nan], np.r_[truth, True], 0.3) == recall_at(score, truth, 0.3)
