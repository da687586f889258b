"""Scores of charts are those of references that are computed by other means."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest

from mlopsim.core.errors import ConfigError, DataError
from mlopsim.core.spec import make
from mlopsim.drift.signal import Side
from mlopsim.governance.monitoring.gaps import restricted
from mlopsim.governance.monitoring.in_control import law
from mlopsim.governance.monitoring.kernels.beta_binomial import tails
from mlopsim.governance.monitoring.rates import By, Rate
from mlopsim.governance.monitoring.reference import (
    Reference,
    Spread,
    estimated,
    intraclass_correlation,
    rebased,
)
from mlopsim.world.metrics import quality_of

FAIR = law(base=(0.5, 0.5), recall=(0.8, 0.8), false_positive_rate=(0.2, 0.2), rows=(120, 80))
CORRELATED = law(base=(0.5, 0.5), recall=(0.8, 0.8), false_positive_rate=(0.2, 0.2), rows=(120, 80), rho=0.02)


def table(tn: int, fp: int, fn: int, tp: int) -> np.ndarray:
    return np.array([[tn, fp], [fn, tp]])[None, None, None]


def told(p: float, rho: float = 0.0) -> Reference:
    """A reference of one group whose accuracy is p."""
    cells = np.array([[p / 2, (1 - p) / 2], [(1 - p) / 2, p / 2]])[None, None, None]
    return Reference(cells=cells, rho=np.array([rho]))


def mass(k: int, n: int, p: Fraction, rho: Fraction) -> Fraction:
    """The beta-binomial law as a product of steps of Polya's urn: exact, without gamma functions."""
    found = Fraction(math.comb(n, k))
    for i in range(k):
        found *= p * (1 - rho) + i * rho
    for i in range(n - k):
        found *= (1 - p) * (1 - rho) + i * rho
    for i in range(n):
        found /= (1 - rho) + i * rho
    return found


@pytest.mark.parametrize("rho", ["0", "1/50", "1/3"])
def test_tails_are_those_of_polyas_urn(rho: str) -> None:
    n, p, r = 30, Fraction(7, 10), Fraction(rho)
    law_of = [mass(k, n, p, r) for k in range(n + 1)]
    assert sum(law_of) == 1
    below, at, above = np.empty((3, n + 1))
    tails(
        np.arange(n + 1), np.full(n + 1, n), np.full(n + 1, 0.7), np.full(n + 1, float(r)), below, at, above
    )
    for k in range(n + 1):
        smaller = min(sum(law_of[:k]), sum(law_of[k + 1 :]))
        assert at[k] == pytest.approx(float(law_of[k]), rel=1e-11)
        assert min(below[k], above[k]) == pytest.approx(float(smaller), rel=1e-10)
        assert below[k] + at[k] + above[k] == pytest.approx(1.0, abs=1e-12)


def test_tails_of_certain_rates_and_unknown_ones() -> None:
    below, at, above = np.empty((3, 4))
    counts = np.array([0, 1, 5, 1])
    tails(counts, np.full(4, 5), np.array([0.0, 0.0, 1.0, np.nan]), np.zeros(4), below, at, above)
    assert at[:3].tolist() == [1.0, 0.0, 1.0] and below[1] == 1.0 and np.isnan(at[3])


def test_rates_are_those_of_the_world() -> None:
    counts = np.random.default_rng(0).integers(1, 50, (20, 2, 2))
    mine = np.stack([np.divide(*rate.counted(counts)) for rate in (Rate.ACCURACY, Rate.PRECISION)])
    expected = quality_of(counts)
    assert np.allclose(mine.T, expected[:, :2])
    assert np.allclose(np.divide(*Rate.RECALL.counted(counts)), expected[:, 2])
    assert np.allclose(Rate.F1.shown(np.divide(*Rate.F1.counted(counts))), expected[:, 3])
    assert Rate.F1.share(float(expected[0, 3])) == pytest.approx(
        counts[0, 1, 1] / (counts[0].sum() - counts[0, 0, 0])
    )


def test_f1_is_charted_exactly() -> None:
    """Of 40 rows that are or are called 1 at J = 2/3, i.e. F1 = .8: the binomial law summed in fractions."""
    chart = make("monitor", "f1_chart", side="down")
    j, n = Fraction(2, 3), 40
    for tp in (5, 20, 27, 35):
        lower = sum(math.comb(n, k) * j**k * (1 - j) ** (n - k) for k in range(tp + 1))
        score = chart.scores(
            table(60, 20, n - tp - 20, tp) if tp <= 20 else table(60, 0, n - tp, tp), told(0.8)
        )
        # told(.8): tp .4, fp .1, fn .1, so that J = 2/3
        assert 0.5 * math.erfc(score.item() / math.sqrt(2)) == pytest.approx(float(lower), rel=1e-9)


