"""P-values that are said to be exactly uniform are: by enumeration and by simulation. Intervals of gaps."""

from __future__ import annotations

import numpy as np
import pytest
from audit_cases import SINGLE, rng
from scipy.stats import hypergeom, kstest

from mlopsim.core.spec import make
from mlopsim.fairness import made_up_evidence as probes
from mlopsim.fairness.closed_forms import four_fifths_false_block
from mlopsim.fairness.rates import compare, gap_interval

EXACT = [name for name in SINGLE if make("audit", name).exact]
#: points at which the randomisation is looked at, the middles of equal steps
U = (np.arange(4000) + 0.5) / 4000


def test_enough_audits_are_exact() -> None:
    assert {"demographic_parity", "equal_opportunity", "equalised_odds", "calibration_gap"} <= set(EXACT)


@pytest.mark.parametrize(("n", "rest", "hits"), [(8, 7, 5), (6, 12, 9), (5, 5, 1), (20, 30, 25)])
def test_p_values_are_uniform_over_all_outcomes(n: int, rest: int, hits: int) -> None:
    possible = np.arange(max(0, hits - rest), min(n, hits) + 1)
    chance = hypergeom.pmf(possible, n + rest, hits, n)
    p = np.array(
        [
            compare(np.tile([k, hits - k], (len(U), 1)), np.tile([n, rest], (len(U), 1)), U).p
            for k in possible.tolist()
        ]
    )
    for alpha in (0.001, 0.01, 0.05, 0.2, 0.5, 0.9):
        # of each outcome the share of the randomisation is known to one step at either end
        assert float(chance @ (p <= alpha).mean(axis=1)) == pytest.approx(alpha, abs=2.0 / len(U))
    # whichever group is the first
    one = compare(np.tile([possible[0], hits - possible[0]], (1, 1)), np.array([[n, rest]]), U[:1]).p
    other = compare(np.tile([hits - possible[0], possible[0]], (1, 1)), np.array([[rest, n]]), U[:1]).p
    assert one == pytest.approx(other, rel=1e-9)


@pytest.mark.parametrize("name", EXACT)
def test_p_values_are_uniform_where_groups_are_treated_equally(name: str) -> None:
    evidence = probes.sample(seed=21, windows=3000, per_group=60)
    found = make("audit", name).examine(evidence, rng(5))
    assert found.p is not None
    p = found.p[~np.isnan(found.p)]
    assert len(p) > 2900
    assert kstest(p, "uniform").pvalue > 1e-3
    np.testing.assert_allclose(found.score, -np.log10(found.p), rtol=1e-12)


@pytest.mark.parametrize("name", EXACT)
def test_with_four_groups_p_values_are_not_too_small(name: str) -> None:
    evidence = probes.sample(seed=22, windows=1500, per_group=60, groups=4)
    p = make("audit", name).examine(evidence, rng(6)).p
    assert p is not None
    for alpha in (0.01, 0.05, 0.2):
        assert (p <= alpha).mean() <= alpha + 4.0 * np.sqrt(alpha * (1.0 - alpha) / len(p))


@pytest.mark.parametrize(
    ("counts", "low", "high"),
    [((56, 70, 48, 80), 0.0524, 0.3339), ((9, 10, 3, 10), 0.1705, 0.8090), ((10, 10, 0, 10), 0.6075, 1.0)],
)
def test_intervals_of_gaps_are_newcombes(counts: tuple[int, int, int, int], low: float, high: float) -> None:
    found = gap_interval(*counts)
    assert (round(found.low, 4), round(found.high, 4)) == (low, high)
    one, n, other, rest = counts
    mirrored = gap_interval(other, rest, one, n)
    assert (mirrored.low, mirrored.high) == pytest.approx((-found.high, -found.low))


def test_how_often_the_four_fifths_rule_blocks_a_fair_model() -> None:
    once, year = four_fifths_false_block(100, 0.3), four_fifths_false_block(100, 0.3, 12)
    assert (round(once, 3), round(year, 3)) == (0.299, 0.986)
    k = rng(4).binomial(100, 0.3, size=(20_000, 2))
    blocked = k.min(axis=1) < 0.8 * k.max(axis=1)
    assert blocked.mean() == pytest.approx(once, abs=4.0 * np.sqrt(0.21 / 20_000))
    assert blocked[: 12 * 1600].reshape(1600, 12).any(axis=1).mean() == pytest.approx(year, abs=0.012)
