"""Limits without simulation against simulated signals."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from mlopsim.core.spec import make
from mlopsim.drift.calibration import first_alarms, target_share
from mlopsim.drift.law import Bernoulli, NoExactLaw, Normal
from mlopsim.drift.run_length.chains import cusum_side, two_sided
from mlopsim.drift.run_length.exact import limit_for, make_chart, run_length
from mlopsim.drift.run_length.limits import _alarmed, _convergent, exact_boundary
from mlopsim.stats.proportions import clopper_pearson

RUNS, HORIZON, ARL0 = 20_000, 300, 700.0

CASES: list[tuple[str, dict[str, Any], Any]] = [
    ("shewhart", {}, Normal(mean=2.0, sd=3.0)),
    ("shewhart", {"side": "down"}, Normal()),
    ("cusum", {}, Normal(mean=2.0, sd=3.0)),
    ("cusum", {"k": 0.25, "side": "up"}, Normal()),
    ("ewma", {}, Normal(mean=2.0, sd=3.0)),
    ("ewma", {"lam": 0.3, "side": "down"}, Normal()),
    ("shiryaev_roberts", {"shift": -0.5, "mean": 2.0, "sd": 3.0}, Normal(mean=2.0, sd=3.0)),
    ("p_chart", {"size": 25}, Bernoulli(p=0.2)),
    ("p_chart", {"size": 10, "side": "up"}, Bernoulli(p=0.1)),
    ("bernoulli_cusum", {"p0": 0.1, "p1": 0.3}, Bernoulli(p=0.1)),
    ("bernoulli_cusum", {"p0": 0.3, "p1": 0.2}, Bernoulli(p=0.3)),
]


@pytest.mark.parametrize(("name", "params", "law"), CASES)
def test_20000_signals_alarm_as_often_as_asked(name: str, params: dict[str, Any], law: Any) -> None:
    chart: Any = make_chart(name, **params)
    found = exact_boundary(chart, law, ARL0, HORIZON)
    assert found is not None and not found.reason and 0.0 <= found.weight <= 1.0
    told = chart.informed(law) if name in ("shewhart", "cusum", "ewma", "p_chart") else chart
    rng = np.random.default_rng(8)
    uses_lower = rng.random(RUNS) < found.weight
    signals = law.sample(rng, (RUNS, HORIZON))
    first = np.concatenate(
        [
            first_alarms(told.limited(found.lower), signals[uses_lower]),
            first_alarms(told.limited(found.threshold), signals[~uses_lower]),
        ]
    )
    # one case in twenty would fall out of a 95 % interval
    share = clopper_pearson(int(np.isfinite(first).sum()), RUNS, 0.99)
    assert share.low <= target_share(ARL0, HORIZON) <= share.high


def test_where_nothing_is_exact_there_is_no_boundary() -> None:
    for name, law in (("adwin", Bernoulli(p=0.1)), ("cusum", Bernoulli(p=0.1)), ("glr", Normal())):
        assert exact_boundary(make_chart(name), law, 1000.0, 500) is None
    assert exact_boundary(make("detector", "cusum"), Normal(), 1000.0, 500) is None
    assert exact_boundary(make_chart("ewma", exact=True), Normal(), 1000.0, 500) is None
    # so many states that it would take minutes
    assert exact_boundary(make_chart("cusum", k=0.01), Normal(), 1e5, 5000) is None


def test_a_horizon_without_a_batch_has_a_reason() -> None:
    found = exact_boundary(make_chart("p_chart", size=50), Bernoulli(p=0.1), 1000.0, 49)
    assert found is not None and math.isnan(found.threshold) and "first batch" in found.reason


def test_a_target_below_all_values_has_a_reason() -> None:
    chart = make_chart("bernoulli_cusum", p0=0.1, p1=0.3)
    found = exact_boundary(chart, Bernoulli(p=0.1), 1.0, 10)
    assert found is not None and "out of range" in found.reason


def test_both_sums_followed_together_have_the_mean_known_from_the_sides() -> None:
    for k, h, shift in (
        (0.5, 5.0, 0.0),
        (0.37, 4.1, 0.5),
        (1.0, 2.5, 0.0),
        (2.0, 1.0, 0.3),
        (0.25, 4.0, 0.2),
    ):
        both = two_sided(k, h, Normal(mean=shift))
        sides = [cusum_side(k, h, Normal(mean=m)).mean for m in (shift, -shift)]
        assert both is not None
        assert both.mean == pytest.approx(1.0 / (1.0 / sides[0] + 1.0 / sides[1]), rel=1e-9)
        folded = two_sided(k, h, Normal(), fold=True)
        whole = two_sided(k, h, Normal())
        assert folded is not None and whole is not None and folded.size < whole.size
        assert folded.survival(100) == pytest.approx(whole.survival(100), rel=1e-11)


def test_the_chance_within_1000_ticks_of_both_sums_together() -> None:
    chart = make_chart("cusum", k=0.5, h=5.0)
    # a million simulated signals: 0.88520, standard error 0.00032
    assert run_length(chart, Normal()).within(1000) == pytest.approx(0.88520, abs=0.00096)


def test_a_sum_of_errors_against_plain_recursion() -> None:
    a, b, limit, p = 5, 2, 23, 0.2
    law = {0: 1.0}
    for n in range(1, 401):
        after: dict[int, float] = {}
        for s, mass in law.items():
            for to, chance in ((s + a, p), (max(0, s - b), 1.0 - p)):
                if to < limit:
                    after[to] = after.get(to, 0.0) + mass * chance
        law = after
        if n in (1, 7, 63, 64, 65, 400):
            assert _alarmed(a, b, limit, p, n) == pytest.approx(1.0 - sum(law.values()), abs=1e-11)


def test_the_unit_keeps_the_order_of_all_values() -> None:
    for ratio in (math.log(2.0) / math.log(0.9 / 0.8), 2.0 / 7.0, 3.0, 0.01234567):
        a, b = _convergent(ratio, 200)
        assert a > 0 and 200 * abs(ratio * b - a) < 0.25


def test_somebody_elses_chart_has_an_exact_run_length_by_its_form() -> None:
    class Mine(type(make_chart("shewhart"))):  # type: ignore[misc]
        name = "somebody-elses"

    assert run_length(Mine(told="p0"), Normal()).mean == run_length(make_chart("shewhart"), Normal()).mean
    boundary = exact_boundary(Mine(told="p0"), Normal(), 1000.0, 500)
    assert boundary == exact_boundary(make_chart("shewhart"), Normal(), 1000.0, 500)


def test_a_two_sided_cusum_without_allowance_is_exact() -> None:
    """With k = 0 both sums are followed together: mean of the sides, chance as simulated."""
    law, chart = Normal(), make_chart("cusum", k=0.0, h=5.0)
    found = run_length(chart, law)
    assert found.method == "integral equation"
    joint = two_sided(0.0, 5.0, law)
    assert joint is not None and joint.mean == pytest.approx(found.mean, rel=1e-9)
    # a million simulated signals: 64.174 % +- 0.048 % and 22.808 % +- 0.042 %
    assert found.within(20) == pytest.approx(0.641738, abs=3 * 0.00048)
    assert found.within(10) == pytest.approx(0.228079, abs=3 * 0.00042)
    rng = np.random.default_rng(1)
    up, down, alive = np.zeros(20_000), np.zeros(20_000), np.ones(20_000, dtype=bool)
    for _ in range(20):
        z = rng.normal(size=len(up))
        up, down = np.maximum(0.0, up + z), np.maximum(0.0, down - z)
        alive &= (up <= 5.0) & (down <= 5.0)
    assert 1.0 - alive.mean() == pytest.approx(found.within(20), abs=4 * (0.25 / len(up)) ** 0.5)


def test_what_is_not_exact_is_no_limit() -> None:
    """A chart with too many states says so, and has no limit of the chance within H."""
    chart = make_chart("cusum", k=0.001)
    assert "up to .09" in run_length(make_chart("cusum", k=0.001, h=5.0), Normal()).method
    with pytest.raises(NoExactLaw, match="too many states"):
        limit_for(chart, Normal(), 100.0, 50)
    assert exact_boundary(chart, Normal(), 100.0, 50) is None
