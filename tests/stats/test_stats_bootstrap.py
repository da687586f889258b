import itertools
import math

import numpy as np
import pytest

from mlopsim.core.errors import ConfigError
from mlopsim.stats.bootstrap import (
    mean_interval,
    means_interval,
    ns_difference,
    ns_interval,
    ratio_interval,
    regret_interval,
    statistic_interval,
)
from mlopsim.stats.interval import Interval
from mlopsim.stats.normalised_scores import iqm, normalised_score
from mlopsim.stats.resampling import blocks, resample_two_level


def rng(seed=0):
    return np.random.default_rng(seed)


def test_percentile_ends_converge_to_the_exact_bootstrap_law():
    x = np.array([0.0, 1.0, 5.0, 7.0])
    exact = np.array([np.mean(c) for c in itertools.product(x, repeat=4)])
    found = mean_interval(x, rng(), kind="percentile", resamples=40_000, level=0.8)
    low, high = np.quantile(exact, [0.1, 0.9])
    assert abs(found.low - low) <= 0.25
    assert abs(found.high - high) <= 0.25
    assert found.value == 3.25


def test_tasks_of_a_seed_are_resampled_together():
    # within a seed the tasks cancel exactly: joint resampling sees no spread, separate resampling would
    half = rng(1).normal(size=20)
    found = mean_interval(np.stack([half, -half], axis=1), rng())
    assert found.low == pytest.approx(0.0, abs=1e-12)
    assert found.high == pytest.approx(0.0, abs=1e-12)
    # the same task twice must not look like more evidence
    once = mean_interval(half, rng())
    twice = mean_interval(np.stack([half, half], axis=1), rng())
    assert (twice.low, twice.high) == pytest.approx((once.low, once.high))
    assert (twice.n, twice.cells) == (20, 40)


def test_bca_of_the_mean_agrees_with_scipy():
    from scipy.stats import bootstrap

    x = rng(3).exponential(size=25)
    reference = bootstrap((x,), np.mean, n_resamples=40_000, method="BCa", rng=rng(4)).confidence_interval
    found = mean_interval(x, rng(5), kind="bca", resamples=40_000)
    assert found.low == pytest.approx(reference.low, abs=0.01)
    assert found.high == pytest.approx(reference.high, abs=0.02)


def test_t_interval_is_students_for_a_mean():
    from scipy.stats import t

    x = rng(6).normal(size=7)
    found = mean_interval(x, rng(), kind="t")
    low, high = t.interval(0.95, 6, loc=x.mean(), scale=x.std(ddof=1) / np.sqrt(7))
    assert (found.low, found.high) == pytest.approx((low, high))


def test_expanded_is_wider_than_percentile_and_meets_it_for_many_seeds():
    few, many = rng(7).normal(size=6), rng(7).normal(size=2000)

    def width(x, kind):
        found = mean_interval(x, rng(), kind=kind, resamples=20_000)
        return found.high - found.low

    assert 1.2 < width(few, "expanded") / width(few, "percentile") < 1.45
    assert width(many, "expanded") / width(many, "percentile") == pytest.approx(1.0, abs=0.01)


@pytest.mark.parametrize("kind", ["expanded", "percentile", "bca", "t"])
def test_shift_scale_and_constants(kind):
    x = rng(8).normal(size=12)
    a = mean_interval(x, rng(), kind=kind)
    b = mean_interval(3 * x + 10, rng(), kind=kind)
    assert (b.low, b.high) == pytest.approx((3 * a.low + 10, 3 * a.high + 10))
    flat = mean_interval(np.full(5, 2.0), rng(), kind=kind)
    assert (flat.value, flat.low, flat.high) == (2.0, 2.0, 2.0)


