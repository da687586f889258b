"""Limits by the run-length law: closed forms, lattices, what cannot be reached."""

import itertools
import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pytest

from mlopsim import make
from mlopsim.core.errors import ConfigError
from mlopsim.drift.calibration import (
    Tried,
    attained,
    boundary,
    calibrate,
    calibrate_all,
    first_alarms,
    halve,
    target_share,
)
from mlopsim.drift.detector import Detector
from mlopsim.drift.law import Bernoulli, Normal
from mlopsim.drift.signal import Known


def seeds(n, salt=0):
    return [np.random.SeedSequence([7, salt, i]) for i in range(n)]


@dataclass(kw_only=True)
class Plain(Detector):
    """The tick itself is the score."""

    full_name: ClassVar[str] = "detector/plain"
    limit: ClassVar[str] = "h"
    h: float = 1.0

    def restart(self):
        self.count = 0

    def tick(self, x):
        self.count += 1
        return x


@dataclass(kw_only=True)
class Bound(Plain):
    """The same, but said to depend on its limit."""

    full_name: ClassVar[str] = "detector/bound"
    separable: ClassVar[bool] = False


def test_the_limit_of_a_memoryless_chart_is_the_closed_form():
    """max of H normal ticks <= c with probability Phi(c)^H."""
    from scipy.stats import norm

    horizon, m = 50, 20_000
    target = target_share(200, horizon)
    signals = Normal().sample(np.random.default_rng(1), (m, horizon))
    exact = norm.ppf((1 - target) ** (1 / horizon))
    found = calibrate(Plain(), signals, target, seeds(m))
    # three standard errors of an empirical quantile
    density = horizon * norm.cdf(exact) ** (horizon - 1) * norm.pdf(exact)
    assert abs(found.threshold - exact) < 3 * math.sqrt(target * (1 - target) / m) / density
    assert found.reason == ""


def test_a_score_that_depends_on_its_limit_is_searched_to_the_same_limit():
    signals = Normal().sample(np.random.default_rng(2), (300, 40))
    target = target_share(100, 40)
    free, searched = (calibrate(d, signals, target, seeds(300)) for d in (Plain(), Bound()))
    for h in (searched.threshold, searched.lower):
        assert abs(h - free.threshold) < 0.05
    shares = [np.mean(signals.max(axis=1) > h) for h in (searched.threshold, searched.lower)]
    weight = searched.weight
    assert (1 - weight) * shares[0] + weight * shares[1] == pytest.approx(target)


def test_a_lattice_is_randomised_to_the_exact_share():
    maxima = np.repeat([1.0, 2.0, 3.0, 4.0], [40, 30, 20, 10])
    for target in (0.05, 0.1, 0.25, 0.3, 0.55, 0.95):
        b = boundary(maxima, target)
        share = (1 - b.weight) * np.mean(maxima > b.threshold) + b.weight * np.mean(maxima > b.lower)
        assert share == pytest.approx(target)
        draws = np.array([b.draw(np.random.default_rng(i)) for i in range(2000)])
        assert abs(np.mean(draws == b.lower) - b.weight) < 0.05


def test_a_calibrated_cusum_keeps_its_promise_on_fresh_signals():
    horizon, target = 400, target_share(1000, 400)
    chart = make("detector", "cusum", told="p0", mean=0.2, sd=0.4, side="up")
    assert chart.known is Known.P0
    law = Bernoulli(p=0.2)
    found = calibrate(chart, law.sample(np.random.default_rng(3), (2000, horizon)), target, seeds(2000))
    fresh = law.sample(np.random.default_rng(4), (2000, horizon))
    first = np.concatenate(
        [
            first_alarms(chart.limited(found.draw(np.random.default_rng(i))), [signal])
            for i, signal in enumerate(fresh)
        ]
    )
    result = attained(first, horizon, level=0.999)
    assert result.share.low <= target <= result.share.high
    assert result.share.n == 2000
    assert result.censored == pytest.approx(1 - result.share.value)
    assert result.restricted_mean <= horizon


