import numpy as np
import polars as pl
import pytest

from mlopsim.core.errors import ConfigError
from mlopsim.stats.bootstrap import mean_interval
from mlopsim.stats.interval import Interval
from mlopsim.stats.proportions import clopper_pearson, wilson
from mlopsim.stats.table import aggregate, best_first, format_interval, format_number, interval_columns, pivot


@pytest.mark.parametrize(("k", "n"), [(0, 1), (1, 1), (0, 10), (3, 10), (10, 10), (29, 97), (500, 1000)])
def test_proportions_agree_with_scipy(k, n):
    from scipy.stats import binomtest

    for ours, method in ((wilson, "wilson"), (clopper_pearson, "exact")):
        for level in (0.9, 0.95):
            found = ours(k, n, level)
            ends = binomtest(k, n).proportion_ci(level, method=method)
            assert (found.low, found.high) == pytest.approx((ends.low, ends.high), abs=1e-12)
            assert (found.n, found.value) == (n, k / n)
            assert found.low <= found.value <= found.high


def test_clopper_pearson_covers_at_least_nominally():
    from scipy.stats import binom

    ends = [clopper_pearson(k, 25) for k in range(26)]
    for p in np.linspace(0.01, 0.99, 60):
        covered = sum(binom.pmf(k, 25, p) for k, e in enumerate(ends) if e.low <= p <= e.high)
        assert covered >= 0.95 - 1e-12


def test_proportions_refuse_nonsense():
    assert wilson(0, 0).reason == clopper_pearson(0, 0).reason == "no trials"
    for k, n in ((3, 2), (-1, 2), (0, -1)):
        with pytest.raises(ConfigError, match="no proportion"):
            wilson(k, n)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.834, "0.83"),
        (-0.5, "−0.50"),
        (-0.001, "0.00"),
        (1234.5, "1,234.50"),
        (float("nan"), "–"),
        (np.inf, "∞"),
    ],
)
def test_numbers_are_typeset(value, text):
    assert format_number(value) == text


def test_intervals_are_typeset():
    assert format_interval(0.834, 0.79, 0.87) == "0.83 [0.79, 0.87]"
    assert format_interval(Interval(value=-0.5, low=-0.6, high=-0.4, n=3), digits=1) == "−0.5 [−0.6, −0.4]"
    assert format_interval(float("nan")) == "–"
    assert format_interval(0.5) == "0.50 [–]"
    columns = interval_columns("ns", [Interval(value=1.0, n=1, reason="1 seed")])
    assert columns["ns_reason"] == ["1 seed"]
    assert np.isnan(columns["ns_low"][0])


def test_pivot_pairs_methods_and_refuses_duplicates():
    frame = pl.DataFrame({"seed": [2, 1], "task": ["b", "a"], "R": [1.0, None]})
    grid, seeds, tasks = pivot(frame, "R", clusters=[1, 2, 3], tasks=["a", "b"])
    assert (seeds, tasks) == ([1, 2, 3], ["a", "b"])
    np.testing.assert_array_equal(grid, [[np.nan, np.nan], [np.nan, 1.0], [np.nan, np.nan]])
    with pytest.raises(ConfigError, match="two rows"):
        pivot(pl.concat([frame, frame]), "R")
    with pytest.raises(ConfigError, match="did you mean 'seed'"):
        pivot(frame, "R", cluster="seeds")


def test_aggregate_is_the_clustered_interval_of_each_group():
    rng = np.random.default_rng(0)
    values = {m: rng.normal(size=(10, 3)) for m in ("b", "a")}
    rows = [(m, s, t, v[s, t]) for m, v in values.items() for s in range(10) for t in range(3)]
    frame = pl.DataFrame(rows, schema=["method", "seed", "task", "acc"], orient="row")
    out = aggregate(frame, "acc", "method")
    assert out["method"].to_list() == ["b", "a"]
    for m, row in zip(("b", "a"), out.iter_rows(named=True), strict=True):
        expected = mean_interval(values[m], np.random.default_rng(0))
        assert (row["acc"], row["acc_low"], row["acc_high"]) == pytest.approx(
            (expected.value, expected.low, expected.high)
        )
        assert (row["acc_n"], row["acc_cells"], row["acc_excluded"]) == (10, 30, 0)
    # a group's interval does not depend on the other groups
    alone = aggregate(frame.filter(pl.col("method") == "a"), "acc", ["method"])
    assert alone.row(0) == out.row(1)
    robust = aggregate(frame, "acc", "method", statistic="iqm", resamples=200)
    assert robust["acc"].to_list() != out["acc"].to_list()
    with pytest.raises(ConfigError, match="unknown statistic"):
        aggregate(frame, "acc", "method", statistic="mode")


def test_aggregate_says_what_is_missing():
    frame = pl.DataFrame({"method": ["a", "a", "b"], "seed": [0, 1, 0], "acc": [None, float("nan"), 0.5]})
    out = aggregate(frame, "acc", "method")
    assert np.isnan(out["acc"][0])
    assert out["acc_reason"][0] == "no seed with all values defined"
    assert out["acc_n"].to_list() == [0, 1]
    assert "at least 2" in out["acc_reason"][1]


def test_best_first_keeps_ties_and_puts_the_undefined_last():
    frame = pl.DataFrame({"m": list("abcde"), "x": [1.0, float("nan"), None, 1.0, 2.0]})
    assert best_first(frame, "x")["m"].to_list() == ["e", "a", "d", "b", "c"]
    assert best_first(frame, "x", "min")["m"].to_list() == ["a", "d", "e", "b", "c"]
    with pytest.raises(ConfigError, match="direction"):
        best_first(frame, "x", "up")
