"""Rules of the closed loop: the deployment's own alarm, and any rule with a rollback."""

import numpy as np
import pytest

from mlopsim.checks.toy_deployment import play
from mlopsim.core.errors import ConfigError
from mlopsim.core.spec import canonical, make
from mlopsim.delivery.features import feature_names
from mlopsim.delivery.search_space import space_of
from mlopsim.delivery.selector import Interface, View


@pytest.mark.parametrize("seed", range(4))
def test_a_schedule_with_rollback_is_traditional_cd(seed):
    error = np.random.default_rng(seed).choice([0.1, 0.2, 0.4], 30).tolist()
    given = {"rise": 0.08, "judge": 1 + seed % 2}
    rule = {"periodic": {"every": 4, "phase": seed}}
    mine = play(make("selector", {"with_rollback": {"rule": rule, **given}}), 30, error=error, latency=1)
    usual = {"traditional_cd": {"every": 4, "phase": seed, **given}}
    assert mine == play(make("selector", usual), 30, error=error, latency=1)
    assert seed or "1" in mine


def test_what_is_given_of_its_rule_is_not_searched():
    found = space_of(make("selector", {"with_rollback": {"rule": {"periodic": {"every": 4}}, "rise": 0.1}}))
    assert sorted(found) == ["judge", "rise", "rule.phase"]
    # no more of a part that is complete, at any depth, and of a detector
    whole = canonical("selector", {"periodic": {"every": 4}})
    found = space_of(make("selector", {"with_rollback": {"rule": whole}}))
    assert sorted(found) == ["judge", "rise", "rule.phase"]
    deep = canonical("selector", {"with_rollback": {"rule": {"periodic": {"every": 4}}, "judge": 1}})
    found = space_of(make("selector", {"with_suspension": {"rule": deep}}))
    assert sorted(found) == ["freeze", "reserve", "retry", "rule.rise", "rule.rule.phase"]
    cusum = canonical("detector", {"cusum": {"k": 0.25}})
    assert "detector.k" not in space_of(make("selector", {"on_alarm": {"detector": cusum}}))
    assert "detector.k" in space_of(make("selector", {"on_alarm": {"detector": "cusum"}}))


@pytest.mark.parametrize(
    ("wrapper", "rule"),
    [
        ("with_rollback", "ppo"),
        ("with_rollback", "with_rollback"),
        ("with_suspension", "ppo"),
        ("with_suspension", "rule_book"),
        ("with_suspension", "with_suspension"),
    ],
)
def test_only_a_rule_is_wrapped_and_once(wrapper, rule):
    with pytest.raises(ConfigError, match=r"rule cannot be selector/"):
        make("selector", {wrapper: {"rule": rule}})


def alarmed(columns, **params):
    """Actions of two deployments at four decisions, by the columns that are not 0."""
    names = feature_names(2, [])
    interface = Interface(names=names, slots=2, horizon=4, deployment=make("deployment", "governed", slots=2))
    selector = make("selector", "observed_alarm", wait=1, **params)
    selector.reset(2, interface, np.random.SeedSequence(0).spawn(2))
    actions = []
    for t in range(4):
        obs = np.zeros((2, len(names)), dtype=np.float32)
        for name, value in columns.items():
            obs[:, names.index(name)] = value(t)
        view = View(
            interface=interface,
            t=np.full(2, 4 + t),
            obs=obs,
            mask=np.array([[True, False, False, True]] * 2),
            versions=np.array([[3, -1]] * 2),
            serving=np.zeros(2, np.int64),
            errors=np.empty((2, 0), dtype=np.int8),
        )
        actions.append(selector.act(view).tolist())
    return actions


def test_the_alarm_of_the_deployment_asks_for_a_retrain():
    assert alarmed({"alarm": lambda t: [0.0, t > 0]}) == [[0, 0], [0, 0], [0, 3], [0, 0]]


def test_a_limit_of_its_own_stands_for_the_alarm_where_it_is_observed():
    moved = {"serving_ks": lambda t: [0.09, 0.09 + 0.1 * (t > 0)], "alarm": lambda t: [t > 2, 0.0]}
    seen = {**moved, "has_trigger": lambda t: 1.0}
    assert alarmed(seen, distance=0.1) == [[0, 0], [0, 0], [0, 3], [0, 0]]
    assert alarmed(seen, distance=0.2) == [[0, 0]] * 4
    # no trigger, no alarm
    assert alarmed(moved, distance=0.1) == [[0, 0]] * 4
    assert set(space_of(make("selector", "observed_alarm"))) == {"wait", "cooldown", "distance"}
