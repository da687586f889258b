"""Forks are what walking gives, to the bit; sums of them are the difference of two returns."""

from __future__ import annotations

import numpy as np
import pytest
from explained_kit import POLICIES, policy, scene

from mlopsim.core.errors import ConfigError, MlopsimError
from mlopsim.core.registry import names
from mlopsim.core.spec import make
from mlopsim.delivery.pool import WorldPool
from mlopsim.delivery.walk import replay, walk
from mlopsim.governance.explained.exact_sums import BITS, on_grid, unit_for
from mlopsim.governance.explained.faithful import faithful
from mlopsim.governance.explained.forks import exact_return, follow, fork, unit_of
from mlopsim.governance.explained.scene import Scene, Watched
from mlopsim.world.build import build_world
from mlopsim.world.spec import WorldSpec


class Remembering(Watched):
    """A policy that does not say that it is memoryless."""


def test_a_value_is_the_return_of_the_actions_that_it_stands_for() -> None:
    of = scene(1, size=2, latency=1)
    agent = policy("maskable_ppo", of)
    found = fork(of, agent, [(0, 2), (1, 5)])
    assert found.mask.sum() > 2 and np.isnan(found.values[~found.mask]).all()
    for i, (row, step) in enumerate([(0, 2), (1, 5)]):
        actions = np.flatnonzero(found.mask[i])
        walks = follow(of, agent, row, step, actions.tolist())
        for walked, action in enumerate(actions):
            # the whole list of actions, carried out without any policy
            again = replay(walks.executed[[walked]], of.pool, of.deployment, of.which[[row]])
            after = again.reward[0, step:].sum()
            assert found.values[i, action] == pytest.approx(after, abs=1e-10)
            for name, part in again.parts.items():
                assert found.parts[name][i, action] == pytest.approx(part[0, step:].sum(), abs=1e-10)


@pytest.mark.parametrize("name", POLICIES)
def test_the_own_action_is_worth_what_the_walk_earned_and_parts_add_up_to_the_bit(name: str) -> None:
    of = scene(2, label_delay=1)
    who = policy(name, of)
    found, own = fork(of, who), of.walk(who)
    assert np.array_equal(found.chosen, found.done)
    series = sum(on_grid(part, found.unit) for part in own.parts.values())
    after = np.cumsum(series[:, ::-1], axis=1)[:, ::-1].ravel()
    assert np.array_equal(found.of_chosen, after)
    gaps = {
        key: part - part[np.arange(len(after)), found.chosen][:, None] for key, part in found.parts.items()
    }
    # in any order of the parts
    for order in (list(gaps), list(gaps)[::-1]):
        total = np.zeros(found.mask.shape)
        for key in order:
            total = total + gaps[key]
        assert np.array_equal(total, found.values - found.of_chosen[:, None], equal_nan=True)
    assert (found.gap >= 0).all() and (found.regret >= 0).all() and found.regret.max() > 0


@pytest.mark.parametrize("name", POLICIES)
@pytest.mark.parametrize("other", ["every_step", "maskable_ppo"])
def test_performance_difference_lemma(name: str, other: str) -> None:
    """R(other) - R(policy) is the sum of differences of Q along the other's walk, with memory and draws."""
    of = scene(3)
    who, walks = policy(name, of), of.walk(policy(other, of))
    found = fork(of, who, forced=walks.executed)
    difference = exact_return(walks, found.unit) - exact_return(of.walk(who), found.unit)
    assert np.array_equal(difference, np.bincount(found.row, found.lost_by_done))
    if name != other:
        assert np.abs(difference).max() > 0
    plain = walks.returns - of.walk(who).returns
    assert np.abs(difference - plain).max() < 1e-9


def test_a_memoryless_policy_is_not_asked_about_the_past_and_gives_the_same() -> None:
    of = scene(4)
    agent = policy("maskable_ppo", of)
    short, whole = fork(of, agent, together=7), fork(of, Remembering(agent))
    assert np.array_equal(short.values, whole.values, equal_nan=True)
    forced = np.full((3, of.steps), -1)
    forced[:, :4] = 0
    walked = of.walk(agent, forced=forced)
    assert walked.answered is not None and (walked.answered[:, :4] == -1).all()
    assert (walked.answered[:, 4:] == walked.asked[:, 4:]).all() and (walked.asked[:, :4] == 0).all()
    asked = of.walk(Remembering(agent), forced=forced)
    assert asked.answered is not None and (asked.answered >= 0).all()
    assert np.array_equal(asked.reward, walked.reward)