def test_a_table_of_scores_is_each_score() -> None:
    chart = make("monitor", "f1_chart", by="both")
    counts = FAIR.draw(3, 20, np.random.default_rng(0))
    known = FAIR.reference()
    together = chart.scores(counts, known)
    cells = np.broadcast_to(known.cells, (3, 20, *known.cells.shape[2:])) * np.arange(1, 61).reshape(
        3, 20, 1, 1, 1
    )
    # levels that differ in the last digit are no constant: each score is computed by itself
    each = chart.scores(counts, Reference(cells=cells, rho=np.zeros(3)))
    assert np.allclose(together, each, rtol=1e-9)


def test_p_chart_with_correlation_is_as_wide_as_the_law() -> None:
    n, p, rho = 50, 0.1, 0.05
    law_of = np.array([float(mass(k, n, Fraction(1, 10), Fraction(1, 20))) for k in range(n + 1)])
    k = np.arange(n + 1)
    sd = math.sqrt(float((law_of * k**2).sum() - (law_of * k).sum() ** 2)) / n
    assert sd == pytest.approx(math.sqrt(p * (1 - p) / n * (1 + (n - 1) * rho)), rel=1e-12)
    score = make("monitor", "p_chart").scores(table(5, 25, 15, 5), told(p, rho))
    assert score.item() == pytest.approx((0.2 - p) / sd, rel=1e-12)


@pytest.mark.parametrize("rate", [Rate.ACCURACY, Rate.RECALL, Rate.PRECISION, Rate.F1])
def test_rates_of_correlated_windows_are_beta_binomial_with_their_own_correlation(rate: Rate) -> None:
    counts = CORRELATED.draw(1, 40_000, np.random.default_rng(1))
    k, n = rate.counted(counts)
    (whole, groups), rho = CORRELATED.reference().levels(rate), CORRELATED.reference().correlation(rate)
    for g in range(2):
        p, r = groups[0, 0, g], rho[0, 0, g]
        gaps = (k[0, :, g] - n[0, :, g] * p) ** 2
        ratio = gaps / (n[0, :, g] * p * (1 - p) * (1 + (n[0, :, g] - 1) * r))
        assert ratio.mean() == pytest.approx(1.0, abs=5 * ratio.std() / 200)
    chart = make("monitor", "f1_chart", rate=rate.value, by="both")
    scores = chart.scores(counts, CORRELATED.reference())[0]
    # an exact test is conservative, but not by much at such sizes
    assert ((scores > 1.96).mean(axis=1) < 0.054).all() and ((scores > 1.96).mean(axis=1) > 0.03).all()
    assert whole.shape == (1, 1)


def test_sides() -> None:
    low = table(30, 20, 20, 30)
    up, down, both = (
        make("monitor", "p_chart", side=side.value).scores(low, told(0.8)).item()
        for side in (Side.UP, Side.DOWN, Side.BOTH)
    )
    assert up == -down and both == down == pytest.approx(5.0)


def test_tolerance_widens_what_is_in_control_and_impact_what_is_told() -> None:
    counts = np.concatenate([table(n, 1000 - n, 1000 - n, n) for n in (800, 780, 750, 700)], axis=1)
    plain, tolerant, impact = (
        make("monitor", "p_chart", **given).scores(counts, told(0.8))[0, 0]
        for given in ({}, {"tolerance": 0.05}, {"impact": 0.05})
    )
    assert plain[3] == pytest.approx(0.1 / math.sqrt(0.8 * 0.2 / 2000))
    # .75 is in control, and .7 is compared with .75
    assert tolerant[:3].tolist() == [0.0, 0.0, 0.0]
    assert tolerant[3] == pytest.approx(0.05 / math.sqrt(0.75 * 0.25 / 2000))
    # a change of .05 is significant, but not above the impact; what is above it keeps its score
    assert impact[:3].tolist() == [0.0, 0.0, 0.0] and impact[3] == plain[3] and plain[2] > 5
    f1 = make("monitor", "f1_chart", tolerance=0.05).scores(counts, told(0.8))[0, 0]
    assert f1[:3].tolist() == [0.0, 0.0, 0.0] and f1[3] > 3


