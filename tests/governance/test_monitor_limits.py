"""One limit for many charts: closed forms, simulation, and what phases I leave a deployment with."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest

from mlopsim.core.errors import ConfigError, DataError
from mlopsim.core.spec import make
from mlopsim.governance.monitoring import closed_forms as closed
from mlopsim.governance.monitoring.conditional import (
    Sample,
    conditional_shares,
    deployments,
    guaranteed,
    needed_values,
    telling_windows,
)
from mlopsim.governance.monitoring.in_control import Law, law, law_of
from mlopsim.governance.monitoring.limits import Limits, by_hand, conservative, simulated
from mlopsim.governance.monitoring.rates import Rate
from mlopsim.governance.monitoring.reference import Reference, estimated
from mlopsim.governance.monitoring.watch import served, watch

RATES = {"base": (0.5, 0.5), "recall": (0.8, 0.8), "false_positive_rate": (0.2, 0.2), "rows": (300, 200)}
FAIR = law(**RATES)
CORRELATED = law(**RATES, rho=0.005)
#: one group, so that its accuracy is one binomial number a window
ONE = law(base=(0.5,), recall=(0.9,), false_positive_rate=(0.1,), rows=(300,))
ACCURACY = make("monitor", "p_chart")


# -- closed forms, against sums in plain Python --


def beta_binomial(n: int, p: float, rho: float) -> list[float]:
    """The law by its own recursion in logarithms, from 0 successes on."""
    a, b = p * (1 - rho) / rho, (1 - p) * (1 - rho) / rho
    logs = [sum(math.log((b + i) / (a + b + i)) for i in range(n))]
    for k in range(n):
        logs.append(logs[-1] + math.log((n - k) / (k + 1) * (a + k) / (b + n - k - 1)))
    return [math.exp(v) for v in logs]


@pytest.mark.parametrize(
    ("n", "rho", "window", "deployment"),
    [(300, 0.002, 0.018, 0.60), (300, 0.005, 0.056, 0.94), (5000, 0.002, 0.37, 1.0)],
)
def test_a_binomial_chart_of_correlated_rows(n: int, rho: float, window: float, deployment: float) -> None:
    p = 0.1
    law_of_counts = beta_binomial(n, p, rho)
    outside = sum(m for k, m in enumerate(law_of_counts) if abs(k - n * p) > 3 * math.sqrt(n * p * (1 - p)))
    found = closed.chart_alarm(n, p, rho)
    assert found == pytest.approx(outside, rel=1e-9)
    assert found == pytest.approx(window, abs=0.005 if n > 1000 else 0.0005)
    assert closed.any_alarm(found, 50) == pytest.approx(1 - (1 - outside) ** 50, rel=1e-12)
    assert closed.any_alarm(found, 50) == pytest.approx(deployment, abs=0.005)


def test_sigma_z_is_the_standard_deviation_by_the_binomial_one() -> None:
    n, p, rho = 300, 0.1, 0.005
    law_of_counts = beta_binomial(n, p, rho)
    mean = sum(k * m for k, m in enumerate(law_of_counts))
    variance = sum((k - mean) ** 2 * m for k, m in enumerate(law_of_counts))
    assert closed.sigma_z(n, rho) == pytest.approx(math.sqrt(variance / (n * p * (1 - p))), rel=1e-9)
    assert closed.sigma_z(n, rho) == math.sqrt(1 + (n - 1) * rho)


def test_fourteen_charts() -> None:
    once = 1 - (1 - math.erfc(3 / math.sqrt(2))) ** 14
    assert closed.charts_alarm(14) == pytest.approx(once, rel=1e-9)
    assert (round(once, 3), round(1 / once), round(closed.any_alarm(once, 50), 2)) == (0.037, 27, 0.85)
    z = closed.conservative_z(0.05, 14, 50)
    # the normal tail by erfc, not by its inverse: no chart in no window alarms with 95 %
    assert (1 - math.erfc(z / math.sqrt(2))) ** 700 == pytest.approx(0.95, rel=1e-12)
    assert round(z, 2) == 3.97


@pytest.mark.parametrize(
    ("n", "above", "mean"), [(30, 0.37, 0.103), (100, 0.137, 0.056), (300, 0.013, 0.033)]
)
def test_sampling_noise_is_no_violation(n: int, above: float, mean: float) -> None:
    """A gap of two fair coins: K - K' + n is binomial with 2 n rows, in whole numbers."""
    chance = [Fraction(math.comb(2 * n, s), 4**n) for s in range(2 * n + 1)]
    over = sum(c for s, c in enumerate(chance) if 10 * abs(s - n) > n)
    size = sum(c * abs(s - n) for s, c in enumerate(chance)) / n
    found = closed.gap_noise(n, 0.5, 0.1)
    assert found == pytest.approx((float(over), float(size)), rel=1e-9)
    assert found[0] == pytest.approx(above, abs=0.005 if n == 30 else 0.0005)
    assert found[1] == pytest.approx(mean, abs=0.0005)


