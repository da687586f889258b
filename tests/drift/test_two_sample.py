"""Two-sample tests of windows against scipy, enumeration, published values and plain Python."""

from __future__ import annotations

import itertools
import math
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy import stats
from scipy.integrate import quad

from mlopsim.core.errors import ConfigError
from mlopsim.core.spec import make
from mlopsim.drift.two_sample import TwoSample, alpha_of, columns, threshold_of
from mlopsim.numerics import two_sample_pvalues as nulls

TESTS = ["ks", "cvm", "ad", "kuiper"]


def pairs(count: int, most: int, least: int = 2) -> list[tuple[np.ndarray, np.ndarray]]:
    """Samples of many sizes: a third continuous, a third rounded, a third of few values."""
    rng = np.random.default_rng(count + most)
    found = []
    for i in range(count):
        n, m = rng.integers(least, most, 2)
        if i % 4 == 0:
            m = n
        one, other = rng.normal(size=n), rng.normal(0.6 * rng.random(), 1.0 + rng.random(), size=m)
        if i % 3 == 1:
            one, other = one.round(1), other.round(1)
        if i % 3 == 2:
            one, other = rng.integers(0, 3, n) * 1.0, rng.integers(0, 4, m) * 1.0
        found.append((one, other))
    return found


def score_of(name: str, one: np.ndarray, other: np.ndarray, **params: Any) -> float:
    """Score of a window against a reference of one window, through the streaming form."""
    detector = make("detector", name, reference=1, **params)
    detector.update(one[:, None])
    detector.update(other[:, None])
    return float(detector.statistic)


def anderson(one: np.ndarray, other: np.ndarray) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that the p-value is floored or capped
        return stats.anderson_ksamp([one, other])


# -- Kolmogorov-Smirnov ----------------------------------------------------------------------------------


@pytest.mark.parametrize("most", [12, 300])
def test_ks_equals_scipy_exactly(most: int) -> None:
    for one, other in pairs(60, most, least=1):
        wanted = stats.ks_2samp(one, other)
        gap = round(wanted.statistic * len(one) * len(other))
        assert nulls.ks(len(one), len(other), gap) == pytest.approx(wanted.pvalue, rel=1e-12)
        assert score_of("ks", one, other) == pytest.approx(-math.log10(wanted.pvalue), rel=1e-12, abs=1e-12)


def test_ks_of_large_samples_equals_scipy() -> None:
    rng = np.random.default_rng(0)
    for n, m, shift in [(10_001, 300, 0.0), (12_000, 12_000, 0.01), (20_000, 1000, 0.1), (10_500, 7, 0.4)]:
        one, other = rng.normal(size=n), rng.normal(shift, size=m)
        wanted = stats.ks_2samp(one, other).pvalue
        assert score_of("ks", one, other) == pytest.approx(-math.log10(wanted), rel=1e-10, abs=1e-12)
    # exact with thousands of rows
    one, other = rng.normal(size=5000), rng.normal(0.1, size=500)
    wanted = stats.ks_2samp(one, other, method="exact").pvalue
    assert score_of("ks", one, other) == pytest.approx(-math.log10(wanted), rel=1e-10)


def distances(order: tuple[int, ...], n: int, m: int) -> tuple[float, float, float]:
    """KS distance, Kuiper distance and CvM statistic of the ranks that the first sample has."""
    mine = set(order)
    i = j = 0
    high = low = total = 0.0
    for rank in range(n + m):
        i, j = (i + 1, j) if rank in mine else (i, j + 1)
        gap = i / n - j / m
        high, low, total = max(high, gap), min(low, gap), total + gap * gap
    return max(high, -low), high - low, total * n * m / (n + m) ** 2


