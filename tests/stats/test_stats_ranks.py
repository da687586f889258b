import itertools

import numpy as np
import pytest

from mlopsim.core.errors import ConfigError
from mlopsim.stats.rank_tests import cliques, friedman, holm, nemenyi_cd


def test_friedman_agrees_with_scipy_with_and_without_ties():
    from scipy.stats import friedmanchisquare

    rng = np.random.default_rng(0)
    for scores in (rng.normal(size=(12, 5)), rng.integers(0, 3, (15, 4)).astype(float)):
        ours = friedman(scores)
        theirs = friedmanchisquare(*scores.T)
        assert ours.statistic == pytest.approx(theirs.statistic)
        assert ours.p == pytest.approx(theirs.pvalue)
        assert ours.ranks.sum() == pytest.approx(ours.k * (ours.k + 1) / 2)
        turned = friedman(-scores, direction="min")
        np.testing.assert_allclose(turned.ranks, ours.ranks)


def test_friedman_reproduces_demsars_example():
    # Demsar 2006, table 6: AUC of C4.5 and three tuned variants on 14 data sets
    auc = np.array(
        [
            [0.763, 0.768, 0.771, 0.798], [0.599, 0.591, 0.590, 0.569], [0.954, 0.971, 0.968, 0.967],
            [0.628, 0.661, 0.654, 0.657], [0.882, 0.888, 0.886, 0.898], [0.936, 0.931, 0.916, 0.931],
            [0.661, 0.668, 0.609, 0.685], [0.583, 0.583, 0.563, 0.625], [0.775, 0.838, 0.866, 0.875],
            [1.000, 1.000, 1.000, 1.000], [0.940, 0.962, 0.965, 0.962], [0.619, 0.666, 0.614, 0.669],
            [0.972, 0.981, 0.9751, 0.975], [0.957, 0.978, 0.946, 0.970],
        ]
    )  # fmt: skip
    test = friedman(auc)
    # the paper prints 9.28 without the correction for ties, and F = 3.69 from it
    np.testing.assert_allclose(test.ranks, [3.143, 2.000, 2.893, 1.964], atol=5e-4)
    uncorrected = 12 * 14 / (4 * 5) * (np.sum(test.ranks**2) - 4 * 25 / 4)
    assert uncorrected == pytest.approx(9.28, abs=0.01)
    assert test.statistic > uncorrected
    assert nemenyi_cd(4, 14, level=0.90) == pytest.approx(1.12, abs=0.01)


def test_studentised_range_matches_the_published_table():
    # Demsar 2006, table 5(a), q at .05 for 2 to 10 methods
    published = [1.960, 2.343, 2.569, 2.728, 2.850, 2.949, 3.031, 3.102, 3.164]
    for k, q in zip(range(2, 11), published, strict=True):
        assert nemenyi_cd(k, 1) / np.sqrt(k * (k + 1) / 6) == pytest.approx(q, abs=1e-3)  # the paper cuts off


def test_friedman_says_why_it_is_undefined():
    assert "tied" in friedman(np.ones((4, 3))).reason
    assert "needs" in friedman(np.ones((1, 3))).reason
    assert "no complete" in friedman(np.full((3, 3), np.nan)).reason
    partly = friedman([[3.0, 2.0, 1.0], [3.0, np.nan, 1.0], [3.0, 2.0, 1.0]])
    assert (partly.n, partly.excluded) == (2, 1)
    assert partly.f_p == 0.0
    with pytest.raises(ConfigError, match="direction"):
        friedman(np.ones((3, 3)), direction="up")
    with pytest.raises(ConfigError, match="critical difference"):
        nemenyi_cd(1, 5)


def test_cliques_are_maximal_and_cover_what_is_close():
    rng = np.random.default_rng(1)
    for _ in range(50):
        ranks, cd = rng.uniform(1, 8, 8), rng.uniform(0.2, 3)
        groups = [set(g) for g in cliques(ranks, cd)]
        for g in groups:
            assert np.ptp(ranks[list(g)]) <= cd
            assert not any(g < other for other in groups)
        for i, j in itertools.combinations(range(8), 2):
            together = any({i, j} <= g for g in groups)
            assert together == (abs(ranks[i] - ranks[j]) <= cd)


def test_holm_by_definition():
    rng = np.random.default_rng(2)
    p = rng.uniform(0, 0.1, 9)
    order = np.argsort(p)
    running, expected = 0.0, np.empty(9)
    for step, i in enumerate(order):
        running = max(running, min(1.0, (9 - step) * p[i]))
        expected[i] = running
    np.testing.assert_allclose(holm(p), expected)
    with_gap = holm([0.01, np.nan, 0.02])
    np.testing.assert_allclose(with_gap[[0, 2]], [0.02, 0.02])
    assert np.isnan(with_gap[1])


def test_holm_rejects_what_its_steps_reject():
    rng = np.random.default_rng(0)
    for size in (1, 2, 7):
        p = np.round(rng.random(size) ** 3, 2)
        corrected = holm(p)
        for alpha in (0.01, 0.05, 0.2, 0.999):
            rejected = set()
            for step, i in enumerate(np.argsort(p, kind="stable")):
                if p[i] > alpha / (size - step):
                    break
                rejected.add(int(i))
            # at equality rounding decides; none of these p-values is that near
            assert {int(i) for i in np.flatnonzero(corrected <= alpha)} == rejected
    assert holm([0.9, 0.8]).tolist() == [1.0, 1.0]
