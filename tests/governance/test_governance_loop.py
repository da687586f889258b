"""The closed loop: versions behind a data gate, release audits, alarms, review, all put together."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest

from mlopsim.core.errors import ConfigError
from mlopsim.core.registry import names
from mlopsim.core.spec import canonical, make
from mlopsim.delivery.mechanisms import FALLBACK, Switch
from mlopsim.delivery.pool import WorldPool
from mlopsim.delivery.walk import walk
from mlopsim.governance.loop.alarms import alarms_of
from mlopsim.governance.loop.compliance import cost_square
from mlopsim.governance.loop.release import blocked_by_audits, held_out, refused_by_gates
from mlopsim.governance.loop.review import bad_versions
from mlopsim.quality.case import Case
from mlopsim.quality.stages import Material, versions_right
from mlopsim.world.build import build_world
from mlopsim.world.cache import WorldCache
from mlopsim.world.spec import WorldSpec

BASE = {"synthetic": {"windows": 18, "rows": 60, "warmup": 4, "concept": "sea", "noise": 0.1}}
WRONG = {
    "corrupted": {
        "base": BASE, "injector": "label_noise", "rate": 0.45, "timing": {"burst": {"at": 7, "length": 4}},
    }
}  # fmt: skip
PEOPLE = {
    "population": {
        "windows": 20, "warmup": 4, "per_group": 150, "bias": "proxy", "strength": 1.5,
        "timing": {"step": {"at": 10}},
    }
}  # fmt: skip
LAST = {"last": {"windows": 3}}


def spec_of(stream: Any, gate: Any = None, learner: str = "ridge", index: int = 0) -> WorldSpec:
    training: Any = LAST if gate is None else {"guarded": {"gate": gate, "base": LAST}}
    return WorldSpec.of(stream, learner, training, index=index)


def pool_of(*specs: WorldSpec) -> WorldPool:
    return WorldPool([build_world(spec) for spec in specs])


# versions behind a data gate


@pytest.mark.parametrize("learner", ["ridge", "tree"])
def test_without_errors_and_gate_a_guarded_world_is_the_plain_one(learner: str) -> None:
    plain, guarded = build_world(spec_of(BASE, None, learner)), build_world(spec_of(BASE, "none", learner))
    for name, array in plain.arrays.items():
        assert (getattr(guarded, name) == array).all() or name == "bayes", name


@pytest.mark.parametrize("gate", ["none", "oracle", "loss", {"zscore": {"action": "weight"}}])
def test_versions_are_those_of_the_quality_track(gate: Any) -> None:
    """Trained on what the gate lets through, judged on the clean rows, as that track does it."""
    spec = spec_of(WRONG, gate)
    one = build_world(spec)
    source = make("stream", spec.stream)
    clean, seen = source.clean(spec.scenario_seed), source.generate(spec.scenario_seed)
    case = Case(clean=clean, seen=seen, learner=spec.learner, starts=np.maximum(np.arange(18) - 2, 0))
    fed = one.source.fed
    assert fed is not None
    material = Material(rows=dataclasses.replace(case.seen_rows, Z=fed.X), keep=fed.keep, weight=fed.weight)
    right = versions_right(case, material, case.clean_rows, np.arange(3, 18))
    bits = np.unpackbits(one.bits[3:], axis=1)[:, : len(clean.y)]
    assert (bits.astype(bool) == right).all()
    assert (one.y == clean.y).all()
    if gate == "oracle":
        assert not case.wrong[fed.keep].any()


def test_a_gate_that_finds_every_error_gives_the_versions_of_clean_rows() -> None:
    gated = build_world(spec_of(WRONG, "oracle")).metric()
    wild, clean = build_world(spec_of(WRONG, "none")).metric(), build_world(spec_of(BASE)).metric()
    hit = np.triu_indices(18, 1)
    # fewer rows, all of them right
    assert np.abs(gated - clean)[hit].mean() < np.abs(wild - clean)[hit].mean() / 2
    assert (wild[8:11] - clean[8:11]).mean() < -0.05


def test_a_guarded_world_is_cached_and_refits_its_versions(tmp_path: Any) -> None:
    spec = spec_of(WRONG, "oracle")
    built = build_world(spec)
    stored = WorldCache(tmp_path).open(spec)
    assert stored.digest() == built.digest() and spec.key != spec_of(WRONG, "none").key
    for v in (3, 8, 17):
        assert (stored.model(v).predict(stored.source.fed.judged) == stored.y).astype(int).tolist() == (
            np.unpackbits(stored.bits[v])[: len(stored.y)].tolist()
        )


def test_rows_that_a_bias_keeps_back_are_not_trained_on() -> None:
    stream = {"population": {**PEOPLE["population"], "bias": "under_representation", "strength": 0.9}}
    one = build_world(spec_of(stream, "none"))
    kept = one.source.stream.bias.kept
    assert not kept.all() and (one.source.fed.keep == kept).all()


def test_a_release_gate_is_no_data_gate() -> None:
    with pytest.raises(ConfigError, match="judges versions"):
        make("training", "guarded", gate="accuracy_drop")
    with pytest.raises(ConfigError, match="its own base"):
        make("training", "guarded", base="guarded")


# what stops a version


def test_audits_block_versions_that_are_biased_and_few_others() -> None:
    dep = make("deployment", "standard", label_delay=1, latency=3)
    fair = {"population": {**PEOPLE["population"], "strength": 0.0}}
    pool = pool_of(spec_of(PEOPLE), *(spec_of(fair, index=i) for i in range(6)))
    blocked = blocked_by_audits(pool, ["demographic_parity", "equal_opportunity"], 0.05, dep)
    # held-out rows of version 6 and later are biased, those of 4 and 5 are only in part
    assert blocked[0, 9:17].all() and not blocked[:, :4].any()
    assert blocked[1:].mean() < 0.15


def test_an_audit_looks_at_held_out_rows_only() -> None:
    """Rows from the arrival on, and those of its training, change no verdict."""
    dep = make("deployment", "standard", label_delay=1, latency=2)
    pool = pool_of(spec_of(PEOPLE))
    audits = ["demographic_parity", "equal_opportunity"]
    want = blocked_by_audits(pool, audits, 0.05, dep)
    v = 9
    low, high = held_out(v, dep, labels=False)
    world = pool.world(0)
    bits = world.bits.copy()
    rows = np.unpackbits(bits[v])
    rows[: world.bounds[low]] ^= 1
    rows[world.bounds[high + 1] :] ^= 1
    bits[v] = np.packbits(rows)
    world.bits = bits
    assert (blocked_by_audits(pool, audits, 0.05, dep) == want).all()
    rows[world.bounds[low] : world.bounds[high + 1]] = world.g[world.bounds[low] : world.bounds[high + 1]]
    bits[v] = np.packbits(rows)
    assert blocked_by_audits(pool, audits, 0.05, dep)[0, v]


@pytest.mark.parametrize("name", ["accuracy_drop", "weak_slices"])
def test_release_gates_say_what_the_gate_says_of_each_pair(name: str) -> None:
    dep = make("deployment", "standard", label_delay=1, latency=3)
    pool = pool_of(spec_of(WRONG, "none"))
    refused = refused_by_gates(pool, [name], dep)
    assert refused[0].any() and not np.triu(refused[0]).any() and not refused[0][:, :3].any()
    gate, world = make("gate", name), pool.world(0)
    stream, encoded = world.stream(), world.encoded()
    from mlopsim.quality.gate import Rows

    for v in range(4, 18):
        low, high = held_out(v, dep, labels=True)
        part = (
            slice(int(world.bounds[low]), int(world.bounds[min(high, 17) + 1])) if low <= 17 else slice(0, 0)
        )
        rows = Rows(
            X=stream.X[part], Z=encoded[part], y=stream.y[part], n_classes=2, features=stream.features,
            categorical=tuple(stream.categories),
        )  # fmt: skip
        right = np.unpackbits(world.bits, axis=1).astype(bool)[:, part]
        for s in range(3, v):
            assert (
                refused[0, v, s] == gate.verdict(right[v], right[s], rows, world.g[part].astype(int)).blocked
            )


def test_a_reviewer_should_deny_what_does_harm_or_breaks_a_constraint() -> None:
    dep = make(
        "deployment", "governed", label_delay=1, latency=1, harm=0.05,
        constraints=[{"accuracy_floor": {"floor": 0.8}}],
    )  # fmt: skip
    pool = pool_of(spec_of(WRONG, "none"))
    costs = dep.mechanisms(pool).costs
    bad = bad_versions(pool, costs, dep)
    reward, square = pool.square("reward", 0), cost_square(pool, costs[0], 0)
    for v in range(4, 18):
        w = v + 3
        want = w < 18 and (square[v, w] > 0 or reward[3:v, w].max() > reward[v, w] + 0.05)
        assert bad[0, v] == want
    assert bad[0, 8:11].all() and not bad[0, :4].any()


def test_alarms_are_those_of_the_detector_on_the_rows() -> None:
    pool = pool_of(spec_of(PEOPLE))
    detector = make("detector", "ks", alpha=0.001)
    square = np.zeros((20, 20), dtype=bool)
    square[np.triu_indices(17)[0] + 3, np.triu_indices(17)[1] + 3] = alarms_of(pool, detector)[0]
    rows = pool.inputs[0]
    for v in (3, 7, 12):
        for t in range(v + 1, 20):
            one = make("detector", "ks", alpha=0.001)
            one.reset(np.random.default_rng([rows.seed, v, v + 1]))
            one.begin_from(rows.training(v), 300)
            assert square[v, t] == (one.advance_freely(rows.window(t)[None])[0] > one.threshold)
    # the merits of one group are measured too low from window 10 on
    assert square[3, 10:].mean() > 0.5 > square[3, 4:10].mean()


def test_controls_alarm_by_the_world_and_look_at_no_rows() -> None:
    rule = {"abrupt": {"duration": {"geometric": {"mean": 8}}}}
    turning = {"population": {"windows": 20, "warmup": 4, "per_group": 40, "turns": [0, 90], "rule": rule}}
    pool = pool_of(spec_of(turning), spec_of(turning, index=1))

    def square(detector: Any) -> np.ndarray:
        found = np.zeros((2, 20, 20), dtype=bool)
        v, t = np.triu_indices(17)
        found[:, v + 3, t + 3] = alarms_of(pool, detector)
        return found

    drawn = square({"random": {"rate": 0.3}})
    # the same for all versions that came before a window, other draws in another World, and again the same
    assert (drawn[:, 9, 10:] == drawn[:, 3, 10:]).all()
    assert (drawn[0] != drawn[1]).any() and (drawn == square({"random": {"rate": 0.3}})).all()
    assert not np.diagonal(drawn, axis1=1, axis2=2).any()
    assert 0.1 < drawn[:, 3, 4:].mean() < 0.5
    assert not square("never").any()
    # what was trained before a change is out of date from then on
    known = square("clairvoyant")
    for i in range(2):
        world = pool.world(i)
        changes = [np.searchsorted(world.bounds, e.start, side="right") - 1 for e in world.events or ()]
        assert any(4 < c < 19 for c in changes)
        for v in range(3, 20):
            assert known[i, v].tolist() == [any(v < c <= t for c in changes) for t in range(20)]


def test_release_at_random_is_keyed_by_the_version() -> None:
    pool = pool_of(spec_of(PEOPLE))
    deployment = make("deployment", "governed", **TIMES)
    refused = refused_by_gates(pool, [canonical("gate", {"random_release": {"alpha": 0.4}})], deployment)[0]
    # whatever serves, and again the same
    for v in range(4, 20):
        assert len(set(refused[v, 3:v])) == 1
    stopped = [bool(refused[v, 3]) for v in range(4, 19)]
    assert 1 <= sum(stopped) <= 12
    again = refused_by_gates(pool, [canonical("gate", {"random_release": {"alpha": 0.4}})], deployment)[0]
    assert (refused == again).all()
    # draws of a World are uniform: at another rate those that are stopped are stopped, too
    more = refused_by_gates(pool, [canonical("gate", {"random_release": {"alpha": 0.9}})], deployment)[0]
    assert (more | ~refused).all() and more.sum() > refused.sum()


def test_a_trigger_compares_windows_by_themselves() -> None:
    with pytest.raises(ConfigError, match="by itself"):
        make("deployment", "governed", trigger="adwin")


# all together

EVERYTHING: dict[str, Any] = {
    "latency": 3, "label_delay": 1, "fallback": 0.6, "release": ["accuracy_drop"],
    "audits": ["demographic_parity"], "reviewer": {"fallible": {"delay": 1}}, "trigger": "ks",
    "constraints": ["demographic_parity", {"accuracy_floor": {"floor": 0.75}}, "churn"],
}  # fmt: skip
TIMES = {"latency": 3, "label_delay": 1}


def test_what_a_governed_deployment_has_is_on() -> None:
    pool = pool_of(spec_of(PEOPLE), spec_of(PEOPLE, "none"), spec_of(PEOPLE, "oracle"))
    mech = make("deployment", "governed", **EVERYTHING).mechanisms(pool)
    assert mech.switches == Switch.AUDITS | Switch.REVIEW | Switch.ROLLBACK | Switch.SUSPEND | Switch.TRIGGER
    assert mech.guarded.tolist() == [False, False, True]
    assert mech.constraints == ("demographic_parity", "accuracy_floor", "churn")
    assert make("deployment", "governed").mechanisms(pool).switches == Switch.ROLLBACK
    # made once for a pool
    assert make("deployment", "governed", **EVERYTHING).mechanisms(pool) is mech


def test_without_anything_it_is_the_standard_deployment_for_every_selector() -> None:
    pool = pool_of(spec_of(BASE), spec_of(WRONG))
    standard, governed = make("deployment", "standard", **TIMES), make("deployment", "governed", **TIMES)
    for name in names("selector"):
        selector = make("selector", name)
        if getattr(selector, "agent", False):
            continue
        want = walk(selector, pool, standard)
        found = walk(make("selector", name), pool, governed)
        for field in ("asked", "executed", "served", "candidate", "reward", "retrained"):
            assert (getattr(found, field) == getattr(want, field)).all(), (name, field)


def test_every_selector_of_the_delivery_copes_with_everything() -> None:
    pool = pool_of(spec_of(PEOPLE, "none"), spec_of(PEOPLE, "oracle"))
    dep = make("deployment", "governed", **EVERYTHING)
    for name in names("selector"):
        selector = make("selector", name)
        if getattr(selector, "agent", False):
            continue
        found = walk(selector, pool, dep)
        assert set(found.costs) == set(dep.mechanisms(pool).constraints)
        assert (found.served[:, 4:] != FALLBACK).all() or getattr(selector, "can_suspend", False), name


def test_a_rubber_stamp_serves_as_a_delay_does_to_the_bit() -> None:
    pool = pool_of(*(spec_of(WRONG, "none", index=i) for i in range(2)))
    for delay in (0, 1, 4):
        found = [
            walk(
                make("selector", "periodic", every=3), pool,
                make("deployment", "governed", **TIMES, reviewer={name: {"delay": delay}}),
            )
            for name in ("rubber_stamp", "delayed")
        ]  # fmt: skip
        assert (found[0].reward == found[1].reward).all() and (found[0].served == found[1].served).all()
        if delay == 0:
            none = walk(make("selector", "periodic", every=3), pool, make("deployment", "governed", **TIMES))
            assert (found[0].reward == none.reward).all()


def test_a_longer_review_serves_later_and_a_perfect_one_serves_no_bad_version() -> None:
    pool = pool_of(*(spec_of(WRONG, "none", index=i) for i in range(4)))
    first = []
    for delay in range(4):
        dep = make("deployment", "governed", **TIMES, reviewer={"delayed": {"delay": delay}})
        served = walk(make("selector", "every_step"), pool, dep).served
        first.append(int((served[0] > 3).argmax()))
    assert first == [first[0] + delay for delay in range(4)]
    perfect = {"fallible": {"sensitivity": 1.0, "specificity": 1.0, "delay": 0}}
    dep = make("deployment", "governed", **TIMES, reviewer=perfect)
    bad = bad_versions(pool, (), dep)
    served = walk(make("selector", "every_step"), pool, dep).served
    for m in range(4):
        assert bad[m].any() and not bad[m, served[m, 4:]].any()


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"fallback": 0.5, "slots": 1}, "at least 2 with a fallback"),
        ({"constraints": ["churn", {"churn": {"limit": 0.2}}]}, "listed twice"),
        ({"audits": ["demographic_parity", "demographic_parity"]}, "listed twice"),
        ({"audits": ["traditional"]}, "battery"),
        ({"audits": ["four_fifths"]}, "exact test"),
        ({"release": ["zscore"]}, "judges rows"),
        ({"release": ["accuracy_drop", "accuracy_drop"]}, "listed twice"),
        ({"reviewer": "nobody"}, "unknown reviewer"),
        ({"alpha": 0.0}, "alpha"),
    ],
)
def test_deployments_that_cannot_be_are_refused(params: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        make("deployment", "governed", **params)
