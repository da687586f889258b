"""What is on record is what happened: the trajectory can be told from it, and nothing that came later."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from record_kit import again_of, deployed

from mlopsim.core.errors import ConfigError, DataError
from mlopsim.governance.record.derived import events_of
from mlopsim.governance.record.events import KINDS, Event
from mlopsim.governance.record.log import prune
from mlopsim.governance.record.making import make_record
from mlopsim.governance.record.overrides import Override, read_override
from mlopsim.governance.record.told import tell

METHODS: list[tuple[Any, dict[str, Any]]] = [
    ({"periodic": {"every": 4}}, {}),
    ({"random": {"retrain": 0.4, "deploy": 0.4}}, {"slots": 2, "latency": 0, "label_delay": 1}),
    ({"random": {"retrain": 0.4, "deploy": 0.4}}, {"deploy_on_arrival": False, "latency": 3}),
    (
        {"random": {"retrain": 0.4, "deploy": 0.3}},
        {"canary_share": 0.25, "canary_windows": 2, "feedback": "deployed"},
    ),
    ({"random": {"retrain": 0.5, "deploy": 0.3}}, {"budget": 0.35, "slots": 3}),
    ("ddm", {}),
    ("oracle", {}),
]


@pytest.mark.parametrize(("method", "deployment"), METHODS, ids=str)
def test_the_trajectory_is_told_by_the_record(method: Any, deployment: dict[str, Any]) -> None:
    found = deployed(method, **deployment)
    events, trajectory, pool = events_of(found), found.trajectory, found.pool
    first, last = pool.warmup - 1, pool.windows - 1
    assert [e.kind for e in (events[0], events[-1])] == ["begin", "end"]
    closing = [e for e in events if e.kind == "window"]
    assert [e.window for e in closing] == list(range(first, last + 1))
    # what served, and since when
    served = [e.served for e in closing[1:]]
    assert served == trajectory.served[0, first + 1 :].tolist() and closing[0].served is None
    for event in closing[1:]:
        assert event.since is not None and event.served is not None
        run = trajectory.served[0, event.since : event.window + 1]
        assert set(run.tolist()) == {event.served}
        assert event.since == first + 1 or trajectory.served[0, event.since - 1] != event.served
    canaries = [-1 if e.content["candidate"] is None else e.content["candidate"] for e in closing[1:]]
    assert canaries == trajectory.candidate[0, first + 1 :].tolist()
    # what was decided, and what was impossible
    assert [e.content["action"] for e in closing[:-1]] == trajectory.asked[0].tolist()
    impossible = [e.window for e in events if e.kind == "impossible"]
    assert impossible == (first + np.flatnonzero(trajectory.invalid[0])).tolist()
    retrains = [e for e in events if e.kind == "retrain"]
    assert [e.window for e in retrains] == (first + np.flatnonzero(trajectory.retrained[0])).tolist()
    assert all(e.content["version"] == e.window - found.deployment.label_delay for e in retrains)
    # every version arrives once, so many windows after its retrain; what left had been there
    arrived = {e.content["version"]: e.window for e in events if e.kind == "arrival"}
    due = {e.content["version"]: e.window + 1 + found.deployment.latency for e in retrains}
    assert arrived == {v: w for v, w in due.items() if w <= last}
    evicted = [e.content["version"] for e in events if e.kind == "evict"]
    assert set(evicted) <= {first, *arrived} and len(set(evicted)) == len(evicted)
    assert len({first, *arrived}) - len(evicted) <= found.deployment.slots
    # the traffic moves where what serves, or its canary, changes
    pairs = np.stack([trajectory.served[0], trajectory.candidate[0]])
    moved = [w for w in range(first + 2, last + 1) if (pairs[:, w] != pairs[:, w - 1]).any()]
    moves = [e.window for e in events if e.kind == "switch"]
    assert [w for w in moves if w > first + 1] == moved
    # nothing in what was decided is a float
    assert all("." not in json.dumps(e.content["action"]) for e in closing)
    rewards = [e.evidence["reward"]["quality"] for e in closing[1:]]
    assert rewards == trajectory.parts["quality"][0].tolist()


@pytest.mark.parametrize(("method", "deployment"), METHODS, ids=str)
def test_a_deployment_is_rebuilt_from_its_records_alone(method: Any, deployment: dict[str, Any]) -> None:
    """The lines give what served; its actions, carried out, give the same deployment to the bit."""
    from mlopsim.delivery.walk import replay

    found = deployed(method, **deployment)
    told, trajectory, first = tell(make_record(found)), found.trajectory, found.pool.warmup - 1
    assert told.served.tolist() == trajectory.served[0, first:].tolist()
    assert told.candidate.tolist() == trajectory.candidate[0, first:].tolist()
    assert told.action[-1] == -1 and told.first == first
    again = replay(told.action[None, :-1], found.pool, found.deployment)
    assert (again.served == trajectory.served).all() and (again.reward == trajectory.reward).all()
    for window in range(first + 1, found.pool.windows):
        served, since = told.at(window)
        assert set(trajectory.served[0, since : window + 1].tolist()) == {served}
    with pytest.raises(ConfigError, match="no window 99"):
        told.at(99)


def test_blocked_versions_are_gated() -> None:
    from dataclasses import replace

    from mlopsim.delivery.walk import replay

    found = deployed({"periodic": {"every": 4}})
    blocked = np.zeros((1, found.pool.windows), dtype=bool)
    version = next(e.content["version"] for e in events_of(found) if e.kind == "retrain")
    blocked[0, version] = True
    again = replay(found.trajectory.asked, found.pool, found.deployment, blocked=blocked)
    events = events_of(replace(found, trajectory=again, blocked=blocked))
    assert [e.content for e in events if e.kind == "gate"] == [
        {"version": version, "gate": "absolute", "verdict": "blocked"}
    ]
    assert version not in [e.content["version"] for e in events if e.kind == "arrival"]
    assert version not in [e.served for e in events]


def test_alarms_are_on_record_where_the_method_tells_them() -> None:
    found = deployed("ddm")
    alarms = [e.window for e in events_of(found) if e.kind == "alarm"]
    assert alarms and alarms == (found.pool.warmup - 1 + np.flatnonzero(found.alarms)).tolist()


@pytest.mark.parametrize("window", [4, 9, 15, 22, 23])
def test_an_early_record_is_the_beginning_of_the_late_one(window: int) -> None:
    """Nothing on record was known later: cut Worlds give the same lines."""
    record = make_record(deployed({"random": {"retrain": 0.4}}))
    early = record.until(window)
    for tree in ("decisions", "evidence"):
        assert list(early.lines(tree)) == list(record.lines(tree)[: len(early)])
    last = [json.loads(line) for line in early.decisions[-2:]]
    assert last[-1]["window"] == window and "window" in {entry["kind"] for entry in last}


def test_overrides_replace_decisions_and_are_on_record() -> None:
    method = {"periodic": {"every": 4}}
    plain = events_of(deployed(method))
    at = next(e.window for e in plain if e.kind == "retrain")
    entry = Override(window=at, decision="keep", by="Ann", reason="<b>holidays</b>\x07\u2028")
    events = events_of(deployed(method, overrides=[entry]))
    found = [e for e in events if e.kind == "override"]
    assert [(e.window, dict(e.content), e.trigger) for e in found] == [
        (
            at,
            {"decision": "keep", "instead_of": "retrain", "by": "Ann", "reason": entry.reason},
            "oversight",
        )
    ]
    assert at not in [e.window for e in events if e.kind == "retrain"]
    # up to the decision nothing differs, and the record of both is the same
    before = [e for e in events if e.window < at]
    assert before == [e for e in plain if e.window < at]
    # back to an old version by hand: the selector goes on
    arrived = next(e for e in plain if e.kind == "arrival")
    back = Override(window=arrived.window + 1, decision="deploy 4", by="Ann", reason="complaints")
    events = events_of(deployed(method, overrides=[back]))
    assert [e.content["version"] for e in events if e.kind == "rollback"] == [4]
    moved = next(e for e in events if e.kind == "switch" and e.window == back.window + 1)
    assert moved.trigger == "oversight" and moved.served == 4


def test_overrides_that_make_no_sense() -> None:
    say = {"by": "Ann", "reason": "x"}
    for text, said in (
        ("x=keep", "no override"),
        ("keep", "no override"),
        ("3=explode", "no decision"),
        ("3=deploy x", "no decision"),
    ):
        with pytest.raises(ConfigError, match=said):
            read_override(text, **say)
    with pytest.raises(ConfigError, match="who decided and why"):
        read_override("9=keep", by="", reason="x")
    one = read_override("9=keep", **say)
    for overrides, said in (
        ([one, one], "overruled twice"),
        ([read_override("99=keep", **say)], "no decision at window 99"),
        ([read_override("23=keep", **say)], "no decision at window 23"),
        ([read_override("9=deploy 7", **say)], "not in the registry"),
        ([read_override("9=suspend", **say)], "no fallback"),
    ):
        with pytest.raises(ConfigError, match=said) as error:
            deployed("never", overrides=overrides)
        assert error.value.remedy
    with pytest.raises(ConfigError, match="cannot be overruled"):
        deployed("oracle", overrides=[one])


def test_an_event_knows_what_it_is() -> None:
    with pytest.raises(ConfigError, match="did you mean 'alarm'"):
        Event(window=1, kind="alarn", trigger="x", served=None, since=None)
    for content in ({"p": 0.5}, {"a": [{"b": np.float64(1)}]}, {"a": np.int64(1)}):
        with pytest.raises(ConfigError, match="evidence"):
            Event(window=1, kind="alarm", trigger="x", served=None, since=None, content=content)
    assert set(KINDS.values()) == {"risk", "monitoring", "operation"}


def test_a_part_of_a_record_tells_no_whole_deployment() -> None:
    record = again_of("ddm")([], {})
    with pytest.raises(DataError, match="payloads"):
        tell(prune(record, 3))
    with pytest.raises(DataError, match="no window"):
        tell(type(record)(cell=record.cell, decisions=record.decisions[:1], evidence=record.evidence[:1]))


def test_no_clock_and_the_same_bytes_twice() -> None:
    again = again_of("ddm", seed=1)
    one, other = again([], {}), again([], {})
    assert one == other and len(set(one.leaves("decisions"))) == len(one)


def test_the_page_names_every_kind_of_event() -> None:
    page = (Path(__file__).parents[3] / "docs" / "record.md").read_text(encoding="utf-8")
    table = [line.split("|")[1] for line in page.splitlines() if line.startswith("| `")]
    assert sorted(re.findall(r"`([a-z_]+)`", " ".join(table))) == sorted(KINDS)