def test_impact_of_gaps_and_floors() -> None:
    gap = np.array([[[400, 100], [100, 400]], [[400, 100], [150, 350]]])[None, None]
    known = law(base=(0.5, 0.5), recall=(0.8, 0.8), false_positive_rate=(0.2, 0.2), rows=(10, 10)).reference()
    for name in ("gap_exact", "gap_score"):
        given = {"rate": "recall"} | ({"margin": 0.0} if name == "gap_score" else {})
        assert make("monitor", name, **given).scores(gap, known).item() > 3
        assert make("monitor", name, **given, impact=0.1).scores(gap, known).item() == 0.0
    floor = {"floor": 0.85, "by": "group"}
    plain = make("monitor", "floor", **floor).scores(gap, known)[0, :, 0]
    less = make("monitor", "floor", **floor, impact=0.06).scores(gap, known)[0, :, 0]
    assert less[0] == 0.0 < plain[0] and less[1] == plain[1]


# -- gaps -----------------------------------------------------------------------------------------------


def test_gap_exact_is_fishers_test_in_fractions() -> None:
    a, n, b, m = 30, 40, 20, 40
    law_of = {
        x: Fraction(math.comb(n, x) * math.comb(m, a + b - x), math.comb(n + m, a + b))
        for x in range(a + b - m, n + 1)
    }
    upper = sum(chance for x, chance in law_of.items() if x >= a)
    counts = np.array([[[0, 0], [n - a, a]], [[0, 0], [m - b, b]]])[None, None]
    score = make("monitor", "gap_exact", rate="recall").scores(counts, FAIR.reference()).item()
    assert math.erfc(score / math.sqrt(2)) == pytest.approx(2 * float(upper), rel=1e-9)


@pytest.mark.parametrize("gap", [0.0, 0.07, 0.3, -0.4])
@pytest.mark.parametrize("counts", [(8, 20, 3, 30), (20, 20, 10, 15), (0, 10, 5, 9), (56, 70, 48, 80)])
def test_restricted_rates_are_the_likeliest(counts: tuple[int, int, int, int], gap: float) -> None:
    k, n, j, m = counts
    first = restricted(*(np.array([v]) for v in (k / n, j / m, float(n), float(m))), gap).item()

    def likelihood(p: np.ndarray) -> np.ndarray:
        q = p - gap
        parts = ((k, p), (n - k, 1 - p), (j, q), (m - j, 1 - q))
        with np.errstate(divide="ignore", invalid="ignore"):
            return sum(np.where(c > 0, c * np.log(np.maximum(x, 0)), 0.0) for c, x in parts)

    grid = np.linspace(max(0.0, gap), min(1.0, 1.0 + gap), 200_001)
    best = grid[np.nanargmax(likelihood(grid))]
    assert first == pytest.approx(best, abs=2e-5)


@pytest.mark.parametrize(
    ("variance", "ends"),
    [("farrington_manning", (0.0533, 0.3377)), ("miettinen_nurminen", (0.0528, 0.3382))],
)
def test_gap_score_gives_the_published_intervals(variance: str, ends: tuple[float, float]) -> None:
    """Newcombe (1998), table II, 56 of 70 against 48 of 80: Mee's and Miettinen and Nurminen's interval."""
    counts = np.array([[[0, 0], [14, 56]], [[0, 0], [32, 48]]])[None, None]
    known = FAIR.reference()

    def score(margin: float) -> float:
        return (
            make("monitor", "gap_score", rate="recall", margin=margin, variance=variance)
            .scores(counts, known)
            .item()
        )

    low, high = ends
    assert score(low - 5e-5) > 1.959964 > score(low + 5e-5)
    assert score(high - 5e-5) > -1.959964 > score(high + 5e-5)


def test_gap_score_without_margin_is_the_pooled_test_and_counts_correlated_rows_as_fewer() -> None:
    counts = np.array([[[0, 0], [10, 90]], [[0, 0], [30, 70]]])[None, None]
    chart = make("monitor", "gap_score", rate="recall", margin=0.0)
    pooled = 0.2 / math.sqrt(0.8 * 0.2 * (1 / 100 + 1 / 100))
    assert chart.scores(counts, FAIR.reference()).item() == pytest.approx(pooled)
    rho = CORRELATED.reference().correlation(Rate.RECALL)[0, 0, 0]
    correlated = chart.scores(counts, CORRELATED.reference()).item()
    assert correlated == pytest.approx(pooled / math.sqrt(1 + 99 * rho))