@pytest.mark.parametrize(
    "call",
    [
        lambda: closed.sigma_z(0, 0.1),
        lambda: closed.masses(10, 1.2),
        lambda: closed.masses(10, 0.2, 1.0),
        lambda: closed.conservative_z(0.0, 14, 50),
        lambda: closed.gap_noise(0, 0.5, 0.1),
    ],
)
def test_closed_forms_refuse_what_is_no_case(call: object) -> None:
    with pytest.raises(ConfigError):
        call()  # type: ignore[operator]


# -- limits --


def exact_share(limit: float, windows: int) -> float:
    """In how many deployments the accuracy chart of ONE alarms: the binomial law summed."""
    n, p = 300, 0.9
    sd = math.sqrt(p * (1 - p) / n)
    inside = sum(
        math.comb(n, k) * p**k * (1 - p) ** (n - k)
        for k in range(n + 1)
        if abs(k / n - p) / sd <= limit + 1e-9
    )
    return 1.0 - inside**windows


def test_a_simulated_limit_is_the_exact_one() -> None:
    found = simulated(ACCURACY, ONE, np.random.default_rng(0), windows=20, runs=20_000)
    own = float(found.each[0])
    assert found.value == 1.0
    # a score is discrete: the limit is the smallest that holds 5 %
    assert exact_share(own, 20) <= 0.05 + 0.0046 and exact_share(own - 1e-6, 20) > 0.05 - 0.0046
    assert exact_share(own - 0.2, 20) > 0.05 + 0.0046


def test_the_bank_holds_its_share_and_naive_limits_do_not() -> None:
    bank = make("monitor", "bank", runs=2000, horizon=20)
    rng = np.random.default_rng(1)
    shares = {}
    for name, told in (("binomial", FAIR), ("overdispersed", CORRELATED)):
        limits = bank.limits(told, rng)
        scores = bank.scores(told.draw(1000, 20, rng), told.reference())
        closed_form = conservative(bank, 2, windows=20)
        kinds = {"bank": limits, "naive": by_hand(bank, 2, 3.0, 20), "closed": closed_form}
        for kind, limit in kinds.items():
            shares[name, kind] = float((limit.position(scores) > 1.0).any(axis=1).mean())
    # three standard errors of 1,000 deployments and of a limit from 2,000
    error = 3 * math.sqrt(0.05 * 0.95 * (1 / 1000 + 1 / 2000))
    assert shares["binomial", "bank"] == pytest.approx(0.05, abs=error)
    assert shares["overdispersed", "bank"] == pytest.approx(0.05, abs=error)
    assert shares["binomial", "closed"] < 0.05 + error
    assert 0.25 < shares["binomial", "naive"] < closed.any_alarm(closed.charts_alarm(14), 20)
    # gaps know nothing of correlated rows
    assert shares["overdispersed", "naive"] > 0.7 and shares["overdispersed", "closed"] > 0.1


