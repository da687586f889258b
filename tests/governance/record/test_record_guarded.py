"""What guards a deployment is on record: verdicts, approvals, suspensions, limits that are broken."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from record_kit import cell_of

from mlopsim.governance.record.deployed import Deployed
from mlopsim.governance.record.derived import events_of
from mlopsim.governance.record.events import FALLBACK
from mlopsim.governance.record.history import History
from mlopsim.governance.record.making import make_record
from mlopsim.governance.record.overrides import Override, Overruled

mechanisms = pytest.importorskip("mlopsim.delivery.mechanisms")


def guarded(seed: int, overrides: Any = (), on_arrival: bool = True, **given: Any) -> Deployed:
    """Roll a random method out over a World with made-up mechanisms."""
    from mlopsim.core.spec import make
    from mlopsim.delivery.walk import walk

    track, cell = cell_of("random", seed, slots=3, latency=1, deploy_on_arrival=on_arrival)
    plain = track.redeploy(cell, {})
    selector = Overruled(make("selector", {"random": {"retrain": 0.5, "deploy": 0.3}}), overrides)
    made = mechanisms.Mechanisms(**given)
    seeds = [np.random.SeedSequence(seed)]
    trajectory = walk(selector, plain.pool, plain.deployment, [0], seeds, mechanisms=made)
    answers = np.array(selector.answers)
    return replace(plain, trajectory=trajectory, mechanisms=made, answers=answers, overrides=tuple(overrides))


def pool_shape() -> tuple[Any, int, int]:
    track, cell = cell_of("random", 0, slots=3, latency=1)
    pool = track.redeploy(cell, {}).pool
    return pool, pool.windows, pool.reward.shape[1]


@pytest.mark.parametrize(
    ("seed", "on_arrival"),
    # 18, 24, 27: something else is deployed in the step in which the version arrives
    [(0, True), (1, True), (2, True), (3, True), (18, False), (24, False), (27, False)],
)
def test_every_verdict_is_on_record_and_who_is_denied_never_serves(seed: int, on_arrival: bool) -> None:
    _, windows, _ = pool_shape()
    rng = np.random.default_rng(seed)
    made = {
        "blocked": rng.random((1, windows)) < 0.3,
        "refused": rng.random((1, windows, windows)) < 0.3,
        "delay": rng.integers(0, 3, (1, windows)),
        "denied": rng.random((1, windows)) < 0.3,
    }
    found = guarded(seed, on_arrival=on_arrival, **made)
    events = events_of(found)
    retrained = [e.content["version"] for e in events if e.kind == "retrain"]
    reviewed = {e.content["version"]: e for e in events if e.kind == "approval"}
    gates = [e for e in events if e.kind == "gate"]
    arrived = {e.content["version"] for e in events if e.kind == "arrival"}
    assert arrived <= set(reviewed) <= set(retrained) and len(gates) == 2 * len(reviewed) > 0
    wrong = {v for v, e in reviewed.items() if e.content["verdict"] == "denied"}
    assert wrong == {v for v in reviewed if made["denied"][0, v]}
    stopped = wrong | {e.content["version"] for e in gates if e.content["verdict"] == "blocked"}
    assert arrived == set(reviewed) - stopped
    served = {e.served for e in events if e.kind == "window"} - {None}
    assert not served & stopped and served <= {found.pool.warmup - 1, *arrived}
    for version, event in reviewed.items():
        decided = next(e for e in events if e.kind == "retrain" and e.content["version"] == version)
        assert event.window == decided.window + 2 + made["delay"][0, version]
    assert all(
        e.content["verdict"] == ("blocked" if made["blocked"][0, e.content["version"]] else "passed")
        for e in gates
        if e.content["gate"] == "absolute"
    )


def test_a_suspend_drill_reaches_the_fallback_within_one_window() -> None:
    _, windows, _ = pool_shape()
    entry = Override(window=10, decision="suspend", by="Ann", reason="drill")
    found = guarded(1, [entry], fallback=np.full((1, windows), 0.5))
    events = events_of(found)
    suspended = next(e for e in events if e.kind == "suspend")
    assert suspended.window == 10 and suspended.trigger == "oversight"
    first = next(e for e in events if e.kind == "window" and e.window == 11)
    assert first.served == FALLBACK and first.evidence["reward"]["quality"] == 0.5
    # it ends where what serves is a version again
    resumed = next(e for e in events if e.kind == "resume")
    after = next(e for e in events if e.kind == "window" and e.window == resumed.window)
    assert after.served == resumed.content["to"] and after.since == resumed.window
    between = [e.served for e in events if e.kind == "window" and 10 < e.window < resumed.window]
    assert set(between) == {FALLBACK}
    assert len(make_record(found)) == len(events)
    # a method that does not know the action is not shown it, and decides as it did
    plain = guarded(1, fallback=np.full((1, windows), 0.5))
    assert found.trajectory.asked[0, :6].tolist() == plain.trajectory.asked[0, :6].tolist()


def test_limits_that_are_broken_begin_and_end() -> None:
    _, _, cells = pool_shape()
    rng = np.random.default_rng(3)
    cost = mechanisms.Costs(
        name="parity",
        true=rng.random((1, cells)),
        seen=np.zeros((1, cells), dtype=np.float32),
        lag=0,
        limit=0.4,
    )
    alarm = rng.random((1, cells)) < 0.3
    found = guarded(2, costs=(cost,), alarm=alarm)
    events = events_of(found)
    above = [False, *(found.trajectory.costs["parity"][0] > 0.4).tolist()]
    first = found.pool.warmup - 1
    for kind, now in (("violation_begin", True), ("violation_end", False)):
        wanted = [first + s for s in range(1, len(above)) if above[s] == now and above[s - 1] != now]
        assert [e.window for e in events if e.kind == kind] == wanted and wanted
    windows_with = [e.window for e in events if e.kind == "alarm"]
    pool = found.pool
    served = [e.served for e in events if e.kind == "window"]
    assert windows_with == [
        first + s
        for s in range(pool.steps)
        if alarm[0, int(pool.cell(first if served[s] is None else served[s], first + s))]
    ]


def test_who_has_switched_the_trigger_off_did_not_know_the_shift() -> None:
    _, _, cells = pool_shape()
    on = mechanisms.EVERY_SWITCH
    told = {}
    for name, switches in (("on", on), ("off", on & ~mechanisms.Switch.TRIGGER)):
        found = guarded(3, alarm=np.zeros((1, cells), dtype=bool), switches=switches)
        known = [History(found).known(s) for s in range(found.pool.steps)]
        told[name] = {"shift" in one for one in known}
    assert told == {"on": {True}, "off": {False}}
