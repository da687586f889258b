"""Limits by the rate of alarms with resets: closed forms, lattices, what cannot be reached."""

from __future__ import annotations

import math
from statistics import NormalDist

import numpy as np

from mlopsim import make
from mlopsim.drift.alarm_rate import counted, hazard_at_the_end, match_rates, rate_per_1000
from mlopsim.drift.calibration import target_share
from mlopsim.drift.law import Bernoulli, Normal


def seeds(n: int) -> list[np.random.SeedSequence]:
    return [np.random.SeedSequence([5, i]) for i in range(n)]


def test_the_rate_of_a_memoryless_chart_is_its_tail() -> None:
    chart = make("detector", "shewhart", told="p0", mean=0.0, sd=1.0, side="up")
    signals = Normal().sample(np.random.default_rng(1), (40, 5000))
    targets = [25.0, 10.0, 2.5]
    for found, target in zip(match_rates(chart, signals, targets, seeds(40)), targets, strict=True):
        exact = NormalDist().inv_cdf(1.0 - target / 5000)
        # three standard errors of a count, in units of the limit
        error = 3.0 / math.sqrt(40 * target) / exact
        assert found.reason == "" and abs(found.threshold - exact) < error + 0.02
        limits = (found.threshold, found.lower)
        counts = [np.mean([counted(chart.limited(h), s) for s in signals]) for h in limits]
        assert abs((1 - found.weight) * counts[0] + found.weight * counts[1] - target) < 1e-9


def test_a_lattice_and_a_score_that_depends_on_its_limit() -> None:
    law = Bernoulli(p=0.2)
    signals = law.sample(np.random.default_rng(2), (30, 4000))
    for name, params in (("bernoulli_cusum", {"p0": 0.2, "p1": 0.4}), ("hddm_w", {}), ("stepd", {})):
        detector = make("detector", name, **params)
        (found,) = match_rates(detector, signals, [1.0], seeds(30))
        limits = (found.threshold, found.lower)
        rates = [np.mean([counted(detector.limited(h), s) for s in signals]) for h in limits]
        assert rates[0] <= 1.0 < rates[1]
        assert abs((1 - found.weight) * rates[0] + found.weight * rates[1] - 1.0) < 1e-9


def test_what_no_limit_gives_says_so() -> None:
    """DDM that meets no error while it warms up alarms at the next one, whatever its level."""
    signals = Bernoulli(p=0.01).sample(np.random.default_rng(3), (20, 3000))
    (found,) = match_rates(make("detector", "ddm"), signals, [0.5], seeds(20))
    assert math.isnan(found.threshold) and "0.5 are asked" in found.reason


def test_equal_first_alarms_are_no_equal_rates() -> None:
    """A detector that is nervous after each reset alarms more often in the long run than one that is not."""
    law, horizon = Bernoulli(p=0.2), 500
    target = target_share(2000, horizon)
    from mlopsim.drift.calibration import calibrate

    short = law.sample(np.random.default_rng(4), (300, horizon))
    long = law.sample(np.random.default_rng(5), (60, 5000))
    rates = {}
    for name in ("ddm", "fhddm"):
        detector = make("detector", name)
        limit = calibrate(detector, short, target, seeds(300))
        own = detector.limited(limit.threshold)
        rates[name] = rate_per_1000(np.array([counted(own, s) for s in long], dtype=np.float64), 5000)
    # 0.5 in 1,000 is what the memoryless detector of that chance has
    assert rates["ddm"].high < 0.5 and rates["ddm"].high < rates["fhddm"].low


def test_rates_and_hazards_have_intervals() -> None:
    counts = np.random.default_rng(6).poisson(1.0, 200).astype(np.float64)
    found = rate_per_1000(counts, 10_000)
    assert found.n == 200 and found.low < 0.1 < found.high and found.high - found.low < 0.05
    first = np.random.default_rng(7).geometric(1 / 400, 5000).astype(np.float64)
    hazard = hazard_at_the_end(first, 1000)
    assert hazard.low < -math.expm1(-200 / 400) < hazard.high
    assert hazard_at_the_end(np.ones(5), 100).reason