@pytest.mark.slow
@pytest.mark.parametrize("told", [FAIR, CORRELATED], ids=["binomial", "overdispersed"])
def test_two_thousand_deployments_at_five_percent(told: Law) -> None:
    bank = make("monitor", "bank", runs=40_000)
    limits = bank.limits(told, np.random.default_rng(2))
    scores = bank.scores(told.draw(2000, 50, np.random.default_rng(3)), told.reference())
    share = float((limits.position(scores) > 1.0).any(axis=1).mean())
    assert share == pytest.approx(0.05, abs=3 * math.sqrt(0.05 * 0.95 / 2000))


def test_unlike_charts_share_a_limit_evenly() -> None:
    bank = make(
        "monitor", "bank", monitors=["p_chart", "cusum", {"ewma": {"rate": "recall"}}], runs=4000, horizon=30
    )
    assert bank.remembers and not bank.is_normal
    rng = np.random.default_rng(4)
    limits = bank.limits(FAIR, rng)
    scores = bank.scores(FAIR.draw(1500, 30, rng), FAIR.reference())
    own = (limits.positions(scores) > 1.0).any(axis=2).mean(axis=0)
    together = (limits.position(scores) > 1.0).any(axis=1).mean()
    error = 3 * math.sqrt(0.05 * 0.95 * (1 / 1500 + 1 / 4000))
    assert together == pytest.approx(0.05, abs=error)
    assert own.max() - own.min() < 0.02 and own.max() < together < own.sum()
    with pytest.raises(ConfigError, match="no normal numbers"):
        conservative(bank, 2)


def test_a_limit_of_a_phase_holds_where_levels_are_estimated() -> None:
    chart = make("monitor", "p_chart", by="both")
    rng = np.random.default_rng(5)
    counts = FAIR.draw(3000, 5 + 30, rng)
    scores = chart.scores(counts[:, 5:], estimated(counts[:, :5]))
    told, learnt = (
        simulated(chart, FAIR, rng, windows=30, runs=4000, learn=learn).position(scores) for learn in (0, 5)
    )
    shares = [float((position > 1.0).any(axis=1).mean()) for position in (told, learnt)]
    error = 3 * math.sqrt(0.05 * 0.95 * (1 / 3000 + 1 / 4000))
    assert shares[0] > 0.05 + error and shares[1] == pytest.approx(0.05, abs=error)


def test_a_chart_without_rows_has_no_limit() -> None:
    empty = law(base=(0.0,), recall=(0.8,), false_positive_rate=(0.2,), rows=(50,))
    with pytest.raises(DataError, match="'recall' has no limit"):
        simulated(make("monitor", "p_chart", rate="recall"), empty, np.random.default_rng(0), runs=100)
    with pytest.raises(DataError, match="cannot show a rate"):
        simulated(ACCURACY, ONE, np.random.default_rng(0), runs=10)


# -- given what phase I has estimated --


def off(level: float) -> Reference:
    """An estimate of the accuracy of ONE."""
    cells = np.array([[level / 2, (1 - level) / 2], [(1 - level) / 2, level / 2]])
    return Reference(cells=cells[None, None, None], rho=np.zeros(1))


