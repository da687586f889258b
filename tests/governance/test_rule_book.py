"""The book of rules of the traditional pipeline, and suspending for good."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from mlopsim.checks.toy_deployment import play
from mlopsim.core.errors import ConfigError
from mlopsim.core.spec import make, params_of
from mlopsim.delivery.mechanisms import EVERY_SWITCH, FALLBACK, Switch
from mlopsim.delivery.pool import WorldPool
from mlopsim.delivery.search_space import admits, draw, named, near, space_of
from mlopsim.delivery.successive_halving import size
from mlopsim.delivery.tuning import tune
from mlopsim.delivery.walk import walk
from mlopsim.governance.constraint import Over
from mlopsim.governance.within import Allowed, Within
from mlopsim.world.build import build_world
from mlopsim.world.spec import WorldSpec

RULE = {"abrupt": {"duration": {"fixed": {"mean": 10}}, "order": [0, 1], "limit": 1}}
PEOPLE = {"windows": 30, "warmup": 4, "per_group": 60, "place": 1.0, "rule": RULE, "turns": [0.0, 90.0]}
FLOOR = {"accuracy_floor": {"floor": 0.75, "limit": 0.1}}
#: nothing is released but by the threshold alarm, which is off
QUIET_PERIOD = {"every": 1000, "phase": 999}
QUIET: dict[str, Any] = {**QUIET_PERIOD, "least": 0.0}


@pytest.fixture(scope="module")
def pool() -> WorldPool:
    spec = WorldSpec.of({"population": PEOPLE}, "ridge", {"last": {"windows": 4}})
    return WorldPool([build_world(spec.at(i)) for i in range(3)])


def governed(**params: Any) -> Any:
    settings: dict[str, Any] = {"label_delay": 1, "fallback": 0.6, "constraints": [FLOOR]}
    return make("deployment", "governed", **settings | params)


def test_its_schedule_is_periodic_and_its_rollback_that_of_traditional_cd() -> None:
    quiet = {"least": 0.0, "rise": 1.0}
    assert play(make("selector", "rule_book", every=5, phase=2, **quiet), 20) == play(
        make("selector", "periodic", every=5, phase=2), 20
    )
    error = np.random.default_rng(1).choice([0.1, 0.2, 0.4], 30).tolist()
    given = {"every": 4, "rise": 0.08, "judge": 1}
    mine = play(make("selector", "rule_book", least=0.0, **given), 30, error=error, latency=1)
    assert "1" in mine and mine == play(
        make("selector", "traditional_cd", **given), 30, error=error, latency=1
    )


def test_a_threshold_alarm_is_below_the_threshold_and_rests() -> None:
    quiet = {**QUIET, "rise": 1.0, "memory": 1}
    book = make("selector", "rule_book", **quiet | {"least": 0.7, "rest": 4})
    assert play(book, 12, error=[0.1] * 3 + [0.3] * 9) == "k" * 12
    assert play(book, 12, error=[0.1] * 3 + [0.35] * 9) == "kkkRkkkRkkkR"


def test_it_suspends_when_the_measured_cost_is_used_up_and_resumes_with_a_new_version(
    pool: WorldPool,
) -> None:
    deployment = governed()
    book = make("selector", "rule_book", **QUIET)
    found = walk(book, pool, deployment)
    assert not found.invalid.any()
    steps = pool.steps
    seen = deployment.mechanisms(pool).costs[0].seen
    for i in range(len(pool)):
        measured = np.array([seen[i, pool.cell(3, t)] for t in range(4, 30)])
        # what is known at the decision of window t is that of windows to t - 1, and must have added to it
        total = np.cumsum(measured) / steps
        first = int(np.flatnonzero((total > 0.1 + 1e-6) & (measured > 0))[0])
        suspended = np.flatnonzero(found.served[i] == FALLBACK)
        assert suspended[0] == 4 + first + 2 and found.served[i, 14] == 3
        # and is retrained then, not before, although nothing else asks
        assert np.flatnonzero(found.retrained[i])[0] == suspended[0] - 3
    # one that is not to be: nobody has that much
    never = walk(make("selector", "rule_book", **QUIET, reserve={"accuracy_floor": 1e3}), pool, deployment)
    assert not (never.served == FALLBACK).any()
    # with a schedule a version arrives, and serves, by itself or because the book says so
    for by_itself in (True, False):
        book = make("selector", "rule_book", **QUIET | {"every": 20, "phase": 18})
        found = walk(book, pool, governed(resume_on_arrival=by_itself))
        assert (found.served == FALLBACK).any() and (found.served[:, -3:] > 15).all()
        assert not found.invalid.any()


def test_any_rule_is_suspended_as_the_book_does_and_mended(pool: WorldPool) -> None:
    book = walk(make("selector", "rule_book", **QUIET), pool, governed())
    quiet = make("selector", {"with_suspension": {"rule": {"periodic": {"every": 1000, "phase": 999}}}})
    found = walk(quiet, pool, governed())
    first = [int(np.flatnonzero(one == FALLBACK)[0]) for one in book.served]
    assert first == [int(np.flatnonzero(one == FALLBACK)[0]) for one in found.served]
    # what is suspended is retrained, once where that helps, although the rule never asks: as the book does
    assert np.array_equal(book.served, found.served) and not found.invalid.any()
    assert (found.retrained.sum(axis=1) >= 1).all() and (found.served[:, -1] != FALLBACK).any()
    for i, start in enumerate(first):
        over = start + int(np.flatnonzero(found.served[i, start:] != FALLBACK)[0])
        assert found.retrained[i, start - 6 : over - 4].sum() == 1
    # without a fallback, or with its switch off, it is its rule
    rule = {"periodic": {"every": 5}}
    plain = walk(make("selector", rule), pool, governed())
    off = np.full(len(pool), int(EVERY_SWITCH & ~Switch.SUSPEND))
    for deployment, switches in ((governed(fallback=None), None), (governed(), off)):
        same = walk(
            make("selector", {"with_suspension": {"rule": rule}}), pool, deployment, switches=switches
        )
        assert np.array_equal(same.served, plain.served) and not same.invalid.any()


def test_tuning_within_limits_does_not_switch_suspension_off() -> None:
    # who never suspends costs less than the limit here in no more than some of the deployments
    spec = WorldSpec.of({"population": PEOPLE}, "ridge", {"last": {"windows": 4}})
    pool = WorldPool([build_world(spec.at(i)) for i in range(16)])
    deployment = governed(fallback=0.1, constraints=[{"accuracy_floor": {"floor": 0.75, "limit": 0.3}}])
    within = Within.of(deployment)
    assert within is not None
    # what is suspended is so for good: nothing is earned by the retrain that follows
    for_good = make("selector", "rule_book", **QUIET, rise=1.0, freeze=1.0)
    fixed = {key: value for key, value in params_of(for_good).items() if key != "reserve"}
    reserve, met = {}, {}
    for name, by in (("return", None), ("within", within)):
        seed = np.random.SeedSequence(1)
        found = tune("rule_book", fixed, ["reserve"], pool, deployment, 12_000, seed, by=by)
        walked = walk(make("selector", "rule_book", **found.params), pool, deployment)
        reserve[name] = found.params["reserve"]["accuracy_floor"]
        met[name] = within.met(within.spent(walked.costs, len(pool)))
        assert name == "return" or (found.rank is not None and found.rank[0] == met[name])
        assert ("rank" in found.history[0]) == (by is not None)
    # a fallback that earns little is not used where the return alone counts
    assert reserve["return"] > 1.2 > reserve["within"] and met == {"return": False, "within": True}


def test_each_limit_has_a_reserve_of_its_own(pool: WorldPool) -> None:
    # a second limit that is violated in every window
    limits = [FLOOR, {"group_accuracy_floor": {"floor": 1.0, "limit": 0.1}}]
    deployment = governed(constraints=limits)

    def first(**reserve: float) -> int:
        book = make("selector", "rule_book", **QUIET, reserve=reserve, freeze=1.0)
        return int(np.flatnonzero(walk(book, pool, deployment).served[0] == FALLBACK)[0])

    alone = walk(make("selector", "rule_book", **QUIET), pool, governed()).served[0]
    both = {"accuracy_floor": 1.0, "group_accuracy_floor": 1e3}
    assert first() < first(group_accuracy_floor=2.0) < first(**both) == np.flatnonzero(alone == FALLBACK)[0]
    for name in ("rule_book", "with_suspension"):
        rule = make("selector", name, reserve={"accuracy": 1.0})
        with pytest.raises(ConfigError, match="reserve has 'accuracy', on which the deployment has no limit"):
            walk(rule, pool, deployment)
        for wrong in ({"reserve": {"churn": -1.0}}, {"freeze": 0.5}, {"retry": 0}):
            with pytest.raises(ConfigError, match=f"{name}.{next(iter(wrong))}"):
                make("selector", name, **wrong)
    # what is searched: one for each limit, and drawn near others
    space = named(space_of(make("selector", "rule_book")), deployment.limit_names())["reserve"]
    rng = np.random.default_rng(0)
    drawn = draw(space, rng)
    assert list(drawn) == ["accuracy_floor", "group_accuracy_floor"] == list(near(space, {}, 0.1, rng))
    assert len(set(drawn.values())) == 2 and admits(space, drawn) and not admits(space, {"churn": 1.0})
    assert 0.1 < near(space, {}, 1e-3, rng)["accuracy_floor"] < 1.1 and size({"reserve": space}) > 10**6


def test_who_is_refused_a_version_asks_again_until_the_limit_is_spent_for_good(pool: WorldPool) -> None:
    # nothing that is trained passes: what is suspended stays so
    deployment = governed(release=[{"least_accuracy": {"floor": 1.0}}])
    for name, given in (("rule_book", QUIET), ("with_suspension", {"rule": {"periodic": QUIET_PERIOD}})):
        for retry in (4, 7):
            found = walk(make("selector", {name: {**given, "retry": retry}}), pool, deployment)
            assert not found.invalid.any() and (found.served[:, -1] == FALLBACK).all()
            for asked in found.retrained:
                (when,) = np.nonzero(asked)
                assert len(when) >= 2 and set(np.diff(when)) == {retry}
        # beyond the reserve times `freeze` nobody asks
        found = walk(make("selector", {name: {**given, "freeze": 1.0}}), pool, governed())
        assert not found.retrained.any() and (found.served[:, -1] == FALLBACK).all()


def test_who_is_above_the_limits_is_ranked_by_their_shares_then_by_return() -> None:
    spent = np.array([[0.2, 4.0], [0.2, 4.0]])
    within = Within(limits=[Allowed(name="a", limit=0.1), Allowed(name="b", limit=3, over=Over.RUN)])
    assert within.rank(np.ones(2), spent) == pytest.approx((0.0, -(1.0 + 1.0 / 3.0), 1.0))
    # below the limit on average is not shown to be within it: the nearer wins, not the one that costs least
    one = Within(limits=[Allowed(name="a", limit=0.1)])
    noisy, steady = np.array([[0.0], [0.18]]), np.array([[0.1], [0.101]])
    assert noisy.mean() < steady.mean() and one.rank(np.zeros(2), noisy) < one.rank(np.zeros(2), steady)


def test_limits_on_runs_and_windows_are_read_as_such(pool: WorldPool) -> None:
    first = {}
    for over, limit in (("run", 3), ("run", 1), ("window", 0.0), ("mean", 0.1)):
        limits = [{"accuracy_floor": {"floor": 0.75, "over": over, "limit": limit}}]
        found = walk(make("selector", "rule_book", **QUIET), pool, governed(constraints=limits))
        first[over, limit] = int(np.flatnonzero(found.served[0] == FALLBACK)[0])
    assert first["run", 3] == first["run", 1] + 2 and first["run", 1] >= first["window", 0.0]
    assert first["window", 0.0] < first["mean", 0.1]


def test_masks_are_respected_whatever_is_off(pool: WorldPool) -> None:
    book: dict[str, Any] = {
        "every": 3,
        "least": 0.8,
        "rise": 0.005,
        "judge": 1,
        "reserve": {"accuracy_floor": 0.3},
    }
    for off in (Switch.ROLLBACK, Switch.SUSPEND, Switch.ROLLBACK | Switch.SUSPEND):
        switches = np.full(len(pool), int(EVERY_SWITCH & ~off))
        found = walk(make("selector", "rule_book", **book), pool, governed(), switches=switches)
        assert not found.invalid.any() and found.retrained.any()
        assert Switch.SUSPEND not in off or not (found.served == FALLBACK).any()


def test_suspending_for_good(pool: WorldPool) -> None:
    found = walk(make("selector", "suspend_always"), pool, governed())
    assert (found.served[:, 5:] == FALLBACK).all() and not found.invalid.any()
    assert not found.costs["accuracy_floor"][:, 1:].any()
    assert np.allclose(found.reward[:, 1:], 0.6)
    with pytest.raises(ConfigError, match="no fallback"):
        make("selector", "suspend_always").check(governed(fallback=None))
