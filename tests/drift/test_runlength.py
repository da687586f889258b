"""Run lengths against published tables, closed forms and the detectors' own simulated ones."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from mlopsim.core.errors import ConfigError
from mlopsim.core.spec import make
from mlopsim.drift.law import Bernoulli, Normal
from mlopsim.drift.run_length.chains import walk
from mlopsim.drift.run_length.exact import limit_for, make_chart, run_length
from mlopsim.drift.run_length.floor import floor_delay

#: Lucas and Crosier 1982; Montgomery; Lucas and Saccucci 1990
PUBLISHED: list[tuple[str, dict[str, Any], float, float]] = [
    ("cusum", {"k": 0.5, "h": 4.0}, 0.0, 168.0),
    ("cusum", {"k": 0.5, "h": 4.0}, 0.5, 26.6),
    ("cusum", {"k": 0.5, "h": 4.0}, 1.0, 8.38),
    ("cusum", {"k": 0.5, "h": 4.0}, 2.0, 3.34),
    ("cusum", {"k": 0.5, "h": 5.0}, 0.0, 465.0),
    ("shewhart", {"width": 3.0}, 0.0, 370.40),
    ("shewhart", {"width": 3.0}, 1.0, 43.89),
    ("shewhart", {"width": 3.0}, 2.0, 6.30),
    ("ewma", {"lam": 0.5, "width": 3.071}, 0.0, 500.0),
    ("ewma", {"lam": 0.5, "width": 3.071}, 0.25, 255.0),
    ("ewma", {"lam": 0.5, "width": 3.071}, 0.5, 88.8),
    ("ewma", {"lam": 0.5, "width": 3.071}, 1.0, 17.5),
]


@pytest.mark.parametrize(("name", "params", "shift", "published"), PUBLISHED)
def test_published_run_lengths(name: str, params: dict[str, Any], shift: float, published: float) -> None:
    assert run_length(make_chart(name, **params), Normal(), shift).mean == pytest.approx(published, rel=0.005)


def test_published_bernoulli_cusum() -> None:
    assert walk(6, 1, 30, 0.1).mean == pytest.approx(923.11, rel=1e-4)
    assert walk(6, 1, 30, 0.2).mean == pytest.approx(60.64, rel=1e-3)


CASES: list[tuple[str, dict[str, Any], Any, float]] = [
    ("shewhart", {"width": 2.5, "side": "up"}, Normal(), 0.3),
    ("cusum", {"k": 0.5, "h": 3.0}, Normal(), 0.0),
    ("cusum", {"k": 0.25, "h": 4.0, "side": "up"}, Normal(), 0.2),
    ("cusum", {"k": 0.25, "h": 4.0, "side": "down"}, Normal(), -0.5),
    ("ewma", {"lam": 0.2, "width": 2.5}, Normal(), 0.0),
    ("ewma", {"lam": 0.2, "width": 2.0, "side": "up"}, Normal(), 0.3),
    ("shiryaev_roberts", {"h": 5.0}, Normal(), 0.0),
    ("shiryaev_roberts", {"h": 4.0, "shift": -0.5}, Normal(), -0.5),
    ("p_chart", {"size": 20, "width": 2.0}, Bernoulli(p=0.2), 0.0),
    ("p_chart", {"size": 20, "width": 2.0, "side": "up"}, Bernoulli(p=0.2), 0.1),
    ("bernoulli_cusum", {"p0": 0.1, "p1": 0.3, "h": 3.0}, Bernoulli(p=0.1), 0.0),
    ("bernoulli_cusum", {"p0": 0.1, "p1": 0.3, "h": 3.0}, Bernoulli(p=0.1), 0.2),
    ("bernoulli_cusum", {"p0": 0.3, "p1": 0.1, "h": 3.0}, Bernoulli(p=0.3), 0.0),
]


@pytest.mark.parametrize(("name", "params", "law", "shift"), CASES)
def test_the_detectors_simulated_run_lengths_agree(name: str, params: Any, law: Any, shift: float) -> None:
    chart: Any = make_chart(name, **params)
    exact = run_length(chart, law, shift)
    told = chart
    if name != "shiryaev_roberts":
        told = chart.informed(law, Bernoulli(p=params["p1"]) if "p1" in params else None)
    rng = np.random.default_rng(5)
    ticks = int(exact.quantile(0.9999)) + 50
    first = []
    for _ in range(4000):
        alarms = told.alarms(law.shifted(shift).sample(rng, ticks))
        first.append(alarms[0] + 1 if len(alarms) else ticks)
    runs = np.array(first, dtype=np.float64)
    assert abs(runs.mean() - exact.mean) < 4.0 * runs.std() / math.sqrt(len(runs))
    for n in (int(exact.quantile(0.2)), int(exact.quantile(0.5)), int(exact.quantile(0.9))):
        share = exact.within(n)
        assert abs(np.mean(runs <= n) - share) < 4.0 * math.sqrt(share * (1 - share) / len(runs)) + 1e-3


def test_the_question_of_1000_samples() -> None:
    # textbook CUSUM k = .5, h = 5 on 1000 samples
    assert run_length(make_chart("cusum", k=0.5, h=5.0), Normal()).within(1000) == pytest.approx(
        0.885, abs=0.005
    )


@pytest.mark.parametrize("name", ["shewhart", "cusum", "ewma"])
@pytest.mark.parametrize("horizon", [None, 500])
def test_limits_give_what_is_asked(name: str, horizon: int | None) -> None:
    chart = make_chart(name)
    limit = limit_for(chart, Normal(), 800.0, horizon)
    found = run_length(chart.limited(limit), Normal())
    if horizon is None:
        assert found.mean == pytest.approx(800.0, rel=1e-6)
    else:
        assert found.within(horizon) == pytest.approx(-math.expm1(-500 / 800), abs=1e-6)


def test_the_floor_lies_below_every_chart() -> None:
    for shift in (0.5, 1.0, 2.0):
        floor = floor_delay(Normal(), Normal(mean=shift), 500.0)
        # charts whose worst case is the fresh start, as the floor's
        for name, params in (("shewhart", {}), ("cusum", {"k": 0.4 * shift}), ("cusum", {"k": 0.65 * shift})):
            chart: Any = make_chart(name, side="up", **params)
            chart = chart.limited(limit_for(chart, Normal(), 500.0))
            assert run_length(chart, Normal(), shift).mean > floor * (1.0 - 1e-9)
    # first order: the delay grows by log(ARL0) over the information (Lorden 1971)
    more = floor_delay(Normal(), Normal(mean=0.5), 1e6) - floor_delay(Normal(), Normal(mean=0.5), 1e4)
    assert more == pytest.approx(math.log(100.0) / (0.5 * 0.5**2), rel=0.02)
    delays = [floor_delay(Bernoulli(p=0.1), Bernoulli(p=0.3), a) for a in (100.0, 1000.0, 10_000.0)]
    assert delays == sorted(delays) and delays[0] > 3.0
    mirrored = floor_delay(Bernoulli(p=0.9), Bernoulli(p=0.7), 1000.0)
    assert mirrored == pytest.approx(delays[1], rel=1e-9)


def test_what_has_no_exact_run_length_says_so() -> None:
    with pytest.raises(ConfigError, match="no exact run length of detector/adwin"):
        run_length(make("detector", "adwin"), Bernoulli(p=0.1))
    with pytest.raises(ConfigError, match="no exact run length"):
        run_length(make("detector", "cusum"), Normal())
    with pytest.raises(ConfigError, match="between the values of a lattice"):
        limit_for(make_chart("p_chart"), Bernoulli(p=0.1), 1000.0)
    with pytest.raises(ConfigError, match="two normal laws"):
        floor_delay(Normal(), Bernoulli(p=0.2), 100.0)
