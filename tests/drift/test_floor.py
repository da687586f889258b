"""Delays of optimal procedures against published values, closed forms and the package's detectors."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from mlopsim.core.errors import ConfigError
from mlopsim.drift.law import Bernoulli, Normal
from mlopsim.drift.run_length.chains import chains
from mlopsim.drift.run_length.exact import limit_for, make_chart, run_length
from mlopsim.drift.run_length.floor import (
    _stationary,
    cusum_reference,
    delay_at,
    floor_delay,
    shiryaev_roberts_reference,
    steady_state_delay,
)


def overshoot(shift: float) -> float:
    """Limit of A / ARL0: Siegmund 1985, equation 4.37 with drift shift^2 / 2."""
    from scipy.stats import norm

    n = np.arange(1, 200_000)
    total = float((norm.cdf(-0.5 * shift * np.sqrt(n)) / n).sum())
    return 2.0 / shift**2 * math.exp(-2.0 * total)


#: Crosier 1986, table 5: two-sided CUSUM, k = 0.5, h = 4, by Markov chains of few states
CROSIER = {
    0.0: 163.0,
    0.25: 71.6,
    0.5: 25.2,
    0.75: 12.3,
    1.0: 7.68,
    1.5: 4.31,
    2.0: 3.03,
    3.0: 2.0,
    5.0: 1.22,
}


@pytest.mark.parametrize(("shift", "published"), CROSIER.items())
def test_published_steady_state_delays(shift: float, published: float) -> None:
    chart = make_chart("cusum", k=0.5, h=4.0)
    assert steady_state_delay(chart, Normal(), shift) == pytest.approx(published, rel=0.0065)


@pytest.mark.parametrize("shift", [0.5, 1.0, 2.0])
def test_the_limit_of_shiryaev_roberts_over_its_run_length(shift: float) -> None:
    found = shiryaev_roberts_reference(Normal(), Normal(mean=shift), 1e5)
    assert math.exp(found.limit) / found.arl0 == pytest.approx(overshoot(shift), rel=3e-4)


@pytest.mark.parametrize("shift", [0.1, 0.5, 1.0])
def test_each_procedure_is_best_at_what_it_is_optimal_for(shift: float) -> None:
    before, after = Normal(), Normal(mean=shift)
    cusum, sr = (f(before, after, 1000.0) for f in (cusum_reference, shiryaev_roberts_reference))
    assert cusum.arl0 == pytest.approx(1000.0, rel=1e-6) and sr.arl0 == pytest.approx(1000.0, rel=1e-6)
    assert cusum.zero_state < sr.zero_state
    assert sr.stationary < cusum.stationary and sr.steady_state < cusum.steady_state
    assert floor_delay(before, after, 1000.0) == cusum.zero_state
    # a chart for another shift is no better at either
    other: Any = make_chart("cusum", k=0.35 * shift, side="up")
    other = other.limited(limit_for(other, Normal(), 1000.0))
    assert _stationary(*chains(other, Normal(), [0.0, shift])) > sr.stationary
    assert delay_at(other, Normal(), shift, 0) > cusum.zero_state


def test_the_same_for_errors() -> None:
    before, after = Bernoulli(p=0.1), Bernoulli(p=0.3)
    cusum, sr = (f(before, after, 500.0) for f in (cusum_reference, shiryaev_roberts_reference))
    assert cusum.arl0 == pytest.approx(500.0) and sr.arl0 == pytest.approx(500.0, rel=1e-6)
    assert cusum.zero_state < sr.zero_state and sr.stationary < cusum.stationary
    assert cusum.error == 0.0 and sr.error < 1e-3
    mirrored = cusum_reference(Bernoulli(p=0.9), Bernoulli(p=0.7), 500.0)
    assert mirrored.steady_state == pytest.approx(cusum.steady_state, rel=1e-9)


def test_delays_settle_with_the_time_of_the_change() -> None:
    for name, params, law, shift in (
        ("cusum", {"side": "up"}, Normal(), 0.7),
        ("cusum", {}, Normal(), 0.7),
        ("ewma", {}, Normal(), 0.7),
        ("shiryaev_roberts", {}, Normal(), 0.7),
        ("bernoulli_cusum", {"p0": 0.1, "p1": 0.2}, Bernoulli(p=0.1), 0.1),
    ):
        chart = make_chart(name, **params)  # type: ignore[arg-type]
        steady = steady_state_delay(chart, law, shift)
        assert delay_at(chart, law, shift, 10_000) == pytest.approx(steady, rel=1e-8)
        assert delay_at(chart, law, shift, 0) == pytest.approx(run_length(chart, law, shift).mean, rel=1e-9)
    # no memory: the same at all times
    chart = make_chart("shewhart", side="up")
    found = {round(delay_at(chart, Normal(), 1.0, tau), 9) for tau in (0, 3, 100)}
    assert found == {round(steady_state_delay(chart, Normal(), 1.0), 9)}


@pytest.mark.parametrize(
    ("name", "params", "law", "shift"),
    [
        ("cusum", {"h": 4.0, "side": "up"}, Normal(mean=1.0, sd=2.0), 1.0),
        ("cusum", {"h": 3.5}, Normal(), 0.7),
        ("shiryaev_roberts", {"h": 5.0}, Normal(), 1.0),
        ("bernoulli_cusum", {"p0": 0.1, "p1": 0.3, "h": 3.4}, Bernoulli(p=0.1), 0.2),
    ],
)
@pytest.mark.parametrize("tau", [3, 60])
def test_the_detectors_delays_agree(name: str, params: Any, law: Any, shift: float, tau: int) -> None:
    chart: Any = make_chart(name, **params)
    told = chart.informed(law) if name == "cusum" else chart
    rng = np.random.default_rng([7, tau])
    delays = []
    for _ in range(6000):
        signal = np.concatenate([law.sample(rng, tau), law.shifted(shift).sample(rng, 400)])
        first = told.alarms(signal)[0] + 1
        if first > tau:
            delays.append(first - tau)
    error = np.std(delays) / math.sqrt(len(delays))
    assert abs(np.mean(delays) - delay_at(chart, law, shift, tau)) < 3.5 * error


@pytest.mark.parametrize("after", [Bernoulli(p=0.3), Bernoulli(p=0.2)])
def test_shiryaev_roberts_of_errors_against_simulation(after: Bernoulli) -> None:
    before = Bernoulli(p=0.1)
    found = shiryaev_roberts_reference(before, after, 300.0)
    wrong, right = after.p / before.p, (1.0 - after.p) / (1.0 - before.p)
    rng = np.random.default_rng(3)

    def delays(law: Bernoulli, start: np.ndarray) -> np.ndarray:
        r, alive, run = start.copy(), np.ones(len(start), dtype=bool), np.zeros(len(start))
        while alive.any():
            run[alive] += 1
            ratio = np.where(rng.random(int(alive.sum())) < law.p, wrong, right)
            r[alive] = (1.0 + r[alive]) * ratio
            alive &= r <= math.exp(found.limit)
        return run

    for law, exact in ((before, found.arl0), (after, found.zero_state)):
        runs = delays(law, np.zeros(20_000))
        assert abs(runs.mean() - exact) < 3.5 * runs.std() / math.sqrt(len(runs))
    # the long run: 200 unchanged ticks without an alarm
    r = np.zeros(40_000)
    for _ in range(200):
        r = (1.0 + r) * np.where(rng.random(len(r)) < before.p, wrong, right)
        r = r[r <= math.exp(found.limit)]
    runs = delays(after, r)
    assert abs(runs.mean() - found.steady_state) < 3.5 * runs.std() / math.sqrt(len(runs))


def test_bad_laws_are_refused() -> None:
    for before, after in (
        (Normal(), Bernoulli(p=0.2)),
        (Normal(), Normal()),
        (Normal(), Normal(sd=2.0)),
        (Bernoulli(p=0.2), Bernoulli(p=0.2)),
        (Bernoulli(p=0.0), Bernoulli(p=0.2)),
    ):
        with pytest.raises(ConfigError, match="two normal laws"):
            cusum_reference(before, after, 100.0)
    with pytest.raises(ConfigError, match="no exact run length"):
        steady_state_delay(make_chart("p_chart"), Bernoulli(p=0.1), 0.1)