def test_same_generator_same_ends_and_blocks_do_not_matter(monkeypatch):
    x = rng(9).normal(size=(30, 3))
    first = mean_interval(x, rng(1))
    assert first == mean_interval(x, rng(1))
    monkeypatch.setattr("mlopsim.stats.resampling._BLOCK_NUMBERS", 777)
    assert len(blocks(5000, 30)) > 100
    again = mean_interval(x, rng(1))
    assert (again.low, again.high) == pytest.approx((first.low, first.high))


def test_missing_values_are_left_out_of_both_sums_and_counted():
    R = np.array([[1.0, np.nan], [2.0, 3.0], [np.nan, np.nan], [1.0, 1.0]])
    never, upper = np.zeros((4, 2)), np.full((4, 2), 4.0)
    found = ns_interval(R, never, upper, rng())
    assert found.value == normalised_score(R, never, upper).value == pytest.approx(8 / 20)
    assert (found.n, found.cells, found.excluded) == (3, 5, 3)


def test_too_few_or_nothing_to_gain_has_a_reason():
    one = mean_interval([3.0], rng())
    assert (one.value, one.n, one.bounded) == (3.0, 1, False)
    assert one.reason == "1 seed: an interval needs at least 2"
    none = mean_interval(np.zeros((0, 2)), rng())
    assert np.isnan(none.value)
    assert none.reason
    flat = ns_interval([1.0, 1.0], [1.0, 1.0], [1.0, 1.0], rng())
    assert np.isnan(flat.value)
    assert "gains nothing" in flat.reason
    rare = ns_interval([0.0, 0.5], [0.0, 0.0], [0.0, 1.0], rng())
    assert rare.value == 0.5
    assert not rare.bounded
    assert "resamples" in rare.reason
    training = ns_difference(np.ones((1, 4, 1)), np.ones((4, 1)), np.zeros(4), np.full(4, 2.0), rng())
    assert training.reason == "1 training seed: an interval needs at least 2"


def test_differences_pair_the_scenarios():
    scenario = rng(10).normal(0, 100, size=40)
    never, upper = scenario, scenario + 10
    found = ns_difference(scenario + 6, scenario + 5, never, upper, rng())
    assert (found.value, found.low, found.high) == pytest.approx((0.1, 0.1, 0.1))
    assert found.excludes(0.0)


def test_two_level_equals_one_level_when_repetitions_agree():
    R = rng(11).normal(5, 1, size=(30, 2))
    never, upper = np.zeros((30, 2)), np.full((30, 2), 10.0)
    flat = ns_interval(R, never, upper, rng(), kind="t")
    deep = ns_interval(np.stack([R] * 4), never, upper, rng(), kind="t")
    assert (deep.value, deep.low, deep.high) == pytest.approx((flat.value, flat.low, flat.high))
    assert (deep.n, deep.repetitions) == (30, 4)


def test_two_level_variance_is_the_sum_of_both_axes():
    seeds, scenarios = rng(12).normal(size=6), rng(13).normal(size=50)
    grid = seeds[:, None] + scenarios[None, :]
    (top,), bottom = resample_two_level([grid], np.ones(50), rng(), 40_000)
    expected = seeds.var() / 6 + scenarios.var() / 50
    assert np.var(top / bottom) == pytest.approx(expected, rel=0.03)


def test_training_seeds_widen_the_claim():
    scenarios = rng(14).normal(5, 1, size=(100, 1))
    effect = np.array([-0.3, 0.0, 0.3, 0.1, 0.4])[:, None, None]
    X = scenarios + 0.5 + effect
    never, upper = np.zeros((100, 1)), np.full((100, 1), 10.0)
    two = ns_difference(X, scenarios, never, upper, rng())
    one = ns_difference(X.mean(axis=0), scenarios, never, upper, rng())
    assert two.value == pytest.approx(one.value)
    assert two.high - two.low > 20 * (one.high - one.low)
    # the other side may have training seeds too, and the sign turns round
    swapped = ns_difference(scenarios, X, never, upper, rng(), kind="t")
    straight = ns_difference(X, scenarios, never, upper, rng(), kind="t")
    assert (swapped.low, swapped.high) == pytest.approx((-straight.high, -straight.low))


