"""Limits attain the rate that is asked, discrete scores too."""

from __future__ import annotations

import numpy as np
import pytest

from mlopsim.core.errors import DataError
from mlopsim.fairness.calibration import Limit, exact_limit, limit_of, per_window


def rate(limit: Limit, scores: np.ndarray, seed: int = 1) -> float:
    u = np.random.default_rng(seed).random(scores.shape)
    return float(limit.alarms(scores, u).any(axis=1).mean())


def test_a_level_of_one_window_adds_up() -> None:
    for alpha, windows in ((0.05, 50), (0.5, 3), (0.01, 1)):
        assert 1.0 - (1.0 - per_window(alpha, windows)) ** windows == pytest.approx(alpha, rel=1e-12)
    assert 10.0 ** -exact_limit(0.05, 50).value == pytest.approx(per_window(0.05, 50))


def test_exact_limits_of_uniform_p_values() -> None:
    scores = -np.log10(np.random.default_rng(0).random((20_000, 50)))
    error = np.sqrt(0.05 * 0.95 / 20_000)
    assert abs(rate(exact_limit(0.05, 50), scores) - 0.05) < 4 * error


def test_continuous_scores_attain_the_rate_on_what_the_limit_was_found_with() -> None:
    scores = np.random.default_rng(0).normal(size=(1000, 50))
    limit = limit_of(scores, 0.05)
    assert (scores > limit.value).any(axis=1).sum() == 49
    # the deployment that holds the limit itself has an alarm, too
    assert limit.chance == 1.0 and rate(limit, scores) == 0.05


@pytest.mark.parametrize("levels", [2, 3, 6])
def test_discrete_scores_attain_it_by_chance_at_ties(levels: int) -> None:
    rng = np.random.default_rng(levels)
    scores = rng.integers(0, levels, size=(2000, 10)).astype(np.float64)
    limit = limit_of(scores, 0.05)
    rates = [rate(limit, scores, seed) for seed in range(40)]
    assert abs(np.mean(rates) - 0.05) < 4 * np.std(rates) / np.sqrt(40) + 1e-9
    assert 0.0 < limit.chance < 1.0


def test_missing_scores_never_alarm_and_constant_ones_are_randomised() -> None:
    scores = np.full((100, 5), np.nan)
    scores[:, 0] = 1.0
    limit = limit_of(scores, 0.05)
    assert limit == Limit(value=1.0, chance=pytest.approx(0.05))
    assert not limit.alarms(np.full(3, np.nan), np.zeros(3)).any()


def test_too_few_deployments_are_refused() -> None:
    with pytest.raises(DataError, match=r"10 deployments cannot show a rate of 0\.05"):
        limit_of(np.zeros((10, 3)), 0.05)


def test_positions_are_shares_of_the_limit() -> None:
    score = np.array([1.0, 4.0, np.nan])
    np.testing.assert_array_equal(Limit(value=2.0).position(score), [0.5, 2.0, np.nan])
    # a limit of 0: anything above it is beyond any chart
    np.testing.assert_array_equal(
        Limit(value=0.0).position(np.array([0.0, 1.0, np.nan])), [0.0, np.inf, np.nan]
    )
