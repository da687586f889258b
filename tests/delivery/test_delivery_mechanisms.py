"""Suspension, review, release gates, the rollback switch and costs: against a slow simulator, and off."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest
from delivery_fakes import FakeWorld, MaskedRandom, fake_pool, random_deployment
from guarded_reference import GuardedReference

from mlopsim.core.errors import ConfigError
from mlopsim.core.spec import make
from mlopsim.delivery.env import DeliveryEnv
from mlopsim.delivery.features import of_inputs
from mlopsim.delivery.mechanisms import EVERY_SWITCH, FALLBACK, Costs, Mechanisms, Switch
from mlopsim.delivery.pool import WorldPool
from mlopsim.delivery.vector import DeliveryVectorEnv
from mlopsim.delivery.walk import replay, walk


def random_mechanisms(rng: np.random.Generator, pool: WorldPool, dep: Any) -> Mechanisms:
    """Any combination, all of them often there."""
    m, windows, cells = len(pool), pool.windows, pool.reward.shape[1]

    def maybe(array: np.ndarray) -> np.ndarray:
        return array if rng.random() < 0.7 else np.zeros((0,) * array.ndim, dtype=array.dtype)

    costs = []
    for name, lag in (("gap", dep.label_delay), ("parity", 0), ("churn", 0)):
        at_switch = name == "churn"
        true = np.zeros((m, cells)) if at_switch else np.round(rng.random((m, cells)), 1)
        seen = np.where(rng.random((m, cells)) < 0.7, true, rng.random((m, cells))).astype(np.float32)
        cost = Costs(
            name=name,
            true=true,
            seen=np.zeros_like(seen) if at_switch else seen,
            lag=lag,
            limit=float(rng.choice([0.0, 0.1, 0.5])),
            weight=float(rng.choice([1.0, 2.0])),
            at_switch=at_switch,
        )
        if rng.random() < 0.7:
            costs.append(cost)
    fallback = rng.random((m, windows)) if dep.slots >= 2 + dep.has_canary else np.zeros((0, 0))
    return Mechanisms(
        blocked=maybe(rng.random((m, windows)) < 0.2),
        refused=maybe(rng.random((m, windows, windows)) < 0.3),
        delay=maybe(rng.integers(0, 5, size=(m, windows))),
        denied=maybe(rng.random((m, windows)) < 0.2),
        fallback=maybe(fallback),
        alarm=maybe(rng.random((m, cells)) < 0.3),
        guarded=maybe(np.arange(m) % 2 == 0),
        costs=tuple(costs),
        resume_on_arrival=bool(rng.random() < 0.6),
    )


def scenario(seed: int) -> Any:
    rng = np.random.default_rng(seed)
    classes = int(rng.choice([2, 2, 3]))
    warmup, more = int(rng.integers(1, 5)), int(rng.integers(1, 22))
    dep = random_deployment(rng, classes)
    pool = fake_pool(
        *(seed, 2, dep.objective, dep.has_canary),
        windows=warmup + more, warmup=warmup, n_classes=classes, rows=(2, 7),
    )  # fmt: skip
    if classes == 3:
        # Worlds of random numbers have no models: their answers are what the planes are made of
        pool.__dict__["answers"] = packed_answers(pool)
    mechanisms = random_mechanisms(rng, pool, dep)
    switches = np.where(rng.random(3) < 0.5, int(EVERY_SWITCH), rng.integers(0, 32, size=3))
    return rng, dep, pool, mechanisms, rng.integers(0, 2, size=3), switches


def packed_answers(pool: WorldPool) -> tuple[np.ndarray, np.ndarray]:
    worlds: tuple[Any, ...] = pool.worlds
    for world in worlds:
        world.source = world
        world.forget = lambda: None
        v0 = world.warmup - 1
        block = world.answers[v0:].astype(np.uint8)
        world.predictions = lambda v0=v0, block=block: iter([(v0, 0, block)])
    found: tuple[np.ndarray, np.ndarray] = WorldPool.answers.func(pool)  # type: ignore[attr-defined]
    return found


class AlsoSuspends(MaskedRandom):
    """Random actions, suspend among them."""

    can_suspend = True

    def act(self, view: Any) -> np.ndarray:
        answer: np.ndarray = super().act(view)
        if view.mask.shape[1] > view.interface.retrain + 1:
            # what looks at the last column for a retrain would find suspend there
            for i, rng in enumerate(self.rngs):
                answer[i] = rng.choice(np.flatnonzero(view.mask[i])) if not self.any_action else answer[i]
        return answer


@pytest.mark.parametrize("block", range(4))
def test_equal_to_the_reference_with_every_switch(block: int) -> None:
    checked = dict.fromkeys(("suspended", "resumed", "stopped", "delayed", "churn", "observed", "invalid"), 0)
    for seed in range(block * 32, block * 32 + 32):
        rng, dep, pool, mech, which, switches = scenario(seed)
        selector = AlsoSuspends(any_action=seed % 2 == 1, retrain=float(rng.choice([0.2, 0.7])))
        found = walk(
            *(selector, pool, dep, which, np.random.SeedSequence(seed).spawn(3)),
            mechanisms=mech, switches=switches,
        )  # fmt: skip
        for i, m in enumerate(which):
            ref = GuardedReference(pool, int(m), dep, mech, int(switches[i]))
            for s in range(pool.steps):
                view, want = selector.views[s], ref.observe()
                where = f"seed {seed}, walk {i}, decision {s}, {dep}"
                assert set(want) == set(view.interface.names), where
                got = dict(zip(view.interface.names, view.obs[i].tolist(), strict=True))
                assert got == {k: float(np.float32(v)) for k, v in want.items()}, where
                assert view.mask[i].tolist() == ref.mask(), where
                padded = ref.registry + [-1] * (dep.slots - len(ref.registry))
                assert view.versions[i].tolist() == padded, where
                assert [e for e in view.errors[i].tolist() if e >= 0] == ref.errors(), where
                was = ref.suspended
                parts, executed = ref.step(int(found.asked[i, s]))
                assert executed == found.executed[i, s], where
                assert {k: v[i, s] for k, v in found.parts.items()} == parts, where
                w = pool.warmup + s
                costs = {name: values[i, s] for name, values in found.costs.items()}
                assert costs == {name: values[w] for name, values in ref.charged.items()}, where
                checked["suspended"] += ref.suspended is not None
                checked["resumed"] += was is not None and ref.suspended is None
                checked["churn"] += costs.get("churn", 0.0) > 0.0
                checked["observed"] += any(want[k] > 0 for k in want if k.endswith("_last"))
                checked["delayed"] += want["in_review"] == 1.0
                checked["invalid"] += bool(found.invalid[i, s])
            arrived = sum(r + 1 + dep.latency < pool.windows for r in ref.retrains)
            checked["stopped"] += arrived > len(ref.entered) - 1
            for w in range(pool.warmup, pool.windows):
                assert found.served[i, w] == ref.bases[w]
                assert found.candidate[i, w] == ref.candidates.get(w, -1)
            if dep.budget is not None:
                assert ref.spent <= dep.budget + 1e-9
    assert min(checked.values()) > 5, checked


def test_scalar_vector_and_replay_agree_to_the_bit() -> None:
    for seed in range(40):
        rng, dep, pool, mech, which, switches = scenario(1000 + seed)
        actions = rng.integers(0, dep.slots + 2 + mech.suspends, size=(3, pool.steps))
        want = replay(actions, pool, dep, which, mechanisms=mech, switches=switches)
        vector = DeliveryVectorEnv(3, deployment=dep, pool=pool, mechanisms=mech)
        obs, info = vector.reset(seed=seed, options={"scenario": which, "switches": switches})
        assert info["switches"].tolist() == switches.tolist()
        scalars = [DeliveryEnv(deployment=dep, pool=pool, mechanisms=mech) for _ in which]
        for i, env in enumerate(scalars):
            begun, said = env.reset(seed=1, options={"scenario": which[i], "switches": switches[i]})
            assert (begun == obs[i]).all() and said["switches"] == switches[i]
        weights: dict[str, float] = {cost.name: cost.weight for cost in mech.costs}
        one: Any
        for s in range(pool.steps):
            assert (vector.action_masks() == np.stack([e.action_masks() for e in scalars])).all()
            obs, reward, _, truncated, info = vector.step(actions[:, s])
            assert (reward == want.reward[:, s]).all()
            for i, env in enumerate(scalars):
                o, r, _, trunc, one = env.step(actions[i, s])
                assert trunc == truncated[i] and r == reward[i]
                assert (o == (info["final_obs"][i] if trunc else obs[i])).all()
                source = info["final_info"] if trunc else info
                assert one["cost"] == source["cost"][i] and source["_cost"][i] and source["_costs"][i]
                assert one["costs"] == {name: source["costs"][name][i] for name in mech.constraints}
                assert one["costs"] == {name: values[i, s] for name, values in want.costs.items()}
                assert one["cost"] == pytest.approx(sum(weights[k] * v for k, v in one["costs"].items()))


@pytest.mark.parametrize("seed", range(24))
def test_all_off_is_the_delivery_to_the_bit(seed: int) -> None:
    _, dep, pool, mech, which, _ = scenario(3000 + seed)
    seeds = np.random.SeedSequence(seed).spawn(3)
    plain, off, none = (MaskedRandom(any_action=seed % 2 == 1) for _ in range(3))
    want = walk(plain, pool, dep, which, seeds)
    rollback = np.full(3, int(Switch.ROLLBACK))
    for selector, given in ((off, mech), (none, Mechanisms())):
        found = walk(selector, pool, dep, which, seeds, mechanisms=given, switches=rollback)
        for name in ("asked", "executed", "invalid", "served", "candidate", "reward", "retrained"):
            assert (getattr(found, name) == getattr(want, name)).all(), name
        for view, other in zip(plain.views, selector.views, strict=True):
            seen = view.obs.copy()
            if given.alarm.size:
                # who switches the trigger off does not see the shift of inputs either
                seen[:, [of_inputs(name) for name in view.interface.names]] = 0.0
            assert (seen == other.obs[:, : seen.shape[1]]).all() and (view.mask == other.mask).all()
            assert (view.errors == other.errors).all()


def one_world(**kw: Any) -> tuple[WorldPool, Any]:
    dep = make("deployment", "standard", **{"label_delay": 0, "latency": 0, **kw})
    return fake_pool(7, 1, "accuracy", dep.has_canary, windows=16, warmup=2), dep


def test_a_suspend_drill_reaches_the_fallback_within_one_window() -> None:
    """At every decision time: in flight or not, in a canary or not, with an arrival right then or not."""
    for kw in (
        {"latency": 0},
        {"latency": 3},
        {"canary_windows": 3, "canary_share": 0.3},
        {"label_delay": 2},
    ):
        pool, dep = one_world(**kw)
        retrain, suspend = dep.slots + 1, dep.slots + 2
        mech = Mechanisms(fallback=np.full((1, pool.windows), 0.5), resume_on_arrival=False)
        for s in range(pool.steps):
            actions = np.full((1, pool.steps), retrain)
            actions[0, s] = suspend
            actions[0, s + 1 :] = 0
            found = replay(actions, pool, dep, mechanisms=mech)
            assert found.executed[0, s] == suspend
            assert (found.served[0, pool.warmup + s :] == FALLBACK).all()
            assert (found.parts["quality"][0, s:] == 0.5).all()


def test_an_unapproved_version_never_serves() -> None:
    """Whatever is done: not before its approval, never if it is denied, blocked or refused."""
    for seed in range(60):
        rng, dep, pool, mech, which, _ = scenario(5000 + seed)
        retrain = float(rng.choice([0.5, 0.9]))
        found = walk(
            *(AlsoSuspends(any_action=True, retrain=retrain), pool, dep, which),
            mechanisms=dataclasses.replace(mech, switches=EVERY_SWITCH),
        )  # fmt: skip
        for i, m in enumerate(which):
            for w in range(pool.warmup, pool.windows):
                for v in {int(found.served[i, w]), int(found.candidate[i, w])} - {
                    -1,
                    FALLBACK,
                    pool.warmup - 1,
                }:
                    assert not (mech.denied.size and mech.denied[m, v])
                    assert not (mech.blocked.size and mech.blocked[m, v])
                    delay = int(mech.delay[m, v]) if mech.delay.size else 0
                    arrival = v + dep.label_delay + 1 + dep.latency + delay
                    assert w >= arrival
                    served = int(found.served[i, arrival - 1])
                    if mech.refused.size and served >= 0:
                        # the base before the arrival, but for a promotion or a deploy right then
                        bases = {served, int(found.served[i, arrival]), int(found.candidate[i, arrival - 1])}
                        assert not all(mech.refused[m, v, b] for b in bases - {-1, v, FALLBACK})


def test_without_rollback_only_the_newest_is_deployed() -> None:
    pool, dep = one_world(deploy_on_arrival=False)
    retrain = dep.slots + 1
    # version 2 comes and is deployed, 4 comes; then the oldest, the newest and the one before are asked for
    actions = np.array([[0, retrain, 1, retrain, 3, 1, 2, *([0] * 7)]])
    off = np.array([int(EVERY_SWITCH & ~Switch.ROLLBACK)])
    found = replay(actions, pool, dep, mechanisms=Mechanisms(), switches=off)
    assert found.served[0, 2:].tolist() == [1, 1, 2, 2, 2, *([4] * 9)]
    assert np.flatnonzero(found.invalid[0]).tolist() == [4, 6]
    free = replay(actions, pool, dep, mechanisms=Mechanisms())
    assert free.served[0, 2:].tolist() == [1, 1, 2, 2, 1, 4, *([2] * 8)] and not free.invalid.any()
    # who was suspended may go on with what served, newest or not
    mech = Mechanisms(fallback=np.full((1, pool.windows), 0.5))
    actions = np.array([[0, retrain, dep.slots + 2, 2, *([0] * 10)]])
    found = replay(actions, pool, dep, mechanisms=mech, switches=off)
    assert found.served[0, 2:].tolist() == [1, 1, FALLBACK, *([1] * 11)]


def test_mechanisms_that_do_not_fit_are_refused() -> None:
    pool, dep = one_world(slots=1)
    fallback = np.full((1, pool.windows), 0.5)
    with pytest.raises(ConfigError, match="needs 2 slots"):
        DeliveryEnv(deployment=dep, pool=pool, mechanisms=Mechanisms(fallback=fallback))
    with pytest.raises(ConfigError, match="blocked must have the shape"):
        DeliveryEnv(deployment=dep, pool=pool, mechanisms=Mechanisms(blocked=np.ones((1, 3), dtype=bool)))
    cost = Costs(name="a", true=np.zeros((1, 3)), seen=np.zeros((1, 3), np.float32), lag=0, limit=0.1)
    with pytest.raises(ConfigError, match="costs of a"):
        DeliveryEnv(deployment=dep, pool=pool, mechanisms=Mechanisms(costs=(cost,)))
    with pytest.raises(ConfigError, match="is there twice"):
        Mechanisms(costs=(cost, cost))
    with pytest.raises(ConfigError, match="has no arms"):
        DeliveryEnv(deployment=dep, pool=pool, arms=[0])
    with pytest.raises(ConfigError, match="unknown option 'switches'"):
        DeliveryEnv(deployment=dep, pool=pool).reset(options={"switches": 3})


def test_arms_are_drawn_by_the_environments_own_generator() -> None:
    pool, dep = one_world()
    arms = [0, int(Switch.ROLLBACK), int(EVERY_SWITCH)]
    env = DeliveryVectorEnv(64, deployment=dep, pool=pool, mechanisms=Mechanisms(), arms=arms)
    first, again = env.reset(seed=3)[1]["switches"], env.reset(seed=3)[1]["switches"]
    assert (first == again).all() and set(first.tolist()) == set(arms)
    names = list(env.feature_names)
    shown = env.reset(seed=3)[0][:, names.index("has_rollback")]
    assert (shown == (first & int(Switch.ROLLBACK) > 0)).all()
    # the scenarios are those of an environment without arms
    plain = DeliveryVectorEnv(64, deployment=dep, pool=pool)
    assert (plain.reset(seed=3)[1]["scenario"] == env.reset(seed=3)[1]["scenario"]).all()


def test_worlds_of_random_numbers_have_answers_of_any_number_of_classes() -> None:
    pool = WorldPool([FakeWorld(np.random.default_rng(1), n_classes=5)])  # type: ignore[list-item]
    bits, places = packed_answers(pool)
    assert bits.shape[0] == 3
    world: Any = pool.worlds[0]
    for v in range(pool.warmup - 1, pool.windows):
        for row in range(int(world.bounds[v]), int(world.bounds[-1])):
            byte = bits[:, places[0, v] + (row >> 3)] >> (7 - (row & 7)) & 1
            assert (byte << np.arange(3)).sum() == world.answers[v, row]