def test_gaps_of_three_groups_are_each_against_all_others() -> None:
    three = np.array([[[0, 0], [10, 40]], [[0, 0], [20, 30]], [[0, 0], [15, 35]]])
    known = law(
        base=(0.5,) * 3, recall=(0.8,) * 3, false_positive_rate=(0.2,) * 3, rows=(10,) * 3
    ).reference()
    chart = make("monitor", "gap_exact", rate="recall")
    assert [c.name for c in chart.charts(("a", "b", "c"))][1] == "gap of recall, b less all others"
    found = chart.scores(three[None, None], known)[0, :, 0]
    for g in range(3):
        two = np.stack([three[g], np.delete(three, g, axis=0).sum(axis=0)])[None, None]
        assert found[g] == pytest.approx(chart.scores(two, FAIR.reference()).item())
    with pytest.raises(DataError, match="there is one"):
        chart.scores(three[None, None, :1], told(0.8))


# -- references -------------------------------------------------------------------------------------------


def test_laneys_sigma_is_the_moving_range_and_estimates_the_overdispersion() -> None:
    chart = make("monitor", "laney", by="group")
    windows = CORRELATED.draw(1, 20_000, np.random.default_rng(2))
    sigma = chart.sigma_z(estimated(windows))[0]
    rows = CORRELATED.rows
    assert sigma == pytest.approx(np.sqrt(1 + (rows - 1) * 0.02), rel=0.02)
    # by hand: z of 10 and 20 of 40 about 15 of 40
    two = np.stack([table(5, 15, 15, 5)[0, 0], table(10, 10, 10, 10)[0, 0]])[None]
    z = 5 / 40 / math.sqrt(0.375 * 0.625 / 40)
    assert make("monitor", "laney").sigma_z(estimated(two)).item() == pytest.approx(2 * z / 1.128, rel=1e-3)
    known = estimated(two)
    plain = make("monitor", "p_chart").scores(two, known)
    assert np.allclose(make("monitor", "laney").scores(two, known), plain / (2 * z) * 2 / math.sqrt(math.pi))
    assert np.allclose(make("monitor", "laney", sigma=2.0).scores(two, told(0.375)), plain / 2)
    with pytest.raises(DataError, match="windows of phase I"):
        make("monitor", "laney").scores(two, told(0.375))


def test_a_phase_that_drifts_widens_laneys_limits_and_hides_the_drift() -> None:
    level = np.repeat([[0.9, 0.7]], 20, axis=0).ravel()
    windows = np.concatenate([table(round(200 * p), 200 - round(200 * p), 0, 0) for p in level], axis=1)
    after = table(100, 100, 0, 0)
    drifting, steady = estimated(windows), estimated(windows[:, ::2])
    laney = make("monitor", "laney")
    assert (
        laney.scores(after, drifting).item() < 3 < make("monitor", "p_chart").scores(after, drifting).item()
    )
    # windows that never differ say nothing of how much they do
    assert np.isnan(laney.scores(after, steady)).all()


def test_the_intraclass_correlation_is_found_from_windows() -> None:
    found = intraclass_correlation(CORRELATED.draw(200, 50, np.random.default_rng(3)))
    assert found.mean() == pytest.approx(0.02, abs=5 * found.std() / math.sqrt(200))
    none = intraclass_correlation(FAIR.draw(200, 50, np.random.default_rng(4)))
    assert (none >= 0).all() and none.mean() < 0.001
    assert estimated(CORRELATED.draw(1, 50, np.random.default_rng(5)), Spread.ESTIMATED).rho[0] > 0.01


def test_a_rebased_reference_knows_each_version_from_its_own_windows_only() -> None:
    counts = FAIR.draw(2, 9, np.random.default_rng(6))
    versions = np.array([[1, 1, 1, 1, 2, 2, 2, 1, 1], [5, 5, 5, 5, 5, 5, 5, 5, 5]])
    cells = rebased(counts, versions, learn=2).cells
    assert (cells[:, :2] == 0).all() and (cells[0, [4, 5, 7, 8]] == 0).all()
    assert np.array_equal(cells[0, 2], counts[0, :2].sum(axis=0))
    assert np.array_equal(cells[0, 6], counts[0, 4:6].sum(axis=0))
    assert np.array_equal(cells[1, 8], counts[1, :2].sum(axis=0))
    scores = make("monitor", "p_chart").scores(counts, rebased(counts, versions, learn=2))
    assert np.array_equal(np.isnan(scores[:, 0]), (cells == 0).all(axis=(2, 3, 4)))
    with pytest.raises(DataError, match="do not fit"):
        rebased(counts, versions[:, :3], learn=2)
    with pytest.raises(DataError, match="one window or more"):
        rebased(counts, versions, learn=0)


