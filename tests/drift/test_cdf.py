"""Analysis of two distribution functions against scipy."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import ecdf, ks_2samp, norm

from mlopsim.core.errors import ConfigError, DataError
from mlopsim.numerics.ecdf import two_cdfs


@pytest.mark.parametrize("seed", range(60))
def test_functions_distance_and_pvalue_equal_scipy(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n, m = rng.integers(1, 200, 2)
    one, other = rng.normal(size=n), rng.normal(rng.random(), 1, size=m)
    if seed % 2:
        one, other = one.round(), other.round()
    found, wanted = two_cdfs(one, other), ks_2samp(one, other)
    np.testing.assert_array_equal(found.x, np.unique(np.r_[one, other]))
    np.testing.assert_allclose(found.reference, ecdf(one).cdf.evaluate(found.x), rtol=0, atol=1e-15)
    np.testing.assert_allclose(found.window, ecdf(other).cdf.evaluate(found.x), rtol=0, atol=1e-15)
    assert found.distance.value == pytest.approx(wanted.statistic, abs=1e-15)
    assert found.pvalue == pytest.approx(wanted.pvalue, rel=1e-12)
    place = found.x.tolist().index(found.at)
    gaps = np.abs(found.reference - found.window)
    assert gaps[place] == pytest.approx(wanted.statistic, abs=1e-15)
    assert (gaps[:place] < gaps[place]).all()
    assert (found.n_reference, found.n_window, found.distance.n) == (n, m, n + m)


def test_bands_and_interval_cover_the_truth() -> None:
    rng = np.random.default_rng(1)
    level, runs = 0.8, 500
    inside, held = 0, 0
    truth = 2 * norm.cdf(0.25) - 1  # distance of two normal laws, half a standard deviation apart
    for _ in range(runs):
        found = two_cdfs(rng.normal(size=80), rng.normal(0.5, 1, size=50), level=level)
        law = norm.cdf(found.x)
        # the function jumps at x, so that both sides of it count
        before = np.r_[0.0, found.reference[:-1]]
        gap = max(np.abs(found.reference - law).max(), np.abs(before - law).max())
        inside += gap <= found.half_reference
        held += found.distance.low <= truth <= found.distance.high
    slack = 3 * math.sqrt(level * (1 - level) / runs)
    assert level - slack <= inside / runs <= level + 0.08 + slack
    assert held / runs >= level - slack
    assert found.half_reference == pytest.approx(math.sqrt(math.log(2 / 0.2) / 160))
    assert found.half_window == pytest.approx(math.sqrt(math.log(2 / 0.2) / 100))


def test_bad_samples_are_one_clear_error() -> None:
    with pytest.raises(DataError, match="the window is empty"):
        two_cdfs([1.0], [])
    with pytest.raises(DataError, match="1 of 2 values of the reference are not finite"):
        two_cdfs([1.0, np.nan], [1.0])
    with pytest.raises(ConfigError, match="between 0 and 1"):
        two_cdfs([1.0], [1.0], level=95)
