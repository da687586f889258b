"""Schedules and duration laws."""

import numpy as np
import pytest

from mlopsim import make
from mlopsim.core.errors import ConfigError
from mlopsim.core.registry import names
from mlopsim.core.spec import canonical
from mlopsim.streams.layout import Layout

LAYOUT = Layout(windows=120, rows=20, warmup=10)


@pytest.mark.parametrize("name", names("duration"))
@pytest.mark.parametrize("mean", [3.0, 25.0])
def test_mean_duration(name, mean):
    draws = make("duration", name, mean=mean).draw(100_000, np.random.default_rng(1))
    assert draws.shape == (100_000,) and (draws >= 0).all()
    assert abs(draws.mean() - mean) < 4 * draws.std() / np.sqrt(1e5) + 1e-9


@pytest.mark.parametrize(("shape", "sign"), [(3.0, 1), (0.6, -1)])
def test_weibull_hazard_rises_or_falls(shape, sign):
    draws = make("duration", "weibull", mean=20.0, shape=shape).draw(200_000, np.random.default_rng(1))
    hazard = [np.mean(draws[draws >= t] < t + 5.0) for t in (0.0, 10.0, 20.0, 30.0)]
    assert (np.diff(hazard) * sign > 0.02).all()


def test_geometric_hazard_is_constant():
    draws = make("duration", "geometric", mean=20.0).draw(200_000, np.random.default_rng(1))
    hazard = [np.mean(draws[draws > t] <= t + 5) for t in (0, 10, 20, 40)]
    assert np.ptp(hazard) < 0.015
    assert draws.min() == 1.0 and (draws == np.round(draws)).all()


@pytest.mark.parametrize("name", names("schedule"))
@pytest.mark.parametrize(
    "duration", ["geometric", {"weibull": {"shape": 0.6, "mean": 8.0}}, {"fixed": {"mean": 9.0}}]
)
def test_contract(name, duration):
    schedule = make("schedule", name, duration=duration)
    for seed in range(5):
        plan = schedule.plan(LAYOUT, 4, np.random.default_rng(seed))
        again = schedule.plan(LAYOUT, 4, np.random.default_rng(seed))
        np.testing.assert_array_equal(plan.weight, again.weight)
        assert plan.a.shape == plan.b.shape == plan.weight.shape == (LAYOUT.n,)
        assert plan.a.dtype == plan.b.dtype == np.int64
        assert ((plan.weight >= 0) & (plan.weight <= 1)).all() and ((plan.a >= 0) & (plan.a < 4)).all()
        # rebuild which rows are at rest, and where, from the changes alone
        row, at = 0, int(plan.a[0])
        for change in plan.changes:
            assert LAYOUT.first <= row <= change.start or (row == 0 and change.start > LAYOUT.first)
            assert change.before == at != change.after and change.start <= change.end <= LAYOUT.n
            rest = slice(row, change.start)
            assert (
                (plan.a[rest] == at).all() and (plan.b[rest] == at).all() and (plan.weight[rest] == 0).all()
            )
            moving = slice(change.start, change.end)
            assert (plan.a[moving] == at).all() and (plan.b[moving] == change.after).all()
            assert (np.diff(plan.weight[moving]) > 0).all() and (plan.weight[moving] > 0).all()
            row, at = change.end, change.after
        assert (plan.a[row:] == at).all() and (plan.weight[row:] == 0).all()
    assert canonical("schedule", {name: {"duration": duration}})["params"]["duration"]["kind"] == "duration"


def test_none_never_changes():
    assert make("schedule", "none").plan(LAYOUT, 4, np.random.default_rng(0)).changes == ()


def test_all_concepts_are_seen_before_one_returns():
    schedule = make("schedule", "abrupt", duration={"fixed": {"mean": 5.0}})
    for seed in range(20):
        plan = schedule.plan(LAYOUT, 6, np.random.default_rng(seed))
        first = [plan.changes[0].before] + [change.after for change in plan.changes[:5]]
        assert sorted(first) == list(range(6))


def test_recurring_uses_its_pool_only():
    schedule = make("schedule", "recurring", pool=3, duration={"fixed": {"mean": 4.0}})
    for seed in range(20):
        plan = schedule.plan(LAYOUT, 9, np.random.default_rng(seed))
        assert len(plan.changes) == 27
        assert len({change.after for change in plan.changes}) == 3


def test_order_and_limit():
    schedule = make("schedule", "abrupt", order=[2, 0, 0, 1], limit=3, duration={"fixed": {"mean": 10.0}})
    plan = schedule.plan(LAYOUT, 3, np.random.default_rng(0))
    assert [(c.start, c.before, c.after) for c in plan.changes] == [(400, 2, 0), (800, 0, 1)]


def test_mean_time_between_changes():
    schedule = make("schedule", "abrupt", duration={"geometric": {"mean": 20.0}})
    long = Layout(windows=20_000, rows=2, warmup=10)
    changes = schedule.plan(long, 3, np.random.default_rng(0)).changes
    assert abs(np.diff([c.start for c in changes]).mean() / 2 - 20.0) < 2.5


def test_incremental_without_rest_never_rests():
    plan = make("schedule", "incremental").plan(LAYOUT, 4, np.random.default_rng(1))
    assert plan.blend and all(x.end == y.start for x, y in zip(plan.changes, plan.changes[1:], strict=False))
    assert plan.changes[-1].end == LAYOUT.n


@pytest.mark.parametrize(
    ("name", "params", "count", "match"),
    [
        ("recurring", {"pool": 5}, 4, "pool"),
        ("abrupt", {}, 1, "one variant"),
        ("abrupt", {"order": [7]}, 4, "order"),
    ],
)
def test_what_does_not_fit(name, params, count, match):
    with pytest.raises(ConfigError, match=match):
        make("schedule", name, **params).plan(LAYOUT, count, np.random.default_rng(0))


@pytest.mark.parametrize(
    ("kind", "name", "params"),
    [
        ("schedule", "abrupt", {"order": []}), ("schedule", "abrupt", {"limit": -1}),
        ("schedule", "gradual", {"width": -1.0}), ("schedule", "abrupt", {"duration": "geometrc"}),
        ("duration", "geometric", {"mean": 0.5}), ("duration", "weibull", {"shape": 0.0}),
        ("duration", "fixed", {"mean": 0.0}),
    ],
)  # fmt: skip
def test_bad_parameters(kind, name, params):
    with pytest.raises(ConfigError):
        make(kind, name, **params)


def test_bad_layout():
    for bad in ({"windows": 1}, {"rows": 0}, {"warmup": 0}, {"warmup": 120}):
        with pytest.raises(ConfigError):
            Layout(**{"windows": 120, "rows": 10, "warmup": 10, **bad})
