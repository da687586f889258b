import itertools

import numpy as np
import pytest

from mlopsim.core.errors import ConfigError
from mlopsim.stats.normalised_scores import (
    iqm,
    normalised_score,
    performance_profile,
    probability_of_improvement,
    regret,
    scenario_scores,
)


def test_normalised_score_is_a_ratio_of_sums_over_complete_scenarios():
    R = [[2.0, np.nan, 5.0], [1.0, 1.0, 1.0]]
    never = [[1.0, 1.0, 1.0], [1.0, 1.0, np.nan]]
    upper = [[3.0, 3.0, 9.0], [1.0, 2.0, 2.0]]
    score = normalised_score(R, never, upper)
    assert score.value == pytest.approx((1 + 4 + 0 + 0) / (2 + 8 + 0 + 1))
    assert (score.n, score.excluded, score.reason) == (4, 2, "")


def test_undefined_scores_are_nan_with_a_reason_never_zero():
    for score in (
        normalised_score([1.0], [1.0], [1.0]),
        normalised_score([np.nan], [1.0], [2.0]),
        normalised_score([], [], []),
        regret([np.nan], [1.0]),
        iqm([]),
        iqm([np.nan]),
        probability_of_improvement([np.nan], [1.0]),
    ):
        assert np.isnan(score.value)
        assert score.reason


def test_unpaired_shapes_are_an_error():
    with pytest.raises(ConfigError, match="one shape"):
        normalised_score([1.0, 2.0], [1.0], [2.0])
    with pytest.raises(ConfigError, match="cannot be compared"):
        probability_of_improvement(np.zeros((3, 2)), np.zeros((3, 1)))


def test_iqm_is_scipys_trimmed_mean_for_every_n():
    from scipy.stats import trim_mean

    rng = np.random.default_rng(0)
    for n in range(1, 40):
        x = rng.normal(size=n)
        assert iqm(x).value == pytest.approx(trim_mean(x, 0.25), rel=1e-12)


def test_probability_of_improvement_by_brute_force_and_symmetry():
    rng = np.random.default_rng(1)
    x, y = rng.integers(0, 4, (7, 3)).astype(float), rng.integers(0, 4, (5, 3)).astype(float)
    brute = np.mean(
        [
            np.mean(
                [1.0 if a > b else 0.5 if a == b else 0.0 for a, b in itertools.product(x[:, k], y[:, k])]
            )
            for k in range(3)
        ]
    )
    one = probability_of_improvement(x, y, same_scenario=False)
    assert one.value == pytest.approx(brute)
    assert one.n == 7 * 5 * 3
    assert one.value + probability_of_improvement(y, x, same_scenario=False).value == pytest.approx(1.0)
    assert probability_of_improvement(x[:5] + 1, x[:5]).value == 1.0
    assert probability_of_improvement(x, x).value == 0.5


def test_mann_whitney_agrees_with_scipy():
    from scipy.stats import mannwhitneyu

    rng = np.random.default_rng(2)
    x, y = rng.normal(size=20), rng.normal(size=30)
    u = mannwhitneyu(x, y).statistic / 600
    assert probability_of_improvement(x, y, same_scenario=False).value == pytest.approx(u)


def test_profile_counts_what_it_leaves_out():
    R = np.array([1.5, 2.0, 1.0, np.nan, 1.05])
    never, upper = np.ones(5), np.array([2.0, 2.0, 1.0, 2.0, 1.1])
    profile = performance_profile(R, never, upper, [-1.0, 0.5, 1.0], floor=0.1 + 1e-9)
    assert (profile.n, profile.below_floor, profile.undefined, profile.excluded) == (2, 2, 1, 3)
    np.testing.assert_array_equal(profile.share, [1.0, 0.5, 0.0])
    empty = performance_profile(R, never, upper, [0.0], floor=5.0)
    assert np.isnan(empty.share).all()
    assert empty.reason
    with pytest.raises(ConfigError, match="floor"):
        scenario_scores(R, never, upper, floor=-1.0)