# -- charts with a memory ------------------------------------------------------------------------------


def test_memories_follow_their_recursion_and_leave_out_empty_windows() -> None:
    counts = np.concatenate([table(n, 100 - n, 100 - n, n) for n in (82, 70, 75, 90, 60)], axis=1)
    counts = np.insert(counts, 2, 0, axis=1)
    z = np.array([2 * n / 200 - 0.8 for n in (82, 70, 75, 90, 60)]) / math.sqrt(0.8 * 0.2 / 200)
    ewma, cusum = make("monitor", "ewma", lam=0.3), make("monitor", "cusum", k=0.25)
    level = variance = rise = fall = 0.0
    expected = []
    for value in z:
        level, variance = 0.7 * level + 0.3 * value, 0.49 * variance + 0.09
        rise, fall = max(0.0, rise + value - 0.25), max(0.0, fall - value - 0.25)
        expected.append((abs(level) / math.sqrt(variance), max(rise, fall)))
    for chart, column in ((ewma, 0), (cusum, 1)):
        found = chart.scores(counts, told(0.8))[0, 0]
        assert np.isnan(found[2])
        assert np.delete(found, 2) == pytest.approx([row[column] for row in expected])


# -- errors --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("counts", "message"),
    [
        (np.ones((2, 2, 2)), "shape"),
        (-np.ones((1, 1, 1, 2, 2), dtype=int), "negative"),
        (np.full((1, 1, 1, 2, 2), 0.5), "whole numbers"),
        (np.ones((1, 1, 2, 2, 2), dtype=int), "does not fit"),
        (np.ones((1, 1, 1, 3, 3), dtype=int), "does not fit"),
    ],
)
def test_counts_that_cannot_be_read_are_refused(counts: np.ndarray, message: str) -> None:
    with pytest.raises(DataError, match=message):
        make("monitor", "p_chart").scores(counts, told(0.8))


def test_three_classes_have_an_accuracy_and_no_recall() -> None:
    counts = np.tile(np.diag([5, 6, 7]) + 1, (1, 1, 1, 1, 1))
    known = estimated(counts)
    assert make("monitor", "p_chart").scores(counts, known).item() == 0.0
    with pytest.raises(DataError, match="two classes"):
        make("monitor", "p_chart", rate="recall").scores(counts, known)


@pytest.mark.parametrize(
    ("name", "params"),
    [
        ("p_chart", {"tolerance": -0.1}),
        ("f1_chart", {"impact": 2.0}),
        ("ewma", {"lam": 0.0}),
        ("cusum", {"k": -1.0}),
        ("laney", {"sigma": 0.0}),
        ("floor", {"floor": 1.5}),
        ("gap_score", {"margin": 1.0}),
        ("gap_exact", {"impact": -1.0}),
        ("bank", {"alpha": 0.0}),
        ("bank", {"horizon": 0}),
        ("p_chart", {"rate": "auroc"}),
    ],
)
def test_parameters_out_of_range_are_refused(name: str, params: dict[str, object]) -> None:
    with pytest.raises(ConfigError):
        make("monitor", name, **params)


def test_fewer_than_five_rows_say_nothing_by_the_rule_of_all_tables() -> None:
    few, enough = (np.array([[[0, 1], [1, n - 2]], [[20, 5], [5, 20]]])[None, None] for n in (4, 5))
    for name in ("p_chart", "f1_chart", "floor", "gap_exact", "gap_score", "ewma"):
        params = {} if name.startswith("gap") else {"by": "group", "rate": "accuracy"}
        chart = make("monitor", name, **params)
        assert np.isnan(chart.scores(few, FAIR.reference())[0, 0, 0]), name
        assert np.isfinite(chart.scores(enough, FAIR.reference())).all(), name


def test_what_has_no_reference_has_no_score() -> None:
    empty = Reference(cells=np.zeros((1, 1, 1, 2, 2)), rho=np.zeros(1))
    counts = table(5, 5, 5, 5)
    for name in ("p_chart", "f1_chart", "ewma"):
        assert np.isnan(make("monitor", name).scores(counts, empty)).all()
    assert np.isfinite(make("monitor", "floor").scores(counts, empty)).all()
    assert By.GROUP.names("f1", ("x",)) == ["f1 of x"]
