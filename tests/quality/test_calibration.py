"""Conformal limits: exact rates at finite n, what ties do, and how surprising a number of flags is."""

from __future__ import annotations

import itertools
import math
import warnings
from fractions import Fraction

import numpy as np
import pytest
from scipy import stats

from mlopsim.core.errors import ConfigError, DataError
from mlopsim.quality.calibration import Limit, conformal, split

# -- the rate ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("n", "alpha", "k", "rate"),
    [
        (50, 0.05, 49, Fraction(2, 51)),
        (99, 0.05, 95, Fraction(5, 100)),
        (19, 0.05, 19, Fraction(1, 20)),
        (20, 0.05, 20, Fraction(1, 21)),
        (1, 0.5, 1, Fraction(1, 2)),
        (9, 0.3, 7, Fraction(3, 10)),
        (3, 1.0, 0, Fraction(1)),
    ],
)
def test_the_rate_is_floor_of_alpha_times_n_plus_1(n: int, alpha: float, k: int, rate: Fraction) -> None:
    scores = np.random.default_rng(0).permutation(n).astype(np.float64)
    limit = conformal(scores, alpha)
    assert (limit.n, limit.k) == (n, k)
    assert limit.rate == pytest.approx(float(rate), rel=1e-15)
    assert limit.threshold == (float(k - 1) if k else -math.inf)
    # the largest rate of this form that is not above alpha
    assert rate <= Fraction(alpha).limit_denominator(1000) < rate + Fraction(1, n + 1)


def test_every_product_that_is_a_whole_number_counts_as_one() -> None:
    for n in range(1, 400):
        for count in range(1, n + 2):
            assert conformal(np.zeros(n), count / (n + 1)).k == n + 1 - count


def exceeded(n: int, alpha: float, draws: int, seed: int, digits: int = 30) -> np.ndarray:
    """Return where one more score exceeds the limit by n others, for scores rounded to some digits."""
    rng = np.random.default_rng(seed)
    scores = np.round(rng.gamma(2.0, size=(draws, n + 1)), digits)
    return np.array([conformal(row[:n], alpha).flags(row[n:])[0] for row in scores])


def test_the_rate_of_50_rows_at_5_percent_is_2_of_51() -> None:
    limit = conformal(np.arange(50.0), 0.05)
    assert limit.rate == 2 / 51 == pytest.approx(0.0392, abs=5e-5)
    flagged = exceeded(50, 0.05, draws=40_000, seed=1)
    error = math.sqrt(limit.rate * (1.0 - limit.rate) / len(flagged))
    assert abs(flagged.mean() - limit.rate) < 4.0 * error
    # the quantile that one might take for it flags too many: .068
    rng = np.random.default_rng(2)
    scores = rng.gamma(2.0, size=(40_000, 51))
    naive = scores[:, 50] > np.quantile(scores[:, :50], 0.95, axis=1)
    assert naive.mean() > 0.06


@pytest.mark.parametrize(("n", "alpha"), [(9, 0.3), (200, 0.01), (30, 0.5)])
def test_rates_that_are_simulated(n: int, alpha: float) -> None:
    rate = conformal(np.zeros(n), alpha).rate
    flagged = exceeded(n, alpha, draws=20_000, seed=n)
    assert abs(flagged.mean() - rate) < 4.0 * math.sqrt(rate * (1.0 - rate) / len(flagged))


def test_ties_make_the_rate_lower_never_higher() -> None:
    for digits in (1, 0):
        flagged = exceeded(50, 0.1, draws=20_000, seed=3, digits=digits)
        rate = conformal(np.arange(50.0), 0.1).rate
        assert flagged.mean() < rate
    assert not exceeded(50, 0.1, draws=200, seed=4, digits=-3).any()


def test_a_limit_is_exceeded_not_reached_and_nan_is_not_flagged() -> None:
    limit = conformal(np.arange(50.0), 0.05)
    found = limit.flags(np.array([48.0, np.nextafter(48.0, 49.0), np.nan, np.inf, -np.inf]))
    assert found.tolist() == [False, True, False, True, False]
    assert limit.flags(np.full((2, 3), 50.0)).shape == (2, 3)


def test_rows_without_a_score_count_as_the_lowest() -> None:
    scores = np.array([np.nan, 3.0, np.nan, 1.0, 2.0])
    assert conformal(scores, 0.2).threshold == 3.0
    assert conformal(scores, 0.5).threshold == 1.0
    assert conformal(scores, 0.7).threshold == -np.inf
    assert np.isnan(scores[[0, 2]]).all()


@pytest.mark.parametrize(
    ("n", "alpha", "rows"), [(50, 0.019, 52), (18, 0.05, 19), (1, 0.3, 3), (98, 0.01, 99)]
)
def test_too_few_rows_for_the_rate(n: int, alpha: float, rows: int) -> None:
    message = rf"rate of {alpha:g} needs at least {rows} calibration rows, there are {n}\n.*at least 0\.\d+"
    with pytest.raises(ConfigError, match=message):
        conformal(np.arange(float(n)), alpha)
    # the named number is the least that does
    assert conformal(np.arange(float(rows)), alpha).rate <= alpha
    with pytest.raises(ConfigError, match="needs at least"):
        conformal(np.arange(float(rows - 1)), alpha)


def test_no_rows_at_all() -> None:
    with pytest.raises(DataError, match=r"needs calibration rows, there are none\n.*longer warm-up"):
        conformal(np.zeros(0), 0.05)