@pytest.mark.parametrize(("n", "m"), [(3, 3), (4, 6), (5, 5), (2, 9), (7, 4)])
def test_exact_laws_equal_enumeration(n: int, m: int) -> None:
    found = np.array([distances(order, n, m) for order in itertools.combinations(range(n + m), n)])
    for ks, _, t in found[:: max(len(found) // 40, 1)]:
        share = np.mean(found[:, 0] > ks - 1e-9)
        assert nulls.ks(n, m, round(ks * n * m)) == pytest.approx(share, rel=1e-12)
        u = n * m * (n + m) * (t + (4 * n * m - 1) / (6 * (n + m)))
        share = np.mean(found[:, 2] > t - 1e-9)
        assert nulls.cvm(n, m, np.array([round(u)]))[0] == pytest.approx(share, rel=1e-12)


# -- Cramer-von Mises ------------------------------------------------------------------------------------


def cvm_plain(one: np.ndarray, other: np.ndarray) -> float:
    """Return T by its definition: pooled squared gaps of the two distribution functions."""
    pooled = np.concatenate([one, other])
    gaps = [np.mean(one <= z) - np.mean(other <= z) for z in pooled]
    return float(len(one) * len(other) / len(pooled) ** 2 * np.sum(np.square(gaps)))


@pytest.mark.parametrize("most", [13, 300])
def test_cvm_equals_scipy(most: int) -> None:
    from mlopsim.drift.kernels.cvm import run

    compared = 0
    for one, other in pairs(60, most):
        n, m = len(one), len(other)
        u = np.empty((1, 1))
        run(np.sort(one)[None], np.sort(other)[None, None], u)
        statistic = u[0, 0] / (n * m * (n + m)) - (4 * n * m - 1) / (6 * (n + m))
        assert statistic == pytest.approx(cvm_plain(one, other), rel=1e-9, abs=1e-10)
        if len(np.unique(np.concatenate([one, other]))) < n + m:
            # scipy puts midranks into the formula for ranks, which is no longer the distance then
            continue
        compared += 1
        wanted = stats.cramervonmises_2samp(one, other)
        assert statistic == pytest.approx(wanted.statistic, rel=1e-12, abs=1e-12)
        # scipy's asymptotic p-value is 1 - cdf with a series cut at 1e-7
        wanted_p = pytest.approx(wanted.pvalue, rel=1e-12 if max(n, m) <= 20 else 1e-9, abs=1e-9)
        assert nulls.cvm(n, m, u[0])[0] == wanted_p
        assert 10 ** -score_of("cvm", one, other) == wanted_p
    assert compared >= 10


def test_cvm_limit_law_is_right_in_both_tails() -> None:
    from mlopsim.numerics.limit_laws import cvm_tail

    # Csorgo and Faraway (1996), Table 1
    for x, p in [(0.04601, 0.9), (0.11888, 0.5), (0.46136, 0.05), (0.74346, 0.01), (1.16786, 0.001)]:
        assert cvm_tail(x) == pytest.approx(p, rel=1e-4)

    def inverted(x: float) -> float:
        """Invert the characteristic function (Gil-Pelaez) of sum chi2_j / (j pi)^2."""

        def part(t: float) -> float:
            j = np.arange(1, 4000)
            # the factors after the last are nearly exp(i t / (j pi)^2)
            log = -0.5 * np.log(1 - 2j * t / (j * np.pi) ** 2).sum() + 1j * t / (np.pi**2 * 4000)
            return float(np.exp(log - 1j * t * x).imag / t)

        total: float = quad(part, 1e-9, 600.0, limit=2000, epsabs=1e-9)[0]
        return 0.5 + total / math.pi

    for x in (0.1, 0.3, 0.8):
        assert cvm_tail(x) == pytest.approx(inverted(x), abs=2e-6)
    # Smirnov's integral and the series of Csorgo and Faraway, both with 30 digits, agree on these
    for x, p in [(0.5, 0.03983321756560759), (2.0, 1.278073617278167e-5), (3.0, 7.56774345931605e-8)]:
        assert cvm_tail(x) == pytest.approx(p, rel=1e-12)
    # Zolotarev (1961): P(W > x) ~ sqrt(2) P(chi2_1 > pi^2 x)
    ratios = [cvm_tail(x) / (math.sqrt(2) * stats.chi2.sf(math.pi**2 * x, 1)) for x in (2.0, 8.0, 32.0, 60.0)]
    assert all(abs(r - 1) < 0.05 / x for r, x in zip(ratios, (2.0, 8.0, 32.0, 60.0), strict=True))
    tail = [cvm_tail(x) for x in np.linspace(0.0, 140.0, 5001)]
    assert tail[0] == 1.0
    assert (np.diff(tail) <= 1e-14).all()


# -- Anderson-Darling --------------------------------------------------------------------------------------


@pytest.mark.parametrize("most", [15, 300])
def test_ad_equals_scipy(most: int) -> None:
    from mlopsim.drift.kernels.ad import run

    inside = 0
    for one, other in pairs(90, most):
        if len(np.unique(np.r_[one, other])) < 2:
            continue
        wanted = anderson(one, other)
        n, m = len(one), len(other)
        a2 = np.empty((1, 1))
        run(np.sort(one)[None], np.sort(other)[None, None], a2)
        z = (a2[0, 0] - 1.0) / nulls._ad_spread(n, m)
        assert z == pytest.approx(wanted.statistic, rel=1e-10, abs=1e-11)
        p = 10 ** -score_of("ad", one, other)
        if 0.325 <= wanted.statistic <= 6.546:
            inside += 1
            assert p == pytest.approx(wanted.pvalue, rel=1e-10)
        else:
            assert (p > 0.24) if wanted.statistic < 1 else (p < 0.00102)
    assert inside >= 25


def test_ad_goes_on_beyond_its_table() -> None:
    a2 = np.linspace(0.05, 20.0, 4000)
    p = nulls.ad(200, 300, a2)
    assert (np.diff(p) <= 0).all()
    assert (np.diff(p)[p[1:] < 1] < 0).all()
    assert np.abs(np.diff(np.log(p))).max() < 0.02
    # Zolotarev (1961) for sum chi2_j / (j (j + 1)): P(A2 > x) ~ sqrt(3) P(chi2_1 > 2 x)
    for x in (8.0, 12.0, 20.0):
        wanted = math.sqrt(3) * stats.chi2.sf(2 * x, 1)
        assert wanted / 2 < nulls.ad(5000, 5000, np.array([x]))[0] < 2 * wanted
    # and towards 1: the simulated share of larger statistics
    from mlopsim.drift.kernels.ad import run

    rng = np.random.default_rng(5)
    several = []
    for _ in range(40):
        block = np.empty((100, 1))
        run(np.sort(rng.random((1, 60))), np.sort(rng.random((100, 1, 60)), axis=-1), block)
        several.append(block)
    statistics = np.concatenate(several).ravel()
    for x in (0.5, 0.8, 1.2):
        assert nulls.ad(60, 60, np.array([x]))[0] == pytest.approx(np.mean(statistics > x), abs=0.12)


# -- Kuiper --------------------------------------------------------------------------------------------------


def kuiper_plain(one: np.ndarray, other: np.ndarray) -> tuple[float, float]:
    """V and its p-value by the definition and the series of Kuiper (1960) with Stephens's factor."""
    gaps = [np.mean(one <= x) - np.mean(other <= x) for x in np.r_[one, other]]
    v = max(*gaps, 0.0) - min(*gaps, 0.0)
    m = len(one) * len(other) / (len(one) + len(other))
    z = (math.sqrt(m) + 0.155 + 0.24 / math.sqrt(m)) * v
    if z < 0.2:
        return v, 1.0
    terms = [(4 * (j * z) ** 2 - 1) * math.exp(-2 * (j * z) ** 2) for j in range(1, 200)]
    return v, min(2 * math.fsum(terms), 1.0)


@pytest.mark.parametrize("most", [15, 300])
def test_kuiper_equals_its_series(most: int) -> None:
    for one, other in pairs(60, most, least=1):
        v, p = kuiper_plain(one, other)
        assert nulls.kuiper(len(one), len(other), np.array([v]))[0] == pytest.approx(p, rel=1e-9, abs=1e-14)
        assert score_of("kuiper", one, other) == pytest.approx(-math.log10(p), rel=1e-9, abs=1e-12)


def test_kuiper_limit_law_is_the_published_one() -> None:
    from mlopsim.numerics.limit_laws import kuiper_tail

    # Stephens (1970), Table 1, upper tail of V*
    for z, p in [(1.620, 0.10), (1.747, 0.05), (1.862, 0.025), (2.001, 0.01)]:
        assert kuiper_tail(z) == pytest.approx(p, rel=5e-3)
    grid = [kuiper_tail(z) for z in np.linspace(0.0, 10.0, 4001)]
    assert grid[0] == 1.0
    assert (np.diff(grid) <= 1e-13).all()


def test_kuiper_keeps_its_level() -> None:
    rng = np.random.default_rng(0)
    windows = rng.normal(size=(2000, 2, 80, 1))
    p = [10 ** -make("detector", "kuiper", reference=1).score(pair)[1] for pair in windows]
    for level in (0.05, 0.2):
        assert level * 0.5 < np.mean(np.array(p) < level) < level + 3 * math.sqrt(level * (1 - level) / 2000)


# -- all of them ---------------------------------------------------------------------------------------------


SCIPY: dict[str, Callable[[np.ndarray, np.ndarray], float]] = {
    "ks": lambda a, b: float(stats.ks_2samp(a, b).pvalue),
    "cvm": lambda a, b: float(stats.cramervonmises_2samp(a, b).pvalue),
    "kuiper": lambda a, b: kuiper_plain(a, b)[1],
}


@pytest.mark.parametrize("name", SCIPY)
@pytest.mark.parametrize("correction", ["bonferroni", "simes", "none"])
def test_corrections(name: str, correction: str) -> None:
    rng = np.random.default_rng(7)
    # scipy's midranks give another Cramer-von Mises distance where values are equal
    windows = rng.normal(size=(8, 25, 4)).round(12 if name == "cvm" else 1)
    windows[3:, :, 2] += np.array([0.3, 0.6, 0.9, 1.2, 1.5])[:, None]
    score = make("detector", name, reference=2, correction=correction).unlimited([windows])[0]
    assert np.isnan(score[:2]).all()
    reference = windows[:2].reshape(50, 4)
    for window, found in zip(windows[2:], score[2:], strict=True):
        p = np.array([SCIPY[name](reference[:, f], window[:, f]) for f in range(4)])
        wanted = {
            "bonferroni": min(1.0, 4 * p.min()),
            # the smallest adjusted p-value of Benjamini and Hochberg is that of Simes
            "simes": stats.false_discovery_control(p).min(),
            "none": p.min(),
        }[correction]
        assert 10**-found == pytest.approx(wanted, rel=1e-9, abs=1e-9)


def test_holm_is_refused_with_the_known_corrections() -> None:
    with pytest.raises(ConfigError, match="bonferroni, simes, none"):
        make("detector", "ks", correction="holm")
    # because its smallest adjusted p-value is that of Bonferroni: d times the smallest


@pytest.mark.parametrize("name", TESTS)
def test_the_limit_is_a_level(name: str) -> None:
    windows = np.random.default_rng(3).normal(size=(40, 30, 2))
    windows[20:, :, 0] += 0.8
    detector = make("detector", name, reference=3)
    free = detector.unlimited([windows])[0]
    for alpha in (0.5, 0.05, 0.001):
        limited = make("detector", name, reference=3, alpha=alpha)
        first = np.flatnonzero(10.0**-free < alpha)
        assert limited.alarms(windows)[:1].tolist() == first[:1].tolist()
    for t in np.flatnonzero(free > 0.0):
        # a score equal to the threshold is no alarm, one above it is
        same = detector.limited(float(free[t]))
        assert same.threshold == pytest.approx(free[t], rel=1e-14)
        place = np.flatnonzero(free > free[t])[:1]
        assert same.alarms(windows)[:1].tolist() == place.tolist()
        below = detector.limited(float(free[t]) * (1 - 1e-12))
        assert below.alarms(windows)[0] == np.flatnonzero(free >= free[t])[0]


def test_levels_and_thresholds_are_inverse() -> None:
    for threshold in [*np.random.default_rng(0).exponential(3.0, 2000), 0.0, 1e-9, 300.0, 307.6]:
        back = threshold_of(alpha_of(float(threshold)))
        assert back >= threshold
        assert back == pytest.approx(threshold, rel=1e-14, abs=2e-16)
    assert threshold_of(alpha_of(1000.0)) == math.inf
    for wrong in (-0.1, math.nan):
        with pytest.raises(ConfigError):
            alpha_of(wrong)


@pytest.mark.parametrize("name", TESTS)
def test_scores_end_at_the_smallest_float(name: str) -> None:
    # 3000 against 3000 rows without overlap: no p-value of them is a float
    score = score_of(name, np.arange(3000.0), np.arange(3000.0) + 1e4)
    assert 300.0 < score < 308.0


@pytest.mark.parametrize("name", ["cvm", "ad"])
def test_too_few_rows_are_undefined(name: str) -> None:
    assert math.isnan(score_of(name, np.arange(5.0), np.arange(1.0)))
    assert math.isnan(score_of(name, np.arange(1.0), np.arange(5.0)))
    assert not math.isnan(score_of(name, np.arange(2.0), np.arange(2.0)))


def test_levels_under_ties_are_as_the_docstring_says() -> None:
    """Counts of p-values below .01 among unchanged windows of 100 rows with two values, reference of 1000."""
    rng = np.random.default_rng(5)
    found = {}
    for name in ("ks", "cvm", "ad", "kuiper"):
        test = make("detector", name)
        reference = columns((rng.random((1500, 1000, 1)) < 0.5).astype(float))
        windows = columns((rng.random((1500, 100, 1)) < 0.5).astype(float))
        values = [float(test.statistics(r, w[None])[0, 0]) for r, w in zip(reference, windows, strict=True)]
        found[name] = float((test.pvalues(1000, 100, np.array(values)) < 0.01).mean())
    assert found["ks"] < 0.005 and found["kuiper"] < 0.003
    assert 0.005 < found["cvm"] < 0.025 and 0.03 < found["ad"] < 0.07
    assert "49.2" in (TwoSample.__doc__ or "")
