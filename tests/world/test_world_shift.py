"""Input shift against scipy and against brute force."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import ks_2samp

from mlopsim.world.shift import SHIFT_NAMES, bin_codes, fit_binning, shift_statistics

BOUNDS = np.array([0, 40, 75, 130, 160, 200, 260])
START = np.array([0, 0, 1, 0, 3, 4])
WARMUP = 2


def rows_of(seed: int = 0, d: int = 4) -> np.ndarray:
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(BOUNDS[-1], d)) * 10.0 ** np.arange(d) + 1e3
    X[130:, 1] += 30
    X[:, 2] = np.round(X[:, 2] / 40)
    return X


def pairs():
    for v in range(WARMUP - 1, len(BOUNDS) - 1):
        train = np.arange(BOUNDS[START[v]], BOUNDS[v + 1])
        for t in range(len(BOUNDS) - 1):
            yield v, t, train, np.arange(BOUNDS[t], BOUNDS[t + 1])


def test_names() -> None:
    assert SHIFT_NAMES == ("ks", "psi", "mean")


@pytest.mark.parametrize("bins", [2, 7, 32])
def test_ks_equals_scipy_on_binned_rows(bins: int) -> None:
    X = rows_of()
    codes = bin_codes(X, fit_binning(X[: BOUNDS[WARMUP]], bins=bins))
    shift = shift_statistics(X, X, BOUNDS, START, WARMUP, bins=bins)
    for v, t, train, window in pairs():
        expected = max(ks_2samp(codes[train, j], codes[window, j], mode="asymp").statistic for j in range(4))
        assert shift[v, t, 0] == np.float32(expected)


def test_ks_is_exact_with_enough_bins() -> None:
    """With a bin per distinct value that the warm-up shows, binning loses nothing on discrete rows."""
    rng = np.random.default_rng(3)
    X = rng.integers(0, 20, (BOUNDS[-1], 3)).astype(np.float64)
    X[130:, 0] = rng.integers(5, 20, BOUNDS[-1] - 130)
    for j in range(3):
        X[:20, j] = np.arange(20)
    shift = shift_statistics(X, X, BOUNDS, START, WARMUP, bins=BOUNDS[WARMUP])
    for v, t, train, window in pairs():
        expected = max(ks_2samp(X[train, j], X[window, j], mode="asymp").statistic for j in range(3))
        assert shift[v, t, 0] == np.float32(expected)


def test_binned_ks_is_a_lower_bound() -> None:
    X = rows_of(5)
    shift = shift_statistics(X, X, BOUNDS, START, WARMUP)
    gaps = []
    for v, t, train, window in pairs():
        exact = max(ks_2samp(X[train, j], X[window, j], mode="asymp").statistic for j in range(4))
        assert shift[v, t, 0] <= np.float32(exact)
        gaps.append(exact - shift[v, t, 0])
    assert np.mean(gaps) < 0.03


def test_psi_and_mean_equal_brute_force() -> None:
    X = rows_of(1)
    X[::7, 0] = np.nan
    encoded = np.where(np.isnan(X), 1e3, X)
    shift = shift_statistics(X, encoded, BOUNDS, START, WARMUP)
    binning = fit_binning(X[: BOUNDS[WARMUP]])
    codes = bin_codes(X, binning)
    warm = encoded[: BOUNDS[WARMUP]]
    for v, t, train, window in pairs():
        psi = []
        for j in range(4):
            k = binning.n_coarse[j]
            coarse = binning.coarse[j][codes[:, j]]
            p = (np.bincount(coarse[train], minlength=k) + 0.5) / (len(train) + 0.5 * k)
            q = (np.bincount(coarse[window], minlength=k) + 0.5) / (len(window) + 0.5 * k)
            psi.append(((p - q) * np.log(p / q)).sum())
        difference = (encoded[train].mean(axis=0) - encoded[window].mean(axis=0)) / warm.std(axis=0)
        assert shift[v, t, 1] == pytest.approx(np.mean(psi), rel=1e-6)
        assert shift[v, t, 2] == pytest.approx(np.abs(difference).max(), rel=1e-5)


def test_coarse_bins_have_equal_mass() -> None:
    warm = np.random.default_rng(0).normal(size=(1000, 1))
    binning = fit_binning(warm)
    share = np.bincount(binning.coarse[0][bin_codes(warm, binning)[:, 0]], minlength=9)
    assert binning.n_coarse[0] == 9 and share[8] == 0
    assert share[:8].min() >= 120 and share[:8].max() <= 130


def test_missing_cells_show() -> None:
    rng = np.random.default_rng(2)
    X = rng.normal(size=(BOUNDS[-1], 1))
    X[200:, 0] = np.nan
    shift = shift_statistics(X, np.nan_to_num(X), BOUNDS, START, WARMUP)
    assert shift[1, 5, 0] == 1.0 and shift[1, 5, 1] > 1.0
    assert shift[1, 4, 0] < 0.4


def test_categories_unseen_in_the_warm_up_show_and_order_is_by_frequency() -> None:
    warm = np.array([[2.0]] * 5 + [[0.0]] * 3 + [[4.0]])
    binning = fit_binning(warm, categorical=[0])
    codes = bin_codes(np.array([[2.0], [0.0], [4.0], [1.0], [3.0], [9.0], [np.nan]]), binning)
    np.testing.assert_array_equal(codes[:, 0], [0, 1, 2, 3, 3, 3, 4])
    X = np.array([[0.0], [1.0]] * 50 + [[5.0]] * 100)
    bounds = np.array([0, 50, 100, 200])
    shift = shift_statistics(X, np.zeros((200, 1)), bounds, np.array([0, 1, 2]), 1, categorical=[0])
    np.testing.assert_array_equal(shift[:, :, 0], [[0, 0, 1], [0, 0, 1], [1, 1, 0]])


def test_constant_columns_and_outliers_stay_finite() -> None:
    X = np.full((BOUNDS[-1], 2), 0.1)
    X[:, 1] = np.random.default_rng(0).normal(size=len(X))
    X[80, 1] = 1e30
    shift = shift_statistics(X, X, BOUNDS, START, WARMUP)
    assert np.isfinite(shift).all()
    # the outlier is in windows 2: a version trained after it must not carry its rounding
    without = X.copy()
    without[80, 1] = 0.0
    other = shift_statistics(without, without, BOUNDS, START, WARMUP)
    np.testing.assert_array_equal(shift[4:, 3:], other[4:, 3:])