def test_a_scenario_counts_only_where_all_repetitions_are_defined():
    X = np.ones((3, 5, 1))
    X[1, 2, 0] = np.nan
    found = ns_difference(X, np.zeros((5, 1)), np.zeros(5), np.full(5, 2.0), rng())
    assert (found.value, found.n) == (0.5, 4)
    assert found.excluded == 4  # three repetitions and the rule


def test_statistic_interval_passes_reasons_on():
    x = rng(15).normal(size=(20, 2))
    by_mean = statistic_interval(lambda a: float(a.mean()), x, rng=rng(), resamples=2000)
    direct = mean_interval(x, rng(), kind="percentile", resamples=2000)
    assert (by_mean.low, by_mean.high) == pytest.approx((direct.low, direct.high))
    assert "no defined value" in statistic_interval(iqm, [np.nan, np.nan], rng=rng()).reason
    # undefined only on resamples that miss the one defined seed
    partial = statistic_interval(iqm, [np.nan, 1.0, np.nan], rng=rng())
    assert partial.value == 1.0
    assert "resamples" in partial.reason


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: mean_interval([1.0, 2.0], rng(), level=95), "between 0 and 1"),
        (lambda: mean_interval([1.0, 2.0], rng(), kind="normal"), "unknown kind"),
        (lambda: mean_interval([1.0, 2.0], rng(), resamples=5), "too few"),
        (lambda: mean_interval(np.zeros((2, 2, 2)), rng()), "shape"),
        (lambda: ratio_interval([1.0, 2.0], [1.0], rng()), "shapes"),
        (lambda: regret_interval([1.0, 2.0], [1.0], rng()), "shapes"),
        (lambda: ns_interval([1.0, 2.0], [1.0], [1.0], rng()), "paired arrays differ"),
        (
            lambda: ns_interval(np.ones((3, 4, 1)), np.ones(4), np.ones(4), rng(), kind="bca"),
            "one resampled axis",
        ),
        (lambda: statistic_interval(np.mean, [1.0, 2.0], [1.0], rng=rng()), "paired"),
    ],
)
def test_wrong_use_is_one_clear_error(call, message):
    with pytest.raises(ConfigError, match=message):
        call()


def test_an_interval_without_ends_needs_a_reason():
    with pytest.raises(ValueError, match="needs a reason"):
        Interval(value=1.0, n=3)


def test_golden_numbers():
    g = rng(2026)
    never = g.normal(size=(12, 3))
    upper = never + g.gamma(2.0, 1.0, size=(12, 3))
    rule = never + 0.5 * (upper - never)
    agent = rule + g.normal(0.2, 0.2, size=(4, 12, 3))
    golden = {
        "expanded": (0.11042775279726327, 0.06688871125685256, 0.17736147286595777),
        "percentile": (0.11042775279726327, 0.07276631177756733, 0.16468094415102139),
        "t": (0.11042775279726327, 0.06297969163477522, 0.1578758139597513),
    }
    for kind, numbers in golden.items():
        found = ns_difference(agent, rule, never, upper, rng(7), kind=kind)
        assert (found.value, found.low, found.high) == pytest.approx(numbers, rel=1e-9)
    found = ns_interval(agent[0], never, upper, rng(7), kind="bca")
    assert (found.low, found.high) == pytest.approx((0.5577151077614141, 0.6715187421887737), rel=1e-9)


def coverage(draw, truth, runs, **options):
    generator = rng(2026)
    hits = 0
    for _ in range(runs):
        found = draw(generator, **options)
        hits += found.low <= truth <= found.high
    return hits / runs


def of_mean(generator, n, **options):
    return mean_interval(generator.normal(1.0, 1.0, size=n), generator, resamples=800, **options)


