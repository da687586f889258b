"""Distances of distribution functions and rank sums, against scipy."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import ks_2samp, mannwhitneyu, norm

from mlopsim.fairness.flipping import moved
from mlopsim.fairness.kernels.discriminant import rank_sums
from mlopsim.fairness.kernels.segments import distances


def rows(
    rng: np.random.Generator, groups: int, digits: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Three windows of unequal size; few digits make ties."""
    bounds = np.array([0, 40, 95, 120])
    group = rng.integers(0, groups, 120)
    window = np.repeat(np.arange(3), np.diff(bounds))
    counts = np.bincount(window * groups + group, minlength=3 * groups).reshape(3, groups)
    X = rng.standard_normal((120, 4)).round(digits)
    X[:, 0] += 0.4 * group
    return X, group, bounds, counts


@pytest.mark.parametrize("groups", [2, 3])
@pytest.mark.parametrize("digits", [1, 8])
@pytest.mark.parametrize("missing", [0.0, 0.3])
def test_distances_are_those_of_scipy(groups: int, digits: int, missing: float) -> None:
    rng = np.random.default_rng(groups + digits)
    X, group, bounds, counts = rows(rng, groups, digits)
    X[rng.random(X.shape) < missing] = np.nan
    out = np.zeros((3, groups, 4), dtype=np.int64)
    distances(np.ascontiguousarray(X.T), group, bounds, counts, out)
    for t in range(3):
        part = slice(bounds[t], bounds[t + 1])
        # what is missing is one value above all others
        values, who = np.nan_to_num(X[part], nan=9.0), group[part]
        for g in range(groups):
            for j in range(4):
                one, other = values[who == g, j], values[who != g, j]
                found = out[t, g, j] / (len(one) * len(other))
                assert found == pytest.approx(ks_2samp(one, other).statistic, abs=1e-12)


def test_missing_values_do_not_depend_on_the_order_of_rows() -> None:
    """The column that tells the groups is the same however rows of a group are ordered."""
    rng = np.random.default_rng(5)
    group = np.repeat([0, 1], 50)
    X = rng.standard_normal((100, 2))
    X[:, 1] += 0.8 * group
    # alike in both groups, and mostly missing: taken one by one in order, they would tell the groups
    X[:, 0] = np.where(np.arange(100) % 5 == 0, X[:, 0], np.nan)
    out = moved(X, group, np.array([0, 100]), 2)
    assert np.array_equal(out[:, 0], X[:, 0], equal_nan=True)
    assert not np.array_equal(out[:, 1], X[:, 1])


@pytest.mark.parametrize("groups", [2, 3])
@pytest.mark.parametrize("digits", [0, 8])
def test_rank_sums_are_those_of_scipy(groups: int, digits: int) -> None:
    rng = np.random.default_rng(10 * groups + digits)
    X, group, bounds, _ = rows(rng, groups, 8)
    half = rng.integers(0, 2, 120)
    weights = rng.standard_normal((3, 2, groups, 4))
    if digits == 0:
        # whole numbers add up without rounding, so that equal sums are equal
        X, weights = X.round(0), weights.round(0)
        weights[..., 0] = 1.0
    weights[1, 0, 0] = np.nan
    pairs, variance = np.empty((2, 3, 2, groups))
    rank_sums(X, half, group, bounds, weights, pairs, variance)
    for t in range(3):
        part = slice(bounds[t], bounds[t + 1])
        for h in range(2):
            held, who = X[part][half[part] == h], group[part][half[part] == h]
            for g in range(groups):
                learnt = weights[t, 1 - h, g]
                if np.isnan(learnt[0]):
                    assert np.isnan(pairs[t, h, g]) and np.isnan(variance[t, h, g])
                    continue
                place = held @ learnt
                one, other = place[who == g], place[who != g]
                found = mannwhitneyu(one, other, method="asymptotic", use_continuity=False)
                n = len(one) * len(other)
                assert pairs[t, h, g] == pytest.approx(found.statistic - n / 2.0, abs=1e-9)
                z = pairs[t, h, g] / np.sqrt(variance[t, h, g])
                assert 2.0 * norm.sf(abs(z)) == pytest.approx(found.pvalue, abs=1e-9)
