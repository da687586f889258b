"""Intervals of clustered numbers: a cluster counts once, and a share without spread has a width."""

from __future__ import annotations

import numpy as np
import pytest

from mlopsim.core.errors import ConfigError
from mlopsim.stats.bootstrap import mean_interval
from mlopsim.stats.clustered import by_cluster, clustered_mean, clustered_median, clustered_share
from mlopsim.stats.proportions import wilson


def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def test_values_are_laid_out_by_cluster_whatever_their_order() -> None:
    draws = np.random.default_rng(1)
    clusters = draws.integers(0, 6, 40)
    values = draws.normal(size=40)
    grid = by_cluster(values, clusters)
    for row, cluster in zip(grid, np.unique(clusters), strict=True):
        assert row[np.isfinite(row)].tolist() == values[clusters == cluster].tolist()
    found = clustered_mean(values, clusters, rng())
    assert found == mean_interval(grid, rng()) and found.value == pytest.approx(values.mean())
    with pytest.raises(ConfigError, match="as many clusters"):
        by_cluster(values, clusters[1:])


@pytest.mark.parametrize("hits", [0, 1, 7, 19, 20])
def test_one_trial_a_cluster_is_a_proportion(hits: int) -> None:
    told = np.arange(20) < hits
    found, wanted = clustered_share(told, np.arange(20), rng()), wilson(hits, 20)
    assert (found.value, found.low, found.high, found.n) == (wanted.value, wanted.low, wanted.high, 20)
    # as many times the same in each cluster tells no more
    again = clustered_share(np.tile(told, 3), np.tile(np.arange(20), 3), rng())
    assert (again.low, again.high, again.n, again.cells) == (found.low, found.high, 20, 60)


def test_a_share_that_all_clusters_have_is_as_wide_as_their_number_allows() -> None:
    for m in (5, 20, 80):
        found = clustered_share(np.tile([1.0, 0.0, 0.0, 0.0], m), np.repeat(np.arange(m), 4), rng())
        other = wilson(0, m).high
        assert (found.low, found.high) == pytest.approx((0.25 * (1 - other), 0.25 + 0.75 * other))
    with pytest.raises(ConfigError, match=r"0\.\.1"):
        clustered_share([2.0], [0], rng())


def test_what_is_not_known_has_no_interval() -> None:
    for found in (clustered_mean([np.nan], [0], rng()), clustered_median([], [], rng())):
        assert np.isnan(found.value) and found.reason == "no value"
    alone = clustered_share([1.0, 0.0], [3, 3], rng())
    assert alone.value == 0.5 and not alone.bounded and "at least 2" in alone.reason
