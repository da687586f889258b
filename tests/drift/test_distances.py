"""Distances of windows against scipy, numpy and plain Python."""

from __future__ import annotations

import itertools
import math
import statistics
from typing import Any

import numpy as np
import pytest
from scipy.spatial.distance import jensenshannon
from scipy.stats import wasserstein_distance

from mlopsim.core.spec import make
from mlopsim.drift.reference_bins import Bins
from mlopsim.numerics.scaling import Scaling


def pairs(count: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """Reference and window of many sizes and 1 to 4 features, with and without repeated values."""
    rng = np.random.default_rng(count)
    found = []
    for i in range(count):
        (n, m), d = rng.integers(2, 150, 2), 1 + i % 4
        one = rng.normal(size=(n, d)) * 10.0 ** rng.integers(-2, 3, d)
        other = one[rng.integers(0, n, m)] + rng.normal(0.3, 0.2, size=(m, d)) * one.std(axis=0)
        if i % 3 == 1:
            one, other = one.round(1), other.round(1)
        if i % 3 == 2:
            one, other = rng.integers(0, 3, (n, d)) * 1.0, rng.integers(0, 4, (m, d)) * 1.0
        found.append((one, other))
    return found


def score_of(name: str, one: np.ndarray, other: np.ndarray, **params: Any) -> float:
    detector = make("detector", name, reference=1, **params)
    detector.update(one)
    detector.update(other)
    return float(detector.statistic)


# -- Wasserstein -------------------------------------------------------------------------------------------


def test_wasserstein_equals_scipy() -> None:
    for one, other in pairs(60):
        scaling = Scaling.standard(one)
        a, b = scaling.apply(one), scaling.apply(other)
        wanted = [wasserstein_distance(a[:, f], b[:, f]) for f in range(one.shape[1])]
        assert score_of("wasserstein", one, other) == pytest.approx(max(wanted), rel=1e-9, abs=1e-12)
        mean = score_of("wasserstein", one, other, over="mean")
        assert mean == pytest.approx(np.mean(wanted), rel=1e-9, abs=1e-12)


def test_wasserstein_counts_standard_deviations() -> None:
    one = np.random.default_rng(0).normal(5.0, 3.0, size=(400, 1))
    assert score_of("wasserstein", one, one + 0.7 * one.std()) == pytest.approx(0.7, rel=1e-12)


# -- bins ----------------------------------------------------------------------------------------------------


def test_bins_of_distinct_values_hold_equal_shares() -> None:
    rng = np.random.default_rng(0)
    rows = rng.permuted(np.arange(200.0)[:, None].repeat(3, axis=1), axis=0) ** 2
    bins = Bins.quantiles(rows, 10)
    assert bins.counts.tolist() == [[20] * 10] * 3
    assert bins.sizes.tolist() == [10] * 3
    np.testing.assert_allclose(bins.cuts[0], [(a**2 + (a - 1) ** 2) / 2 for a in range(20, 200, 20)])
    # all values of any other rows find a place
    assert bins.count(rng.normal(0, 1e6, size=(5, 40, 3))).sum(axis=2).tolist() == [[40] * 3] * 5


def bins_plain(values: list[float], bins: int) -> list[float]:
    """Cuts by the documented rule, slowly."""
    n, distinct = len(values), sorted(set(values))
    cuts = {0: distinct[0], n: math.nextafter(distinct[-1], math.inf)}
    for a, b in itertools.pairwise(distinct):
        cuts[sum(v <= a for v in values)] = (a + b) / 2
    chosen = {min(sorted(cuts), key=lambda c: abs(c * bins - i * n)) for i in range(1, bins)}
    return [cuts[c] for c in sorted(chosen)]


@pytest.mark.parametrize("bins", [2, 3, 10, 25])
def test_bins_follow_their_rule(bins: int) -> None:
    for one, other in pairs(60):
        found = Bins.quantiles(one, bins)
        counts = found.count(other[None])[0]
        for f in range(one.shape[1]):
            cuts = bins_plain(one[:, f].tolist(), bins)
            assert found.cuts[f, : len(cuts)].tolist() == pytest.approx(cuts, rel=1e-15)
            assert found.sizes[f] == len(cuts) + 1
            assert np.isinf(found.cuts[f, len(cuts) :]).all()
            edges = [-math.inf, *cuts, math.inf]
            wanted = [sum(low <= x < high for x in other[:, f]) for low, high in itertools.pairwise(edges)]
            assert counts[f, : len(wanted)].tolist() == wanted
            assert not counts[f, len(wanted) :].any()


@pytest.mark.parametrize("name", ["psi", "js"])
def test_repeated_values_hide_no_change(name: str) -> None:
    n = 400
    rare = np.r_[np.ones(20), np.zeros(n - 20)][:, None]
    half = np.r_[np.ones(200), np.zeros(200)][:, None]
    same = score_of(name, rare, rare)
    assert same < 0.01
    # rare ones or rare zeros become common, a constant moves up or down, a new value appears
    for one, other in [
        (rare, half),
        (1 - rare, half),
        (0 * rare, 0 * rare + 1),
        (0 * rare, 0 * rare - 1),
        (0 * rare, half),
        (half, np.where(rare == 1, 7.0, half)),
    ]:
        assert score_of(name, one, other) > 0.1


def shares(one: np.ndarray, other: np.ndarray, bins: int) -> list[tuple[np.ndarray, np.ndarray]]:
    found = Bins.quantiles(one, bins)
    counts = found.count(other[None])[0]
    return [(found.counts[f, :b], counts[f, :b]) for f, b in enumerate(found.sizes)]


@pytest.mark.parametrize("bins", [2, 10])
def test_psi_equals_its_formula(bins: int) -> None:
    for one, other in pairs(60):
        wanted = []
        for a, b in shares(one, other, bins):
            p = [(x + 0.5) / (len(one) + 0.5 * len(a)) for x in a]
            q = [(x + 0.5 * len(b) * y) / (len(other) + 0.5 * len(b)) for x, y in zip(b, p, strict=True)]
            assert sum(p) == pytest.approx(1.0)
            assert sum(q) == pytest.approx(1.0)
            wanted.append(sum((y - x) * math.log(y / x) for x, y in zip(p, q, strict=True)))
        assert score_of("psi", one, other, bins=bins) == pytest.approx(max(wanted), rel=1e-12, abs=1e-15)


@pytest.mark.parametrize("bins", [2, 10])
def test_jensen_shannon_equals_scipy(bins: int) -> None:
    for one, other in pairs(60):
        wanted = [jensenshannon(a, b, base=2) for a, b in shares(one, other, bins)]
        found = score_of("js", one, other, bins=bins)
        assert found == pytest.approx(np.nanmax(wanted), rel=1e-9, abs=1e-7)
        assert 0.0 <= found <= 1.0
    assert score_of("js", np.zeros((5, 1)), np.ones((5, 1))) == 1.0


# -- HDDDM ---------------------------------------------------------------------------------------------------


def hdddm_plain(windows: np.ndarray, gamma: float, bins: int | None) -> tuple[list[float], list[int]]:
    """Algorithm of Ditzler and Polikar (2011), Fig. 1, with the distance of a baseline to itself as first."""
    scores, alarms = [], []
    baseline: np.ndarray | None = None
    for t, window in enumerate(windows):
        if baseline is None:
            baseline, before, steps = window, 0.0, []
            scores.append(math.nan)
            continue
        b = math.floor(math.sqrt(len(window))) if bins is None else bins
        parts = []
        for f in range(window.shape[1]):
            both = np.r_[baseline[:, f], window[:, f]]
            ends = (both.min(), both.max())
            if ends[0] == ends[1]:
                parts.append(0.0)
                continue
            q = np.histogram(baseline[:, f], bins=b, range=ends)[0] / len(baseline)
            p = np.histogram(window[:, f], bins=b, range=ends)[0] / len(window)
            parts.append(
                math.sqrt(sum((math.sqrt(x) - math.sqrt(y)) ** 2 for x, y in zip(p, q, strict=True)))
            )
        distance = sum(parts) / len(parts)
        step = abs(distance - before)
        before = distance
        score = math.nan
        if len(steps) >= 2:
            mean = sum(steps) / len(steps)
            sd = math.sqrt(sum((s - mean) ** 2 for s in steps) / len(steps))
            score = (step - mean) / max(sd, 1e-12)
        scores.append(score)
        if len(steps) >= 2 and step > mean + gamma * max(sd, 1e-12):
            alarms.append(t)
            baseline, before, steps = window, 0.0, []
        else:
            baseline = np.r_[baseline, window]
            steps.append(step)
    return scores, alarms


@pytest.mark.parametrize("bins", [None, 7])
def test_hdddm_equals_the_paper(bins: int | None) -> None:
    rng = np.random.default_rng(1)
    total = 0
    for i in range(50):
        r, d = int(rng.integers(2, 60)), 1 + i % 3
        windows = rng.normal(size=(25, r, d)) * 10.0 ** rng.integers(-3, 4, d)
        windows[12:] += 2.0 * rng.random() * np.abs(windows[:12]).mean()
        if i % 3 == 1:
            windows = windows.round(0)
        gamma = (1.0, 2.5)[i % 2]
        scores, alarms = hdddm_plain(windows, gamma, bins)
        run = make("detector", "hdddm", gamma=gamma, bins=bins).run(windows)
        assert run.alarms.tolist() == alarms
        np.testing.assert_allclose(run.score, scores, rtol=1e-8, atol=1e-8)
        total += len(alarms)
    assert total > 25


def test_hdddm_starts_again_from_the_window_of_the_alarm() -> None:
    windows = np.random.default_rng(0).normal(size=(16, 80, 2))
    windows[8:] += 4.0
    run = make("detector", "hdddm", gamma=5.0).run(windows)
    assert run.alarms.tolist() == [8]
    afresh = make("detector", "hdddm", gamma=5.0).run(windows[8:])
    np.testing.assert_array_equal(run.score[9:], afresh.score[1:])
    two = make("detector", "hdddm", gamma=5.0, reference=2).run(windows)
    assert two.alarms.tolist() == [8]
    assert np.isnan(two.score[9:12]).all()
    assert not np.isnan(two.score[12:]).any()


# -- MMD ---------------------------------------------------------------------------------------------------


def mmd_plain(one: np.ndarray, other: np.ndarray) -> tuple[float, float]:
    """Unbiased squared MMD and its standard deviation under equal laws, by loops over pairs."""
    scaling = Scaling.standard(one)
    x, y = scaling.apply(one).tolist(), scaling.apply(other).tolist()
    m, n = len(x), len(y)

    def square(a: list[float], b: list[float]) -> float:
        return sum((p - q) ** 2 for p, q in zip(a, b, strict=True))

    apart = [square(x[i], x[j]) for i in range(m) for j in range(i)]
    width = statistics.median(apart)
    if width == 0:
        positive = [a for a in apart if a > 0]
        width = statistics.median(positive) if positive else 1.0

    def k(a: list[float], b: list[float]) -> float:
        return math.exp(-square(a, b) / (2 * width))

    xx = sum(k(x[i], x[j]) for i in range(m) for j in range(m) if i != j)
    yy = sum(k(y[i], y[j]) for i in range(n) for j in range(n) if i != j)
    xy = sum(k(a, b) for a in x for b in y)
    value = xx / (m * (m - 1)) + yy / (n * (n - 1)) - 2 * xy / (m * n)
    side = [sum(k(a, b) for b in x) / m for a in x]
    mean = sum(side) / m
    centred = [(k(x[i], x[j]) - side[i] - side[j] + mean) ** 2 for i in range(m) for j in range(m) if i != j]
    factor = 1 / (m * (m - 1)) + 1 / (n * (n - 1)) + 2 / (m * n)
    return value, max(math.sqrt(2 * factor * sum(centred) / len(centred)), 1e-12)


def small_pairs() -> list[tuple[np.ndarray, np.ndarray]]:
    return [(one[:25], other[:20]) for one, other in pairs(60)]


def test_mmd_equals_loops_over_pairs() -> None:
    for one, other in small_pairs():
        value, sd = mmd_plain(one, other)
        found = score_of("mmd", one, other)
        assert found == pytest.approx(value / sd, rel=1e-8, abs=1e-8)


def test_mmd_looks_at_evenly_spaced_rows_on_the_scale_of_all() -> None:
    rng = np.random.default_rng(0)
    one, other = rng.normal(size=(100, 2)), rng.normal(0.5, 1, size=(40, 2))
    scaling = Scaling.standard(one)
    model, inside, _ = make("detector", "mmd", rows=20).learn(one)
    np.testing.assert_array_equal(model.points.T, scaling.apply(one)[::5])
    np.testing.assert_array_equal(model.columns(other).T, scaling.apply(other)[::2])
    assert inside == pytest.approx(np.triu(model.kernel, 1).sum())
    # rows in between count for nothing but the scale
    moved = other.copy()
    moved[1::2] += 100.0
    assert score_of("mmd", one, other, rows=20) == score_of("mmd", one, moved, rows=20)


def test_mmd_counts_its_standard_deviations() -> None:
    rng = np.random.default_rng(2)
    found = [score_of("mmd", rng.normal(size=(60, 3)), rng.normal(size=(40, 3))) for _ in range(600)]
    assert np.mean(found) == pytest.approx(0.0, abs=3 / math.sqrt(600))
    assert np.std(found) == pytest.approx(1.0, abs=0.2)


def test_permutation_test_equals_loops_over_pairs() -> None:
    for seed, (one, other) in enumerate(small_pairs()[:52]):
        detector = make("detector", "mmd_permutation", reference=1, permutations=9)
        run_rng = np.random.default_rng(seed)
        detector.reset(run_rng)
        detector.update(one)
        detector.update(other)
        # the same divisions
        rng = np.random.default_rng(int(np.random.default_rng(seed).integers(2**63)))
        m, n = len(one), len(other)
        orders = rng.permuted(np.tile(np.arange(m + n), (9, 1)), axis=1)
        model = detector._reference[0]
        points = np.concatenate([model.points, model.columns(other)], axis=1).T.tolist()
        size = range(m + n)
        kernel = [
            [math.exp(-model.gamma * sum((p - q) ** 2 for p, q in zip(points[i], points[j], strict=True)))
             for j in size] for i in size
        ]  # fmt: skip

        def mmd(first: list[int], last: list[int], kernel: list[list[float]] = kernel) -> float:
            within = [
                sum(kernel[i][j] for i in part for j in part if i != j) / (len(part) * (len(part) - 1))
                for part in (first, last)
            ]
            across = sum(kernel[i][j] for i in first for j in last) / (len(first) * len(last))
            return sum(within) - 2 * across

        truth = mmd(list(size)[:m], list(size)[m:])
        larger = sum(mmd(o[:m], o[m:]) >= truth - 1e-12 for o in orders.tolist())
        assert 10.0**-detector.statistic == pytest.approx((1 + larger) / 10, rel=1e-12)


def test_permutation_test_keeps_its_level_and_draws_from_its_generator() -> None:
    rng = np.random.default_rng(4)
    p = []
    for i in range(400):
        detector = make("detector", "mmd_permutation", reference=1, permutations=19)
        detector.reset(np.random.default_rng(i))
        detector.update(rng.normal(size=(20, 2)))
        detector.update(rng.normal(size=(15, 2)))
        p.append(10.0**-detector.statistic)
    for level in (0.05, 0.2, 0.5):
        share = np.mean(np.array(p) <= level + 1e-9)
        assert share == pytest.approx(level, abs=3.5 * math.sqrt(level * (1 - level) / 400))
    windows = rng.normal(size=(12, 20, 2))
    detector = make("detector", "mmd_permutation", reference=2)
    scores = [detector.score(windows, np.random.default_rng(s)) for s in (1, 1, 2)]
    np.testing.assert_array_equal(scores[0], scores[1])
    assert not np.array_equal(scores[0], scores[2], equal_nan=True)
