"""The compiled dynamics against a slow simulator, and against itself in every form."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from delivery_fakes import FakeWorld, MaskedRandom, fake_pool, random_deployment
from delivery_reference import Reference

from mlopsim.core.errors import ConfigError, DataError, MlopsimError
from mlopsim.core.spec import make
from mlopsim.delivery.engine import Engine
from mlopsim.delivery.env import DeliveryEnv
from mlopsim.delivery.pool import WorldPool
from mlopsim.delivery.vector import DeliveryVectorEnv
from mlopsim.delivery.walk import replay, walk
from mlopsim.world.spec import WorldSpec


def scenario(seed: int):
    rng = np.random.default_rng(seed)
    classes = int(rng.choice([2, 2, 3]))
    warmup = int(rng.integers(1, 5))
    windows = warmup + int(rng.integers(1, 22))
    dep = random_deployment(rng, classes)
    pool = fake_pool(
        seed, 2, dep.objective, dep.has_canary, windows=windows, warmup=warmup, n_classes=classes, rows=(2, 7)
    )
    blocked = rng.random((2, windows)) < 0.25 if rng.random() < 0.4 else None
    which = rng.integers(0, 2, size=3)
    return rng, dep, pool, blocked, which


@pytest.mark.parametrize("block", range(8))
def test_equal_to_the_reference(block: int) -> None:
    checked = {"retrain": 0, "canary": 0, "evicted": 0, "invalid": 0}
    for seed in range(block * 32, block * 32 + 32):
        rng, dep, pool, blocked, which = scenario(seed)
        selector = MaskedRandom(any_action=seed % 2 == 1, retrain=float(rng.choice([0.2, 0.7])))
        found = walk(selector, pool, dep, which, np.random.SeedSequence(seed).spawn(3), blocked=blocked)
        for i, m in enumerate(which):
            ref = Reference(pool.worlds[m], dep, int(pool.seeds[m]), None if blocked is None else blocked[m])
            for s in range(pool.steps):
                view = selector.views[s]
                want = ref.observe()
                where = f"seed {seed}, walk {i}, decision {s}, {dep}"
                assert list(want) and set(want) == set(view.interface.names), where
                got = dict(zip(view.interface.names, view.obs[i].tolist(), strict=True))
                # the observation is float32
                assert got == {k: float(np.float32(v)) for k, v in want.items()}, where
                assert view.mask[i].tolist() == ref.mask(), where
                assert view.t[i] == ref.t
                padded = ref.registry + [-1] * (dep.slots - len(ref.registry))
                assert view.versions[i].tolist() == padded, where
                assert ref.registry[view.serving[i]] == ref.base, where
                assert [e for e in view.errors[i].tolist() if e >= 0] == ref.errors(), where
                parts, executed = ref.step(int(found.asked[i, s]))
                assert executed == found.executed[i, s], where
                assert {k: v[i, s] for k, v in found.parts.items()} == parts, where
                total = ((parts["quality"] + parts["switch"]) + parts["retrain"]) + parts["shadow"]
                assert found.reward[i, s] == total, where
                checked["retrain"] += executed == dep.slots + 1
                checked["canary"] += ref.candidate is not None
                checked["invalid"] += bool(found.invalid[i, s])
            if dep.budget is not None:
                assert ref.spent <= dep.budget + 1e-9
            checked["evicted"] += len(ref.entered) > len(ref.registry)
            for w in range(pool.warmup, pool.windows):
                assert found.served[i, w] == ref.bases[w] and found.candidate[i, w] == ref.candidates.get(
                    w, -1
                )
            assert (found.served[i, : pool.warmup] == -1).all()
    assert min(checked.values()) > 5, checked


def test_scalar_vector_replay_agree_to_the_bit() -> None:
    for seed in range(60):
        rng, dep, pool, blocked, which = scenario(1000 + seed)
        actions = rng.integers(0, dep.slots + 2, size=(3, pool.steps))
        want = replay(actions, pool, dep, which, blocked=blocked)
        vector = DeliveryVectorEnv(3, deployment=dep, pool=pool, blocked=blocked)
        obs, info = vector.reset(seed=seed, options={"scenario": which})
        assert info["scenario"].tolist() == which.tolist()
        scalars = [DeliveryEnv(deployment=dep, pool=pool, blocked=blocked) for _ in which]
        singles = [e.reset(seed=1, options={"scenario": m})[0] for e, m in zip(scalars, which, strict=True)]
        assert (obs == np.stack(singles)).all()
        for s in range(pool.steps):
            assert (vector.action_masks() == np.stack([e.action_masks() for e in scalars])).all()
            obs, reward, terminated, truncated, info = vector.step(actions[:, s])
            assert not terminated.any() and (truncated == (s == pool.steps - 1)).all()
            assert (reward == want.reward[:, s]).all()
            for i, env in enumerate(scalars):
                o, r, term, trunc, one = env.step(actions[i, s])
                assert not term and trunc == (s == pool.steps - 1)
                assert r == reward[i] and one["executed"] == want.executed[i, s]
                last = info["final_obs"][i] if trunc else obs[i]
                assert (o == last).all()
                source = info["final_info"] if trunc else info
                for name in ("quality", "switch", "retrain", "shadow", "executed", "invalid"):
                    assert one[name] == source[name][i]


def test_golden_numbers() -> None:
    """Raise the version of deployment/standard and of the environment id if these change."""
    pool = fake_pool(42, 2, windows=30)
    dep = make(
        "deployment",
        "standard",
        canary_share=0.25,
        canary_windows=2,
        feedback="shadow",
        shadow_cost=0.001,
        budget=0.2,
        retrain_cost=0.02,
        switch_cost=0.005,
    )
    actions = np.random.default_rng(7).integers(0, 6, size=(2, pool.steps))
    found = replay(actions, pool, dep)
    assert "".join(map(str, found.executed[0])) == "000500000005002000000121005"
    assert "".join(map(str, found.served[1, 3:])) == "222222222266622266666666666"
    assert found.returns == pytest.approx([14.061964285714286, 12.441948412698414], rel=1e-9)
    engine = Engine(pool, dep, 2)
    engine.begin(np.arange(2))
    for s in range(20):
        engine.step(actions[:, s])
    assert engine.obs.sum(axis=1, dtype=np.float64) == pytest.approx(
        [68.1627237200737, 65.45358237810433], rel=1e-9
    )


def test_pool_holds_what_a_world_says(tmp_path: Path) -> None:
    from mlopsim.world.cache import WorldCache
    from mlopsim.world.spec import WorldSpec

    world = WorldCache(tmp_path).open(WorldSpec.of("procedural", "ridge", "last", split="train"))
    pool = WorldPool([world], canary=True)
    later = np.triu(np.ones((world.windows, world.windows), dtype=bool))
    later[: world.v0] = False
    for name, whole in (
        ("reward", world.metric("accuracy")),
        ("quality", world.quality()),
        ("counts", world.confusion),
    ):
        kept = pool.square(name, 0)
        np.testing.assert_array_equal(kept[later], whole[later])
        assert (kept[~later] == 0).all()
    costs = [[0.0, 1.0], [3.0, 0.5]]
    assert (WorldPool([world], costs).square("reward", 0)[later] == world.metric(costs)[later]).all()
    # rows and counts tell the same story
    dep = make("deployment", "standard", canary_share=0.3, canary_windows=3)
    selector = MaskedRandom(retrain=0.5)
    found = walk(selector, pool, dep)
    canaries = 0
    for s, view in enumerate(selector.views):
        u = world.warmup - 1 + s - dep.label_delay
        if u < world.warmup:
            assert (view.errors == -1).all()
            continue
        errors = view.errors[0][view.errors[0] >= 0]
        v = found.served[0, u]
        if found.candidate[0, u] < 0:
            assert (errors == world.errors(v, u)).all()
            assert view["seen_accuracy"][0] == pytest.approx(1 - errors.mean())
        else:
            canaries += 1
            assert 0 < len(errors) < len(world.errors(v, u))
    assert canaries > 5


def test_a_walk_alone_equals_a_walk_among_others() -> None:
    _, dep, pool, blocked, _ = scenario(5)
    seeds = np.random.SeedSequence(3).spawn(2)
    both = walk(MaskedRandom(), pool, dep, [0, 1], seeds, blocked=blocked)
    for i in range(2):
        one = walk(MaskedRandom(), pool, dep, [i], seeds[i : i + 1], blocked=blocked)
        assert (one.executed[0] == both.executed[i]).all() and (one.reward[0] == both.reward[i]).all()


def test_blocked_version_is_paid_and_never_serves() -> None:
    pool = fake_pool(2, 1, windows=20, canary=False)
    dep = make("deployment", "standard", label_delay=0, latency=0)
    actions = np.full((1, pool.steps), 5)
    blocked = np.zeros((1, 20), dtype=bool)
    blocked[0, 3:15] = True
    found = replay(actions, pool, dep, blocked=blocked)
    free = replay(actions, pool, dep)
    assert (found.parts["retrain"] == free.parts["retrain"]).all()
    assert set(found.served[0]) & set(range(3, 15)) == set() and found.served[0].max() >= 15


def test_a_candidate_is_never_evicted() -> None:
    pool = fake_pool(6, 1, windows=24)
    dep = make(
        "deployment",
        "standard",
        slots=3,
        label_delay=0,
        latency=3,
        deploy_on_arrival=False,
        canary_share=0.2,
        canary_windows=6,
    )
    engine = Engine(pool, dep, 1)
    engine.begin(np.array([0]))
    # two versions arrive, 7 becomes the base, then 2 is tried out while a third one is on its way
    wanted = {3: 4, 7: 4, 11: 1, 18: 4, 19: 3}
    for t in range(2, 21):
        action = wanted.get(t, 0)
        assert engine.mask[0, action], (t, engine.versions, engine.mask)
        engine.step(np.array([action]))
    # version 18 arrives at window 22: 3, the oldest version without traffic, goes, not the candidate 2
    assert engine.versions.tolist() == [[7, 3, 2]] and engine.time[0] == 21
    engine.step(np.array([0]))
    assert engine.versions.tolist() == [[18, 7, 2]]
    assert engine.stable[0, 22] == 7 and engine.candidate[0, 22] == 2


def test_centre_and_stagger() -> None:
    pool = fake_pool(3, 4, windows=15, canary=False)
    dep = make("deployment", "standard", label_delay=1, latency=1)
    plain = DeliveryVectorEnv(4, deployment=dep, pool=pool)
    centred = DeliveryVectorEnv(4, deployment=dep, pool=pool, centre=True, stagger=True)
    plain.reset(seed=0)
    centred.reset(seed=0)
    _, r, *_ = plain.step(np.zeros(4, dtype=int))
    _, c, _, ended, info = centred.step(np.zeros(4, dtype=int))
    # at window W only v0 can serve, so nothing is left
    assert (r != 0).any() and (c == 0).all()
    assert ended.tolist() == [True, False, False, False] and info["_scenario"].tolist() == ended.tolist()
    baseline = pool.baseline(3)
    assert baseline[1, 9] == pytest.approx(pool.square("reward", 1)[2:7, 9].mean())
    assert (baseline[:, :3] == 0).all()
    steps = [
        int(np.argmax([centred.step(np.zeros(4, dtype=int))[3][1] for _ in range(6)])),
    ]
    assert steps[0] + 2 == 1 + pool.steps // 4


def test_f1_refuses_a_window_where_it_is_undefined() -> None:
    """The error names World, window, version, cause and remedy; accuracy and costs take the same World."""
    spec = WorldSpec.of({"synthetic": {"windows": 14, "rows": 6, "warmup": 3}}, "lda", index=5, root=2)
    fine, world = (FakeWorld(np.random.default_rng(seed), rows=(6, 6), spec=spec) for seed in (5, 1))
    window, version = 9, 4
    rows = slice(world.bounds[window], world.bounds[window + 1])
    fine.answers[:] = world.answers[:] = 1
    world.y[rows], world.answers[version, rows] = 0, 0
    fine.refresh()
    world.refresh()
    assert WorldPool([fine], "f1").square("reward", 0)[version, window] >= 0
    with pytest.raises(DataError) as caught:
        WorldPool([fine, world], "f1")
    text = str(caught.value)
    assert "f1 is undefined in 1 of 11 windows of World 1 (synthetic(" in text
    assert f"lda, test scenario 5, root 2, {spec.key}), first for version 4 in window 9" in text
    assert "none of its 6 rows has the label 'class-1', and the version answers 'class-1' for none" in text
    assert "remedy: use larger windows, or the metric accuracy or a cost matrix" in text
    for metric in ("accuracy", [[0.0, 1.0], [5.0, 0.0]]):
        assert np.isfinite(WorldPool([fine, world], metric).reward).all()
    # a version never serves the windows that it was trained on: what is undefined there does not matter
    world.answers[:] = 1
    world.answers[window:, rows] = 0
    world.refresh()
    WorldPool([world], "f1")


def test_bad_input_is_refused() -> None:
    pool = fake_pool(4, 2, canary=False)
    dep = make("deployment", "standard")
    with pytest.raises(ConfigError, match="confusion counts"):
        Engine(pool, make("deployment", "standard", canary_share=0.5, canary_windows=2), 1)
    with pytest.raises(ConfigError, match="metric"):
        Engine(pool, make("deployment", "standard", metric="f1"), 1)
    with pytest.raises(ConfigError, match="blocked"):
        Engine(pool, dep, 1, np.zeros((2, 3), dtype=bool))
    with pytest.raises(ConfigError, match="scenarios"):
        replay(np.zeros((1, pool.steps), dtype=int), pool, dep, [7])
    with pytest.raises(MlopsimError, match="actions are"):
        replay(np.full((2, pool.steps), 6), pool, dep)
    engine = Engine(pool, dep, 2)
    with pytest.raises(MlopsimError, match="never started"):
        engine.step(np.zeros(2, dtype=np.int64))
    with pytest.raises(ConfigError, match="different sizes"):
        WorldPool([FakeWorld(np.random.default_rng(0)), FakeWorld(np.random.default_rng(0), windows=15)])
    lonely = FakeWorld(np.random.default_rng(0))
    lonely.y[:] = 0
    lonely.answers[:] = 0
    lonely.refresh()
    for metric, cause in (
        ("f1", "none of its .* rows has the label 'class-1', and the version answers 'class-1' for none"),
        ("precision", "the version answers 'class-1' for none"),
        ("recall", "none of its .* rows has the label 'class-1'"),
    ):
        with pytest.raises(DataError, match=cause):
            WorldPool([lonely], metric)
    for bad in (
        {"slots": 0},
        {"label_delay": -1},
        {"canary_share": 0.0},
        {"slots": 1, "deploy_on_arrival": False},
        {"slots": 1, "canary_share": 0.5, "canary_windows": 1},
        {"cost_matrix": [[0.0, 1.0]]},
        {"budget": -1.0},
    ):
        with pytest.raises(ConfigError):
            make("deployment", "standard", **bad)


def test_a_pool_of_specs_lets_its_worlds_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import gc

    from mlopsim.world.spec import WorldSpec
    from mlopsim.world.world import World

    monkeypatch.setenv("MLOPSIM_CACHE", str(tmp_path))
    stream = {"synthetic": {"windows": 14, "rows": 20, "warmup": 4, "schedule": "abrupt"}}
    specs = [WorldSpec.of(stream, "ridge", "last", split="train", index=i) for i in range(3)]
    few = WorldPool(specs, canary=True)
    gc.collect()
    assert not [found for found in gc.get_objects() if isinstance(found, World) and found.spec in specs]
    kept = WorldPool(few.worlds, canary=True)
    assert few.digest() == kept.digest()
    for one, other in zip(few.rows, kept.rows, strict=True):
        np.testing.assert_array_equal(one, other)
    # the rows of a version from its own last window on, where the reader of errors looks for them
    bits, places, _, bounds = few.rows
    world = few.world(1)
    for v in range(world.v0, world.windows):
        for t in range(v, world.windows):
            rows = np.arange(bounds[1, t], bounds[1, t + 1])
            right = (bits[places[1, v] + (rows >> 3)] >> (7 - (rows & 7))) & 1
            np.testing.assert_array_equal(1 - right, world.errors(v, t))


def test_past_shift_averages_over_windows_that_did_not_train_the_version() -> None:
    from mlopsim.delivery.pool import _shift_features

    ks = np.arange(1.0, 9.0) * np.ones((3, 8))
    shift = np.stack([ks, ks, ks], axis=2)
    # versions 3, 4, 5; the last is trained on its own window only
    past = _shift_features(shift, 3, np.array([0, 1, 5]))[:, :, 3]
    assert past[0, 4] == 0.0 and past[0, 6] == np.mean([5, 6])
    # windows 2, 3, 4 and 6, not 5
    assert past[2, 7] == np.mean([4, 5, 7]) and past[2, 6] == np.mean([3, 4, 5])