# -- surprise ----------------------------------------------------------------------------------------


def tail_by_enumeration(n: int, k: int, flagged: int, of: int) -> Fraction:
    """Return P(at least so many of m scores above the k-th of n) by all orders of n + m scores.

    All sets of places that the m scores can take among n + m are as likely; flagged are those after the
    k-th of the others.
    """
    hits = total = 0
    for places in itertools.combinations(range(n + of), of):
        others = [i for i in range(n + of) if i not in places]
        total += 1
        hits += sum(place > others[k - 1] for place in places) >= flagged
    return Fraction(hits, total)


def tail_exactly(n: int, k: int, flagged: int, of: int) -> Fraction:
    """Return the same by the beta-binomial law in whole numbers."""

    def ways(j: int) -> int:
        # j flagged scores after the k-th of the others, the rest before it
        return math.comb(j + n - k, n - k) * math.comb(of - j + k - 1, k - 1)

    return Fraction(sum(ways(j) for j in range(flagged, of + 1)), math.comb(n + of, of))


@pytest.mark.parametrize(("n", "k", "of"), [(5, 4, 4), (6, 6, 5), (3, 1, 6), (8, 7, 1)])
def test_surprise_equals_enumeration_of_all_orders(n: int, k: int, of: int) -> None:
    limit = Limit(threshold=0.0, n=n, k=k)
    for flagged in range(of + 1):
        p = tail_by_enumeration(n, k, flagged, of)
        assert p == tail_exactly(n, k, flagged, of)
        assert 10.0 ** -limit.surprise(flagged, of) == pytest.approx(float(p), rel=1e-12)


@pytest.mark.parametrize(("n", "k", "of"), [(100, 96, 50), (50, 49, 100), (500, 476, 200), (20, 1, 30)])
def test_surprise_equals_the_law_in_whole_numbers(n: int, k: int, of: int) -> None:
    limit = Limit(threshold=0.0, n=n, k=k)
    for flagged in range(0, of + 1, 5):
        p = tail_exactly(n, k, flagged, of)
        expected = math.log10(p.denominator) - math.log10(p.numerator)
        assert limit.surprise(flagged, of) == pytest.approx(expected, rel=1e-9, abs=1e-9)


def test_surprise_is_that_of_scipy_where_scipy_has_digits() -> None:
    limit = Limit(threshold=0.0, n=300, k=286)
    for flagged in (1, 5, 12, 20):
        p = stats.betabinom.sf(flagged - 1, 100, 15, 286)
        assert limit.surprise(flagged, 100) == pytest.approx(-math.log10(p), rel=1e-6)


def test_surprise_of_flags_that_are_simulated() -> None:
    rng = np.random.default_rng(5)
    n, of, draws = 40, 25, 20_000
    counts = np.array(
        [conformal(row[:n], 0.1).flags(row[n:]).sum() for row in rng.normal(size=(draws, n + of))]
    )
    limit = conformal(np.arange(float(n)), 0.1)
    for flagged in range(1, 9):
        p = 10.0 ** -limit.surprise(flagged, of)
        assert abs((counts >= flagged).mean() - p) < 4.0 * math.sqrt(p * (1.0 - p) / draws) + 1e-9


def test_surprise_is_finite_silent_and_rises_with_the_flags() -> None:
    limits = [conformal(np.arange(float(n)), alpha) for n, alpha in ((20, 0.05), (10**6, 1e-6), (3, 0.5))]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for limit, of in itertools.product(limits, (1, 60, 20_000)):
            found = [limit.surprise(flagged, of) for flagged in range(0, of + 1, max(1, of // 50))]
            assert found[0] == 0.0 and np.isfinite(found).all() and (np.diff(found) > 0.0).all()
            assert limit.surprise(of + 1, of) == math.inf
            assert limit.surprise(-1, of) == 0.0
        assert limits[0].surprise(0, 0) == 0.0
        assert limits[1].surprise(20_000, 20_000) > 1000.0


def test_flags_of_a_limit_that_flags_everything_are_no_surprise() -> None:
    limit = conformal(np.arange(3.0), 1.0)
    assert limit.threshold == -math.inf
    assert limit.surprise(10, 10) == 0.0


# -- halves ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("n", [2, 3, 10, 101])
def test_halves_are_disjoint_rising_and_by_the_generator(n: int) -> None:
    learn, limit = split(n, np.random.default_rng(1))
    assert len(learn) == n // 2 and len(limit) == n - n // 2
    assert sorted([*learn, *limit]) == list(range(n))
    assert (np.diff(learn) > 0).all() and (np.diff(limit) > 0).all()
    again, _ = split(n, np.random.default_rng(1))
    assert np.array_equal(learn, again)
    if n > 10:
        assert not np.array_equal(learn, split(n, np.random.default_rng(2))[0])


def test_halves_are_drawn_evenly() -> None:
    rng = np.random.default_rng(3)
    counts = sum(np.bincount(split(11, rng)[0], minlength=11) for _ in range(4000))
    assert stats.chisquare(counts).pvalue > 1e-4


@pytest.mark.parametrize("n", [0, 1])
def test_one_row_has_no_halves(n: int) -> None:
    with pytest.raises(DataError, match=rf"{n} reference row\(s\) cannot be split[\s\S]*longer warm-up"):
        split(n, np.random.default_rng(0))
    with pytest.raises(DataError, match=rf"{n} reference window\(s\)"):
        split(n, np.random.default_rng(0), "window")