def test_what_cannot_be_reached_says_why():
    infinite = boundary(np.array([1.0, np.inf, np.inf]), 0.5)
    assert math.isnan(infinite.threshold) and "infinite in 66.7%" in infinite.reason
    silent = boundary(np.array([-np.inf, -np.inf, 1.0]), 0.5)
    assert math.isnan(silent.threshold) and "defined in only 33.3%" in silent.reason


def test_bad_requests():
    with pytest.raises(ConfigError, match="as many seeds"):
        calibrate(Plain(), np.zeros((3, 5)), 0.5, seeds(2))
    with pytest.raises(ConfigError, match="arl0"):
        target_share(0.0, 10)


DEPENDENT = [("hddm_a", "up"), ("hddm_a", "both"), ("hddm_w", "down"), ("hddm_w", "both")]


@pytest.mark.parametrize(("name", "side"), DEPENDENT)
def test_an_answer_holds_between_the_limits_that_it_names(name, side):
    rng = np.random.default_rng(11)
    signals = [(rng.random(n) < p).astype(float) for p in (0.0, 0.1, 0.5) for n in (1, 40, 300)] * 3
    signals += [np.repeat([0.0, 1.0, 0.0], 50), np.zeros(0)]
    wide = 0
    for signal in signals:
        for limit in rng.uniform(0.0, 9.0, 6):
            limited = make("detector", name, side=side).limited(limit)
            alarm, low, high = limited.certain(signal)
            assert low <= limited.threshold <= high
            top = min(high, 60.0)
            for other in (limited.threshold, low, top, *rng.uniform(low, top, 4)):
                assert (len(limited.limited(other).alarms(signal)) > 0) == alarm
            wide += top - low > 0.01
    assert wide > len(signals)


def every_signal(detector, signals):
    """Return the share with an alarm at a threshold, all signals read."""

    class Tried:
        count = len(signals)

        def share(self, threshold):
            return float(np.isfinite(first_alarms(detector.limited(threshold), signals)).mean())

    tried = Tried()
    tried.detector = detector
    return tried


@pytest.mark.parametrize(("name", "side"), DEPENDENT)
def test_what_is_not_read_again_changes_no_limit(name, side):
    detector = make("detector", name, side=side)
    signals = Bernoulli(p=0.2).sample(np.random.default_rng(12), (60, 400))
    targets = [target_share(arl0, 400) for arl0 in (400, 1000, 4000)]
    wanted = [halve(every_signal(detector, signals), target) for target in targets]
    tried = Tried(detector, signals, seeds(60))
    assert [halve(tried, target) for target in targets] == wanted
    assert tried.reads < 25 * len(signals)
    assert calibrate_all(detector, signals, targets, seeds(60)) == wanted


def test_a_lower_limit_of_hddm_a_may_mean_fewer_alarms():
    """Why nothing may be taken to be monotone in the search."""
    rng = np.random.default_rng(5)
    for signal in (rng.random((200, 2500)) < 0.2).astype(float):
        found = [make("detector", "hddm_a").limited(t).certain(signal)[0] for t in np.linspace(1.0, 9.0, 30)]
        if any(later and not now for now, later in itertools.pairwise(found)):
            return
    raise AssertionError("none of 200 signals: then the search may be shorter still")


@dataclass(kw_only=True)
class Ended(Bound):
    """Its limit lies above 0.9, so that steps of a search fall out of range."""

    full_name: ClassVar[str] = "detector/ended"
    h: float = 4.0

    def __post_init__(self):
        if self.h <= 0.9:
            raise ConfigError("detector/ended.h must be above 0.9")


def test_a_search_goes_to_the_very_end_of_a_range():
    signals = Normal().sample(np.random.default_rng(5), (400, 5))
    # limits near .95 are wanted; a doubled step from 4 goes past the end
    target = float(np.mean(signals.max(axis=1) > 0.95))
    found = calibrate(Ended(), signals, target, seeds(400))
    assert found.reason == "" and found.threshold == pytest.approx(0.95, abs=0.02)
    beyond = float(np.mean(signals.max(axis=1) > 0.5))
    found = calibrate(Ended(), signals, beyond, seeds(400))
    assert "at its lowest limit only" in found.reason