def of_claim(generator, reps, n, **options):
    rule = generator.normal(5, 1, size=(n, 1))
    seeds = generator.normal(0, 1.0, size=(reps, 1, 1))
    agent = (
        rule + seeds + generator.normal(0, 1.0, size=(1, n, 1)) + generator.normal(0, 0.5, size=(reps, n, 1))
    )
    never, upper = np.zeros((n, 1)), np.full((n, 1), 10.0)
    return ns_difference(agent, rule, never, upper, generator, resamples=800, **options)


def test_coverage_of_the_mean_is_near_nominal():
    # binomial noise of 300 runs: 1.3 points; nominal 95 %
    assert coverage(lambda g: of_mean(g, 20), 1.0, 300) >= 0.91
    assert coverage(lambda g: of_mean(g, 3, kind="t"), 1.0, 300) >= 0.91


@pytest.mark.slow
@pytest.mark.parametrize(
    ("draw", "truth", "least", "most"),
    [
        (lambda g: of_mean(g, 5), 1.0, 0.87, 0.97),
        (lambda g: of_mean(g, 5, kind="percentile"), 1.0, 0.78, 0.89),
        (lambda g: of_mean(g, 10), 1.0, 0.91, 0.97),
        (lambda g: of_mean(g, 30), 1.0, 0.925, 0.97),
        (lambda g: of_claim(g, 5, 50), 0.0, 0.89, 0.97),
        (lambda g: of_claim(g, 5, 50, kind="percentile"), 0.0, 0.78, 0.90),
        (lambda g: of_claim(g, 5, 50, kind="t"), 0.0, 0.92, 0.98),
        (lambda g: of_claim(g, 20, 50), 0.0, 0.92, 0.98),
    ],
)
def test_simulated_coverage(draw, truth, least, most):
    assert least <= coverage(draw, truth, 1000) <= most


def test_a_gain_of_round_off_is_nothing_to_gain():
    """One scenario where there is something to gain, one where the bound's margin is all: draws of the latter
    alone would give scores of a billion."""
    never, upper, mine = np.array([0.5, 0.5]), np.array([0.8, 0.5 + 1e-10]), np.array([0.7, 0.4])
    found = ns_interval(mine, never, upper, np.random.default_rng(0))
    assert found.value == pytest.approx(0.1 / 0.3, rel=1e-6)
    assert not found.bounded and "resamples" in found.reason
    alone = ns_interval(mine[1:], never[1:], upper[1:], np.random.default_rng(0))
    assert np.isnan(alone.value)


def test_a_function_of_means_has_the_interval_of_a_mean_and_of_a_ratio():
    a, b = rng(9).normal(3, 1, size=30), rng(10).uniform(1, 2, size=30)
    wanted, found = mean_interval(a, rng()), means_interval(lambda m: m, a, rng=rng())
    # a mean's spread is known without resampling, that of a function is not
    assert (found.value, found.n) == (pytest.approx(wanted.value), 30)
    assert (found.low, found.high) == pytest.approx((wanted.low, wanted.high), abs=0.01)
    two = np.stack([a, b], axis=1)
    found = means_interval(lambda m: m[:, 0] / m[:, 1], two, rng=rng(), kind="percentile")
    wanted = ratio_interval(a, b, rng(), kind="percentile")
    assert (found.low, found.high) == pytest.approx((wanted.low, wanted.high), abs=1e-12)
    # one seed that is not known is left out of all arrays
    a[4] = np.nan
    less = means_interval(lambda m, k: m / k, a, b, rng=rng())
    assert (less.n, less.excluded) == (29, 1)
    undefined = means_interval(lambda m: np.where(m > 0, np.nan, m), b, rng=rng(), undefined="too good")
    assert math.isnan(undefined.value) and undefined.reason == "too good"
    some = means_interval(lambda m: np.where(m > b.mean(), np.nan, m), b, rng=rng(), undefined="too good")
    assert not some.bounded and "resamples: too good" in some.reason
