"""Verification says what is wrong with a record, at the level that can know it; nothing of a sound one."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from record_kit import again_of, cell_of

from mlopsim.core.errors import ConfigError
from mlopsim.governance.record.anchored import check_anchored
from mlopsim.governance.record.events import Event
from mlopsim.governance.record.heads import heads_of
from mlopsim.governance.record.internal import check_internal
from mlopsim.governance.record.log import Record, line_of, prune, record_of
from mlopsim.governance.record.overrides import Override
from mlopsim.governance.record.replayed import check_replayed
from mlopsim.governance.record.store import read_record, stored_of, write_record
from mlopsim.governance.record.verify import verify

METHOD = {"periodic": {"every": 4}}


@pytest.fixture(scope="module")
def again(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Record]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLOPSIM_CACHE", str(tmp_path_factory.mktemp("worlds")))
        made = again_of(METHOD)
        whole = made([], {})

    def found(overrides: Any, taken: Any) -> Record:
        return made(overrides, taken) if overrides or taken else whole

    return found


@pytest.fixture
def record(again: Callable[..., Record]) -> Record:
    return again([], {})


def said(level: Any) -> str:
    return " | ".join(finding.message for finding in level.findings)


def test_a_sound_record_passes_at_every_level(record: Record, again: Any, tmp_path: Any) -> None:
    write_record(tmp_path / record.cell, record)
    stored = read_record(tmp_path / record.cell)
    assert stored.record(record.cell) == record
    heads = [*heads_of(record.until(9)).anchors("heads.csv"), *heads_of(record).anchors("the ledger")]
    found = verify(stored, record.cell, level="replayed", anchors=heads, again=again)
    assert found.passed and list(found.levels) == ["internal", "anchored", "replayed"]
    assert f"anchored up to record {len(record) - 1} (heads.csv, the ledger)" in found.text()
    with pytest.raises(ConfigError, match="did you mean 'replayed'"):
        verify(stored, record.cell, level="replaid")


def test_anchored_up_to_a_record_the_rest_not(record: Record) -> None:
    early = record.until(12)
    level = check_anchored(stored_of(record), record.cell, heads_of(early).anchors("heads.csv"))
    upto = f"anchored up to record {len(early) - 1}; records {len(early)} to {len(record) - 1} are not"
    assert level.passed and all(upto in note for note in level.notes) and len(level.notes) == 2


def test_what_anchors_find(record: Record) -> None:
    cell, stored, heads = record.cell, stored_of(record), heads_of(record)
    assert "nothing is anchored" in said(check_anchored(stored, cell, []))
    # a head of another cell is none of this one
    assert "nothing is anchored" in said(
        check_anchored(stored, cell, replace(heads, cell="other").anchors("x"))
    )
    early = record.until(12)
    level = check_anchored(stored_of(early), cell, [*heads_of(early).anchors("a"), *heads.anchors("git")])
    assert f"truncated: {len(early)} records, {len(record)} in the head of git" in said(level)
    assert f"up to record {len(early) - 1} it is what was published" in said(level)
    two = [*heads.anchors("git"), *replace(heads, decisions=bytes(32)).anchors("the ledger")]
    assert "different roots: git says" in said(check_anchored(stored, cell, two))
    # nothing comes after the end
    longer = replace(
        record,
        decisions=[*record.decisions, record.decisions[-1]],
        evidence=[*record.evidence, record.evidence[-1]],
    )
    assert "go on after record" in said(check_anchored(stored_of(longer), cell, heads.anchors("git")))


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        (b"\n", "no JSON"),
        (b'{"a":1,"a":2}\n', "twice"),
        (b'{"a":NaN}\n', "no number"),
        (b"[" * 5000 + b"\n", "no JSON"),
        (b'{"a":' + b"9" * 5000 + b"}\n", "no JSON"),
        (b"\xff\n", "no JSON"),
        (b"[1]\n", "keys of a record"),
        ({"extra": 1}, "keys of a record"),
        ({"cell": "\x1b[31m"}, "of another cell"),
        ({"seq": True}, "its seq is none"),
        ({"kind": ["begin"]}, "its kind is none"),
        ({"place": "x"}, "its place is none"),
        ({"content": None}, "its content is none"),
        ({"served": "7"}, "its served is none"),
        ({"seq": 4}, "numbered 4"),
        ({"window": 1.5}, "its window is none"),
        ({"kind": "explosion"}, "unknown"),
        ({"context": "risk"}, "its context"),
        ({"window": 99}, "does not follow"),
        ({"place": 3}, "not the next|not the first"),
        ({"kind": "begin"}, "begins once"),
    ],
)
def test_lines_that_are_no_records(record: Record, line: Any, problem: str) -> None:
    at = next(i for i, text in enumerate(record.decisions) if i > 1 and b'"kind":"window"' in text)
    if isinstance(line, dict):
        line = line_of({**json.loads(record.decisions[at]), **line})
    broken = replace(record, decisions=[*record.decisions[:at], line, *record.decisions[at + 1 :]])
    level = check_internal(stored_of(broken), record.cell)
    # the head is that of the broken log, so that only the line can be wrong
    assert re.search(problem, said(level)), said(level)
    assert all(finding.remedy for finding in level.findings)


def test_heads_that_are_not_of_the_log(record: Record) -> None:
    stored, cell = stored_of(record), record.cell
    good = stored.heads["decisions"]
    assert good is not None
    for head, problem in (
        (None, "the head decisions.head is not there"),
        (good[:-20], "truncated"),
        (good.replace(cell, "other"), "of another cell or log: mlopsim/other/decisions"),
        (stored.heads["evidence"], "of another cell or log"),
        (record.until(9).head("decisions").text(), "goes beyond its head"),
        (good.replace("\n", "\nx", 1), "no checkpoint"),
    ):
        level = check_internal(replace(stored, heads={**stored.heads, "decisions": head}), cell)
        assert problem in said(level), said(level)
    # both logs are of the same events
    shorter = replace(record, evidence=record.evidence[:-1])
    assert f"{len(record)} decisions, {len(record) - 1} pieces" in said(
        check_internal(stored_of(shorter), cell)
    )


def test_pruned_payloads_keep_their_leaves(record: Record, again: Any) -> None:
    cell, heads = record.cell, heads_of(record).anchors("git")
    short = prune(record, 5)
    assert prune(short, 5) == short and prune(record, 10**6) == record
    gone = sum(b'"pruned"' in line for line in short.decisions)
    assert gone > 10 and short.leaves("evidence") == record.leaves("evidence")
    stored = stored_of(short)
    assert sum(map(len, stored.logs.values())) < sum(map(len, stored_of(record).logs.values()))
    found = verify(stored, cell, level="replayed", anchors=heads, again=again, keep=5)
    assert found.passed and f"payloads of {gone} records are missing" in found.text()
    assert "by policy, which keeps the last 5 windows" in found.text()
    assert "no retention was given" in said(check_internal(stored, cell))
    assert "6 windows must be kept" in said(check_internal(stored, cell, 6))
    assert check_internal(stored, cell, 4).passed
    # only whole windows from the first on
    for at in (len(record) - 3, 1 + next(i for i, line in enumerate(record.decisions) if b"retrain" in line)):
        line = prune(record, 1).decisions[at]
        if b"pruned" not in line:
            continue
        holes = replace(record, decisions=[*record.decisions[:at], line, *record.decisions[at + 1 :]])
        assert "payloads are missing behind it" in said(check_internal(stored_of(holes), cell, 1))
    # the leaf of another record shows
    lines = list(short.decisions)
    lines[3] = line_of({"pruned": 3, "leaf": json.loads(lines[4])["leaf"]})
    changed = replace(stored, logs=stored_of(replace(short, decisions=lines)).logs)
    assert "do not give the root" in said(check_internal(changed, cell, 5))
    with pytest.raises(ConfigError, match="at least one window"):
        prune(record, 0)


def test_replay_honours_overrides_and_names_them(record: Record, again: Any) -> None:
    at = next(json.loads(line)["window"] for line in record.decisions if b'"kind":"retrain"' in line)
    entry = Override(window=at, decision="keep", by="Ann", reason="holidays")
    ruled = again([entry], {})
    level = check_replayed(stored_of(ruled), record.cell, again)
    assert level.passed and f"override honoured: window {at}, keep, by Ann: holidays" in level.notes
    # an override is never pruned: nobody could replay the rest without it
    short = prune(ruled, 3)
    assert sum(b'"kind":"override"' in line for line in short.decisions) == 1 < at
    assert check_internal(stored_of(short), record.cell, 3).passed
    assert check_replayed(stored_of(short), record.cell, again).passed
    assert "4 windows must be kept" in said(check_internal(stored_of(short), record.cell, 4))
    # it is what was published up to the override, and not after it
    anchors = [*heads_of(record.until(at - 1)).anchors("heads.csv"), *heads_of(record).anchors("the ledger")]
    found = check_anchored(stored_of(ruled), record.cell, anchors)
    assert f"up to record {len(record.until(at - 1)) - 1} it is what was published" in said(found)
    # one that cannot be carried out, or is none
    for change in ({"decision": "deploy 77"}, {"decision": "explode"}, {"by": ""}):
        lines = [
            line_of({**json.loads(line), "content": {**json.loads(line)["content"], **change}})
            if b'"kind":"override"' in line
            else line
            for line in ruled.decisions
        ]
        level = check_replayed(stored_of(replace(ruled, decisions=lines)), record.cell, again)
        assert "cannot be replayed" in said(level)


def test_replay_names_the_first_difference(record: Record, again: Any) -> None:
    at = next(i for i, line in enumerate(record.decisions) if b'"kind":"retrain"' in line)
    value = json.loads(record.decisions[at])
    wrong = line_of({**value, "content": {**value["content"], "version": 77}})
    false = replace(record, decisions=[*record.decisions[:at], wrong, *record.decisions[at + 1 :]])
    level = check_replayed(stored_of(false), record.cell, again)
    assert f"decisions, record {at} (retrain of window {value['window']}): content" in said(level)
    early = record.until(12)
    assert "--until 12" in check_replayed(stored_of(early), record.cell, again).findings[0].remedy
    assert check_replayed(stored_of(early), record.cell, again, until=12).passed
    cut = replace(early, evidence=early.evidence[:-2])
    assert not check_replayed(stored_of(cut), record.cell, again, until=12).passed


def test_whatever_lies_there_is_told_and_nothing_is_raised(record: Record, again: Any) -> None:
    """Values of odd types, lines cut and glued, at every level."""
    odd = [None, True, -1, 10**30, 1.5, "", "\x1b[2J", [], [[]], {}, {"a": {}}, "override", "window", "begin"]
    rng = np.random.default_rng(7)
    heads = heads_of(record).anchors("git")
    for number in range(300):
        tree = ("decisions", "evidence")[int(rng.integers(2))]
        lines = list(record.lines(tree))
        at = int(rng.integers(len(lines)))
        value = json.loads(lines[at])
        part = value["content" if tree == "decisions" else "values"] if rng.random() < 0.4 else value
        if part:
            part[str(rng.choice(list(part)))] = odd[int(rng.integers(len(odd)))]
        made = line_of(value)
        if rng.random() < 0.2:
            made = made[: int(rng.integers(1, len(made)))] + (b"\n" if rng.random() < 0.5 else b"")
        lines[at] = made
        broken = replace(record, **{tree: lines})
        stored = stored_of(broken) if number % 2 else replace(stored_of(record), logs=stored_of(broken).logs)
        found = verify(stored, record.cell, level="replayed", anchors=heads, again=again)
        assert found.text() and (lines == list(record.lines(tree)) or not found.passed)


# -- another platform


def elsewhere(record: Record, *, shift: float = 0.0) -> Record:
    """Return the record as another platform would write it: its name, and floats that differ a little."""

    def moved(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: moved(item) for key, item in value.items()}
        return value * (1.0 + shift) if type(value) is float else value

    lines = []
    for line in record.evidence:
        value = json.loads(line)
        value["values"] = moved(value["values"])
        if value["kind"] == "begin":
            value["values"] |= {"platform": "another", "worlds": "their digest is another one, too"}
        lines.append(line_of(value))
    return replace(record, evidence=lines)


def test_on_another_platform_floats_agree_within_the_promise(record: Record, again: Any) -> None:
    cell = record.cell
    close = check_replayed(stored_of(elsewhere(record, shift=1e-12)), cell, again)
    assert close.passed and "made on another platform (another)" in close.notes[0]
    far = check_replayed(stored_of(elsewhere(record, shift=1e-7)), cell, again)
    assert said(far).startswith("evidence, record 0 (begin of window 4): values")
    # what is pruned cannot be compared, and that is said
    pruned = check_replayed(stored_of(prune(elsewhere(record, shift=1e-12), 5)), cell, again)
    assert pruned.passed and any("was not compared" in note for note in pruned.notes)


class Torn:
    """A toy of a replay: five windows, in one of which two actions tie; what follows depends on it."""

    def __init__(self, mine: int, margin: float) -> None:
        self.mine, self.margin = mine, margin

    def __call__(self, overrides: Any, taken: Any, platform: str = "here") -> Record:
        action = taken.get(2, self.mine)
        events = [
            Event(
                window=0,
                kind="begin",
                trigger="a",
                served=None,
                since=None,
                evidence={"platform": platform},
            )
        ]
        for window in range(5):
            content = {"action": action if window == 2 else 0, "served": action if window > 2 else 0}
            margin = self.margin if window == 2 else 1.0
            events.append(
                Event(
                    window=window,
                    kind="window",
                    trigger="a",
                    served=0,
                    since=0,
                    content=content,
                    evidence={"margin": margin},
                )
            )
        return record_of("3fa9", events)


@pytest.mark.parametrize(
    ("margin", "platform", "passes"), [(1e-12, "there", True), (1e-3, "there", False), (1e-12, "here", False)]
)
def test_a_tie_may_fall_the_other_way_on_another_platform(margin: float, platform: str, passes: bool) -> None:
    stored = stored_of(Torn(1, margin)([], {}, platform))
    level = check_replayed(stored, "3fa9", Torn(2, margin))
    assert level.passed == passes
    if passes:
        assert "tie: at window 2 the record has another action" in level.notes[0]
    else:
        assert "record 3 (window of window 2)" in said(level)


def test_agents_tell_how_close_their_answer_was() -> None:
    from types import SimpleNamespace

    from mlopsim.core.spec import make
    from mlopsim.delivery.agents.network import Network

    agent = make("selector", "maskable_ppo")
    assert agent.tie_margin is None
    agent._network = Network(
        names=("a",),
        shift=np.zeros(1),
        scale=np.ones(1),
        weights=[np.array([[1.0, 0.5, 2.0]])],
        biases=[np.zeros(3)],
        activation="tanh",
    )
    mask = np.array([[True, True, True], [True, True, False], [True, False, False]])
    view: Any = SimpleNamespace(obs=np.full((3, 1), 2.0, np.float32), mask=mask)
    assert agent.act(view).tolist() == [2, 0, 0]
    assert agent.tie_margin.tolist() == [0.5, 0.5, np.inf]


def test_the_heads_in_the_ledger_are_those_of_a_replay() -> None:
    from mlopsim.tracks.delivery.run import run_cells

    track, cell = cell_of(METHOD)
    facts = run_cells([cell], {}, reaction=10)[0].attributes
    assert facts.items() >= heads_of(again_of(METHOD)([], {})).facts().items()
    assert set(track.per_platform) == {"evidence_root"}
