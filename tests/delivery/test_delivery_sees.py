"""What an observation may depend on, what a canary shows, what a budget allows."""

from __future__ import annotations

import copy

import numpy as np
import pytest
from delivery_fakes import FakeWorld, MaskedRandom, fake_pool, random_deployment
from delivery_reference import seen_rows
from hypothesis import given, settings
from hypothesis import strategies as st

from mlopsim.core.spec import make
from mlopsim.delivery import canary as sampling
from mlopsim.delivery.engine import Engine
from mlopsim.delivery.pool import WorldPool
from mlopsim.delivery.walk import replay, walk


def observed(pool: WorldPool, dep, actions: np.ndarray, until: int):
    """Everything that is seen at the decisions 0..until under given actions."""
    engine = Engine(pool, dep, 1)
    engine.begin(np.array([0]))
    seen = []
    for s in range(until + 1):
        seen.append((engine.obs.copy(), engine.mask.copy(), engine.errors(), engine.versions, engine.serving))
        if s < until:
            engine.step(actions[:, s])
    return seen


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_nothing_is_seen_early_or_of_what_was_not_observed(seed: int) -> None:
    rng = np.random.default_rng(seed)
    dep = random_deployment(rng)
    world = FakeWorld(rng, windows=16, warmup=3)
    pool = WorldPool([world], dep.objective, canary=dep.has_canary)
    actions = rng.integers(0, dep.slots + 2, size=(1, pool.steps))
    until = int(rng.integers(0, pool.steps))
    t = world.warmup - 1 + until
    before = observed(pool, dep, actions, until)
    path = replay(actions, pool, dep)

    # what may be known at decision time t: pairs (version, window)
    known = np.zeros((16, 16), dtype=bool)
    for u in range(world.warmup, t - dep.label_delay + 1):
        known[path.served[0, u], u] = True
        if path.candidate[0, u] >= 0:
            known[path.candidate[0, u], u] = True
        if dep.feedback.value == "shadow":
            known[:, u] = True  # a superset; the exact set is the reference simulator's business
    full = dep.feedback.value == "full"
    if full:
        # rows after those of training, and the newest ones of training
        for v in range((world.warmup - 1), t - dep.label_delay + 1):
            known[v, v : t - dep.label_delay + 1] = True
        known[(world.warmup - 1), (world.warmup - 1)] = True
    other = copy.copy(world)
    other.answers = world.answers.copy()
    other.y = world.y.copy()
    other.shift = world.shift.copy()
    for u in range(16):
        rows = slice(world.bounds[u], world.bounds[u + 1])
        fitted = full and u == world.warmup - 1
        if (u > t - dep.label_delay or u < world.warmup) and not fitted:
            other.y[rows] = rng.integers(0, 2, size=other.y[rows].shape)
        for v in range(2, 16):
            if not known[v, u]:
                other.answers[v, rows] = rng.integers(0, 2, size=other.y[rows].shape)
    # inputs of windows to come, and those of versions that cannot be trained yet
    other.shift[:, t + 1 :] = rng.uniform(0, 9, size=other.shift[:, t + 1 :].shape)
    later = max(t - dep.label_delay + 1, world.warmup)
    other.shift[later:] = rng.uniform(0, 9, size=other.shift[later:].shape)
    other.refresh()
    twin = WorldPool([other], dep.objective, canary=dep.has_canary)
    twin.seeds[:] = pool.seeds
    after = observed(twin, dep, actions, until)
    for one, two in zip(before, after, strict=True):
        for a, b in zip(one, two, strict=True):
            np.testing.assert_array_equal(a, b)


def test_with_deployed_feedback_a_waiting_version_shows_nothing() -> None:
    pool = fake_pool(0, 1, windows=30, canary=False)
    for feedback, shows in (("deployed", False), ("shadow", True), ("full", True)):
        dep = make(
            "deployment",
            "standard",
            feedback=feedback,
            deploy_on_arrival=False,
            latency=0,
            label_delay=1,
            shadow_cost=0.01,
        )
        actions = np.zeros((1, pool.steps), dtype=int)
        actions[0, 3] = 5
        engine = Engine(pool, dep, 1)
        engine.begin(np.array([0]))
        for s in range(12):
            engine.step(actions[:, s])
        names = engine.names
        assert engine.versions[0, :2].tolist() == [4, 2]
        assert (engine.obs[0, names.index("slot0_known")] == 1) == shows
        assert engine.obs[0, names.index("slot1_known")] == 1
        found = replay(actions, pool, dep)
        assert (found.parts["shadow"].sum() < 0) == (feedback == "shadow")