def test_a_rule_observes_along_where_it_is_forced() -> None:
    """Its own answers are those of a walk in which it sees the same, whoever decides."""
    of = scene(5, feedback="deployed")
    rule = make("selector", "error_threshold", rise=0.02, cooldown=0)
    free = of.walk(rule)
    again = of.walk(rule, forced=free.executed)
    assert again.answered is not None and np.array_equal(again.answered, free.asked)
    assert np.array_equal(again.reward, free.reward)


def test_forced_is_checked() -> None:
    of = scene(0)
    agent = policy("maskable_ppo", of)
    for forced, words in (
        (np.zeros((3, 2), dtype=np.int64), "shape"),
        (np.zeros((3, of.steps)), "float64"),
        (np.full((3, of.steps), 6), "actions are 0..5"),
        (np.full((3, of.steps), -2), "-1 is none"),
    ):
        with pytest.raises(ConfigError, match=words):
            walk(agent, of.pool, of.deployment, forced=forced)
    with pytest.raises(ConfigError, match=r"deployments 0\.\.2"):
        fork(of, agent, [(0, of.steps)])
    with pytest.raises(ConfigError, match="as many seeds"):
        Scene(pool=of.pool, deployment=of.deployment, which=np.arange(2), seeds=of.seeds)


def test_sums_on_the_grid_are_exact_and_too_large_ones_are_refused() -> None:
    rng = np.random.default_rng(0)
    unit = unit_for(4000.0)
    values = on_grid(rng.normal(size=2000), unit)
    total = values.sum()
    assert all(rng.permutation(values).cumsum()[-1] == total for _ in range(5))
    assert np.abs(values - on_grid(values, unit)).max() == 0.0
    with pytest.raises(MlopsimError, match="too large"):
        on_grid(np.array([2.0**BITS]), 1.0)
    assert unit_of(scene(0)) < 1e-11


def test_faithful_is_the_agreement_on_the_own_states() -> None:
    of = scene(6)
    agent, rule = policy("maskable_ppo", of), make("selector", "every_step")
    same = faithful(of, agent, agent, forked=2)
    assert (same.agreement, same.differ, same.identity) == (1.0, 0, 0.0) and np.isnan(same.lost)
    found = faithful(of, rule, agent, forked=3)
    walked = of.walk(rule)
    own = of.walk(Remembering(agent), forced=walked.executed)
    forks = fork(of, agent, forced=walked.executed)
    assert own.answered is not None
    assert found.agreement == np.mean(forks.chosen == forks.done) < 1.0
    assert found.differ == (forks.chosen != forks.done).sum() and found.identity < 1e-9
    assert found.lost == pytest.approx(-forks.lost_by_done[forks.chosen != forks.done].mean())


@pytest.mark.slow
@pytest.mark.parametrize("name", names("selector"))
def test_every_selector_keeps_the_lemma_on_real_worlds(name: str) -> None:
    """To the bit, against a walk of another policy; what draws does so by its seed and the step."""
    stream = {"synthetic": {"windows": 40, "rows": 40, "warmup": 5, "concept": "sea", "schedule": "abrupt"}}
    deployment = make("deployment", "standard", latency=1)
    worlds = [build_world(WorldSpec.of(stream, split="train", index=index)) for index in range(2)]
    pool = WorldPool(worlds)
    of = Scene(pool=pool, deployment=deployment, which=np.arange(2), seeds=np.random.SeedSequence(9).spawn(2))
    who, walks = policy(name, of), of.walk(make("selector", "every_step"))
    found = fork(of, who, forced=walks.executed)
    difference = exact_return(walks, found.unit) - exact_return(of.walk(who), found.unit)
    assert np.array_equal(difference, np.bincount(found.row, found.lost_by_done))
    own = fork(of, who, [(0, 7), (1, 20)])
    suffix = [
        sum(on_grid(part[row, step:], own.unit).sum() for part in of.walk(who).parts.values())
        for row, step in ((0, 7), (1, 20))
    ]
    assert own.of_chosen.tolist() == suffix