def test_a_conditional_share_is_the_exact_one() -> None:
    """The chart believes .91 where .9 is true: its alarms are a sum over the binomial law."""
    limits = by_hand(ACCURACY, 1, 3.0, 20)
    sd = math.sqrt(0.91 * 0.09 / 300)
    once = sum(
        math.comb(300, k) * 0.9**k * 0.1 ** (300 - k) for k in range(301) if abs(k / 300 - 0.91) / sd > 3.0
    )
    expected = 1 - (1 - once) ** 20
    rng = np.random.default_rng(6)
    whole = deployments(ONE, 2000, 20, rng)
    told = Limits(each=limits.each, value=1.0, alpha=0.05, windows=20, how="by hand")
    thinned = telling_windows(ACCURACY, told, ONE, 40_000, rng)
    assert thinned.counts.shape[1] < 40_000 / 3
    for sample in (whole, thinned):
        found = conditional_shares(ACCURACY, [limits, told], off(0.91), sample)
        assert found.shape == (2, 1) and found[0] == found[1]
        assert found[0, 0] == pytest.approx(expected, rel=5 / math.sqrt(40_000 * once))
    # what it would need to have 5 % only
    for sample in (whole, thinned):
        width = float(needed_values(ACCURACY, told, off(0.91), sample)[0]) * 3.0
        assert 3.0 < width < 4.6
        more = Limits(each=limits.each, value=width / 3.0, alpha=0.05, windows=20, how="by hand")
        share = conditional_shares(ACCURACY, [more], off(0.91), sample)[0, 0]
        assert share <= 0.05 + 1e-9


def test_a_chart_with_a_memory_is_judged_by_whole_deployments() -> None:
    cusum = make("monitor", "cusum")
    rng = np.random.default_rng(7)
    limits = simulated(cusum, ONE, rng, windows=20, runs=4000)
    sample = deployments(ONE, 4000, 20, rng)
    right, wrong = (conditional_shares(cusum, [limits], off(p), sample)[0, 0] for p in (0.9, 0.915))
    assert right == pytest.approx(0.05, abs=0.015) and wrong > 3 * right
    value = needed_values(cusum, limits, off(0.915), sample)[0]
    assert value > limits.value
    with pytest.raises(DataError, match="remembers"):
        conditional_shares(cusum, [limits], off(0.9), deployments(ONE, 10, 30, rng))
    with pytest.raises(DataError, match="remembers"):
        telling_windows(cusum, limits, ONE, 100, rng)


def test_a_guaranteed_limit_holds_in_nine_phases_of_ten() -> None:
    """Phases of five windows: told limits exceed 5 % in half of them or more, guaranteed ones in a tenth."""
    rng = np.random.default_rng(8)
    limits = simulated(ACCURACY, ONE, rng, windows=20, runs=4000)
    phases = estimated(ONE.draw(40, 5, rng))
    sample = telling_windows(ACCURACY, limits, ONE, 40_000, rng)
    plain = conditional_shares(ACCURACY, [limits], phases, sample)[0]
    held = []
    for i in range(40):
        own = guaranteed(ACCURACY, limits, phases.one(i), ONE.rows, rng, bootstraps=40, sample=10_000)
        assert own.value > limits.value and own.how == "guaranteed"
        held.append(conditional_shares(ACCURACY, [own], phases.one(i), sample)[0, 0])
    # 1 in 10 is promised; three standard errors of 40
    most = 0.1 + 3 * math.sqrt(0.09 / 40)
    assert (np.array(held) > 0.05).mean() <= most < (plain > 0.05).mean()
    with pytest.raises(DataError, match="needs no guarantee"):
        guaranteed(ACCURACY, limits, ONE.reference(), ONE.rows, rng)


def test_weights_leave_tails_as_they_are() -> None:
    position = np.array([[0.5, 2.0, 1.0, np.nan, 1.5]])
    counts, weights = np.zeros((1, 5, 1, 2, 2), dtype=int), np.array([4.0, 1.0, 2.0, 1.0, 2.0])
    sample = Sample(counts=counts, weights=weights, drawn=10)
    assert sample.above(position > 1.0) == pytest.approx(0.3)
    # a tenth is above 1.5, three tenths above 1
    assert [sample.tail(position, level) for level in (0.1, 0.2, 0.3, 0.5)] == [2.0, 1.5, 1.5, 1.0]


# -- laws in control --