def test_full_feedback_is_a_backtest_on_the_rows_that_train() -> None:
    """A version that has just arrived and serves nothing is scored on all labelled windows after its own."""
    pool = fake_pool(0, 1, windows=30, canary=False)
    arrived = 3 + 2 + 3 + 1  # decided at window 5 (decision 3), latency 3: it arrives with window 9
    for feedback in ("full", "deployed", "shadow"):
        dep = make(
            "deployment",
            "standard",
            feedback=feedback,
            deploy_on_arrival=False,
            latency=3,
            label_delay=1,
        )
        engine = Engine(pool, dep, 1)
        engine.begin(np.array([0]))
        for s in range(arrived - 2):
            engine.step(np.array([5 if s == 3 else 0]))
        assert engine.time[0] == arrived and engine.versions[0, :2].tolist() == [4, 2]
        seen = dict(zip(engine.names, engine.obs[0].tolist(), strict=True))
        # version 4 was trained on the labels up to window 4; those up to window 8 are known by now
        accuracy = pool.square("quality", 0)[4, 5:9, 0]
        full = feedback == "full"
        assert seen["slot0_known"] == full
        assert seen["slot0_accuracy"] == pytest.approx(accuracy[-3:].mean() if full else 0.0, abs=1e-6)
        assert seen["slot0_best"] == pytest.approx(accuracy.max() if full else 0.0)
        assert seen["slot0_fit"] == pytest.approx(pool.square("quality", 0)[4, 4, 0] if full else 0.0)
        # what served is known in every regime
        served = pool.square("quality", 0)[2, 6:9, 0]
        assert seen["recent_accuracy"] == pytest.approx(served.mean(), abs=1e-6)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1), st.floats(0, 0.4))
def test_budget_is_never_exceeded(seed: int, budget: float) -> None:
    rng = np.random.default_rng(seed)
    dep = random_deployment(rng)
    dep.budget = budget
    pool = fake_pool(seed, 1, dep.objective, dep.has_canary, windows=30)
    for greedy in (False, True):
        found = walk(MaskedRandom(any_action=greedy, retrain=0.8), pool, dep)
        assert -(found.parts["switch"] + found.parts["retrain"]).sum() <= budget + 1e-9


def test_canary_samples_follow_the_binomial_law() -> None:
    from scipy import stats

    counts = np.array([[30, 5], [8, 57]], dtype=np.uint32)
    share, n = 0.3, 4000
    found = np.zeros((n, 2, 2), dtype=np.int64)
    for i in range(n):
        key = np.uint64(sampling.canary_key(np.uint64(12345 + i // 50), i % 50, 7))
        sampling.thin(counts, key, share, found[i])
    for cell, total in np.ndenumerate(counts):
        law = stats.binom(int(total), share)
        edges = np.arange(int(total) + 1)
        expected = law.pmf(edges) * n
        keep = expected >= 5
        seen = np.bincount(found[(slice(None), *cell)], minlength=total + 1)
        seen, expected = (np.append(x[keep], x[~keep].sum()) for x in (seen, expected))
        seen, expected = seen[expected > 0], expected[expected > 0]
        assert stats.chisquare(seen, expected).pvalue > 1e-4
    # cells are independent of each other
    r = np.corrcoef(found.reshape(n, 4).T)
    assert np.abs(r - np.eye(4)).max() < 4 / np.sqrt(n)


def test_canary_hash_equals_plain_integers() -> None:
    for seed, v, u in ((0, 0, 0), (2**64 - 1, 119, 57), (987654321987654321, 3, 119)):
        key = np.uint64(sampling.canary_key(np.uint64(seed), v, u))
        got = [bool(sampling.unit_seen(key, k, 0.37)) for k in range(200)]
        assert got == seen_rows(seed, v, u, 200, 0.37)


def test_canary_golden() -> None:
    out = np.zeros((2, 2), dtype=np.int64)
    key = np.uint64(sampling.canary_key(np.uint64(7), 3, 11))
    assert int(key) == 4711382815085937111
    sampling.thin(np.array([[40, 10], [20, 30]], dtype=np.uint32), key, 0.25, out)
    assert out.tolist() == [[9, 4], [3, 8]]


def test_scenario_seed_ignores_learner_and_place() -> None:
    from mlopsim.world.spec import WorldSpec

    spec = WorldSpec.of("procedural", "ridge", "last", split="test", index=3)
    other = WorldSpec.of("procedural", "lda", "last", split="test", index=3)
    rng = np.random.default_rng(0)
    worlds = [FakeWorld(rng, spec=spec), FakeWorld(rng), FakeWorld(rng, spec=other)]
    seeds = WorldPool(worlds).seeds
    assert seeds[0] == seeds[2] != seeds[1]
    assert WorldPool([worlds[1]]).seeds[0] == seeds[1]


@pytest.mark.parametrize("seed", range(3))
def test_observations_stay_in_their_space(seed: int) -> None:
    from mlopsim.delivery.env import make_spaces

    rng = np.random.default_rng(seed)
    dep = random_deployment(rng)
    pool = fake_pool(seed, 1, dep.objective, dep.has_canary, windows=80)
    engine = Engine(pool, dep, 1)
    space, _ = make_spaces(engine)
    engine.begin(np.array([0]))
    for _ in range(pool.steps):
        assert space.contains(engine.obs[0])
        engine.step(rng.integers(0, dep.slots + 2, size=1))
