import itertools

import numpy as np
import pytest

from mlopsim.core.errors import ConfigError
from mlopsim.stats.bootstrap import ratio_interval
from mlopsim.stats.normalised_scores import (
    iqm,
    performance_profile,
    probability_of_improvement,
    scenario_scores,
)
from mlopsim.stats.robust_intervals import improvement_interval, iqm_interval, profile_band


def rng(seed=0):
    return np.random.default_rng(seed)


def test_iqm_interval_converges_to_the_exact_bootstrap_law():
    x = np.array([[0.0, 2.0], [1.0, np.nan], [5.0, 9.0], [7.0, 3.0]])
    exact = np.array([float(iqm(x[list(c)])) for c in itertools.product(range(4), repeat=4)])
    found = iqm_interval(x, rng(), kind="percentile", resamples=40_000, level=0.8)
    assert found.value == float(iqm(x))
    assert (found.low, found.high) == pytest.approx(np.quantile(exact, [0.1, 0.9]), abs=0.15)
    assert (found.n, found.cells, found.excluded) == (4, 7, 1)


def test_iqm_interval_is_wider_for_few_seeds_than_the_plain_percentiles():
    x = rng(1).normal(size=(8, 3))
    plain, wide = iqm_interval(x, rng(), kind="percentile"), iqm_interval(x, rng())
    assert wide.low < plain.low < plain.value < plain.high < wide.high


def test_an_extreme_scenario_moves_the_iqm_less_than_the_mean():
    x = rng(2).normal(size=40)
    spoiled = np.append(x[:-1], -1e6)
    assert iqm_interval(spoiled, rng()).low > -2.0


def test_a_seed_without_any_score_is_no_unit():
    x = rng(3).normal(size=(12, 2))
    holes = np.vstack([x, np.full((5, 2), np.nan)])
    with_holes, without = iqm_interval(holes, rng()), iqm_interval(x, rng())
    assert (with_holes.low, with_holes.high, with_holes.n) == (without.low, without.high, 12)
    assert (with_holes.excluded, without.excluded) == (10, 0)
    pair, known = improvement_interval(holes, np.zeros((17, 2)), rng()), improvement_interval(x, 0 * x, rng())
    assert (pair.low, pair.high, pair.n, pair.excluded) == (known.low, known.high, 12, 10)


def test_improvement_is_the_statistic_and_symmetric():
    x, y = rng(4).integers(0, 4, (25, 3)).astype(float), rng(5).integers(0, 4, (25, 3)).astype(float)
    x[0, 0], y[1, 1] = np.nan, np.nan
    found, back = improvement_interval(x, y, rng()), improvement_interval(y, x, rng())
    assert found.value == float(probability_of_improvement(x, y))
    assert (found.n, found.cells, found.excluded) == (25, 73, 2)
    assert found.low < found.value < found.high
    assert (1 - back.high, 1 - back.value, 1 - back.low) == pytest.approx(
        (found.low, found.value, found.high)
    )


def test_improvement_pairs_scenarios():
    hard = rng(6).normal(size=(30, 2)) * 10
    found = improvement_interval(hard + 0.1, hard, rng())
    assert (found.value, found.low, found.high) == (1.0, 1.0, 1.0)
    assert improvement_interval(hard, hard, rng()).value == 0.5
    shuffled = improvement_interval(hard + 0.1, hard[::-1], rng())
    assert shuffled.low < 0.5 < shuffled.high


def test_the_band_is_the_ratio_interval_at_each_threshold():
    never, upper = np.zeros((20, 3)), rng(7).uniform(0.0, 1.0, (20, 3))
    R = upper * rng(8).uniform(-0.2, 1.0, (20, 3))
    R[3], R[4, 0] = np.nan, np.nan
    taus = np.linspace(-0.5, 1.0, 7)
    band = profile_band(R, never, upper, taus, rng(), floor=0.2, resamples=1000)
    scores = scenario_scores(R, never, upper, floor=0.2)
    kept = np.where(np.isfinite(scores), 1.0, np.nan)
    for i, tau in enumerate(taus):
        above = np.where(np.isfinite(scores), scores > tau, np.nan)
        one = ratio_interval(above, kept, rng(), resamples=1000)
        assert band.profile.share[i] == pytest.approx(one.value)
        assert (band.low[i], band.high[i]) == pytest.approx((one.low, one.high))
        assert band.n == one.n
    assert np.array_equal(band.profile.share, performance_profile(R, never, upper, taus, floor=0.2).share)
    assert (np.diff(band.low) <= 0).all()
    assert (np.diff(band.high) <= 0).all()


def test_methods_meet_the_same_resamples():
    R, never, upper = rng(9).uniform(size=(15, 2)), np.zeros((15, 2)), np.ones((15, 2))
    bands = [profile_band(R, never, upper, [0.5], rng(4), floor=0.1) for _ in range(2)]
    assert bands[0].low == bands[1].low
    # what always scores 0.3 more has the same band, moved
    moved = profile_band(R + 0.3, never, upper, [0.8], rng(4), floor=0.1)
    assert (moved.low, moved.high) == (bands[0].low, bands[0].high)


def test_no_band_and_no_interval_without_two_seeds():
    nothing = profile_band([1.0, 1.0], [0.0, 0.0], [0.01, 0.01], [0.5], rng(), floor=0.1)
    assert np.isnan(nothing.low[0])
    assert np.isnan(nothing.profile.share[0])
    assert "above the floor" in nothing.reason
    one = profile_band([1.0, np.nan], [0.0, 0.0], [2.0, 2.0], [0.4], rng(), floor=0.1)
    assert (one.profile.share[0], one.n) == (1.0, 1)
    assert np.isnan(one.low[0])
    assert "1 seed" in one.reason
    for found in (iqm_interval([np.nan, np.nan], rng()), improvement_interval([np.nan], [1.0], rng())):
        assert np.isnan(found.value)
        assert found.reason.startswith("no ")
        assert (found.n, found.excluded > 0) == (0, True)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: improvement_interval([1.0, 2.0], [1.0], rng()), "shapes"),
        (lambda: iqm_interval(np.zeros((2, 2, 2)), rng()), "shape"),
        (lambda: profile_band([1.0] * 4, [0.0] * 4, [1.0] * 4, [0.5], rng(), floor=-1.0), "floor"),
        (lambda: profile_band([1.0] * 4, [0.0] * 4, [1.0] * 4, [0.5], rng(), floor=0.0, kind="bca"), "BCa"),
    ],
)
def test_wrong_use_is_one_clear_error(call, message):
    with pytest.raises(ConfigError, match=message):
        call()