def test_a_law_draws_what_it_says() -> None:
    counts = CORRELATED.draw(1, 20_000, np.random.default_rng(9))[0]
    assert (counts.sum(axis=(2, 3)) == CORRELATED.rows).all()
    share = counts.mean(axis=0) / CORRELATED.rows[:, None, None]
    assert np.allclose(share, CORRELATED.cells, atol=0.004)
    again = law_of(CORRELATED.reference(), CORRELATED.rows)
    assert np.allclose(again.cells, CORRELATED.cells) and again.rho == CORRELATED.rho
    assert np.array_equal(again.draw(1, 3, np.random.default_rng(0)).shape, (1, 3, 2, 2, 2))


@pytest.mark.parametrize(
    "change",
    [{"rho": 0.6}, {"rows": np.array([1])}, {"cells": FAIR.cells * 2}, {"rows": np.array([1.5, 2.0])}],
)
def test_a_law_that_is_none_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(DataError):
        Law(**{"cells": FAIR.cells, "rows": FAIR.rows, "rho": 0.0, **change})


# -- the bank, and alarms in time --


@pytest.mark.parametrize(
    ("monitors", "message"),
    [([], "no monitors"), (["bank"], "holds a bank"), (["p_chart", {"p_chart": {}}], "twice")],
)
def test_a_bank_that_cannot_be(monitors: list[object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        make("monitor", "bank", monitors=monitors).charts(("a", "b"))


def test_a_conservative_bank_needs_no_simulation() -> None:
    limits = make("monitor", "bank", limit="conservative").limits(FAIR, np.random.default_rng(0))
    assert limits.each == pytest.approx(np.full(14, closed.conservative_z(0.05, 14, 50)))
    assert limits.how == "conservative"


def test_labels_that_are_late_delay_what_takes_labels_and_nothing_else() -> None:
    bank = make("monitor", "bank", monitors=[{"p_chart": {"rate": "acceptance"}}, "p_chart"])
    broken = law(base=(0.5, 0.5), recall=(0.2, 0.2), false_positive_rate=(0.2, 0.2), rows=(300, 200))
    rng = np.random.default_rng(10)
    counts = np.concatenate([FAIR.draw(3, 4, rng), broken.draw(3, 6, rng)], axis=1)
    known, limits = FAIR.reference(), by_hand(bank, 2, 4.0, 10)
    at_once, late = (watch(bank, counts, known, limits, delay=d) for d in (0, 3))
    assert np.array_equal(late.scores[:, 0], at_once.scores[:, 0])
    assert np.array_equal(late.scores[:, 1, 3:], at_once.scores[:, 1, :-3])
    assert np.isnan(late.scores[:, 1, :3]).all()
    assert at_once.first.tolist() == late.first.tolist() == [4, 4, 4]
    only = make("monitor", "p_chart")
    waits = watch(only, counts, known, by_hand(only, 2, 4.0, 10), delay=3)
    assert waits.first.tolist() == [7, 7, 7] and (waits.leader[:, :3] == -1).all()
    assert waits.reasons == ["accuracy: nothing said in 9 of 30 windows: labels are 3 windows late"]
    assert late.reasons[0] == ""
    assert not watch(only, counts, known, by_hand(only, 2, 4.0, 10), delay=20).alarms.any()
    with pytest.raises(DataError, match="late"):
        watch(only, counts, known, limits, delay=-1)
    with pytest.raises(DataError, match="limits of 2"):
        watch(only, counts, known, limits)


def test_what_served_is_looked_up() -> None:
    counts = np.random.default_rng(11).integers(0, 9, (4, 3, 2, 2, 2)).astype(np.uint16)
    versions = np.array([[0, 1, 3], [2, 2, 2]])
    found = served(counts, versions)
    assert all(np.array_equal(found[n, t], counts[versions[n, t], t]) for n in range(2) for t in range(3))
    assert np.divide(*Rate.ACCURACY.counted(found)).shape == (2, 3, 2)
    with pytest.raises(DataError, match=r"versions are 0\.\.3"):
        served(counts, np.array([[0, 1, 4]]))
    with pytest.raises(DataError, match="do not fit"):
        served(counts, np.array([[0, 1]]))
