"""Verification, level 1: whether log and head of a record are sound and of each other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mlopsim.core.errors import DataError
from mlopsim.governance.record.checkpoint import read_checkpoint
from mlopsim.governance.record.events import KINDS
from mlopsim.governance.record.log import TREES, leaf_of, origin_of, pruned, split_lines, strict_json
from mlopsim.governance.record.merkle import root_of
from mlopsim.governance.record.store import Stored
from mlopsim.governance.record.verdict import Finding, Level

_KEYS = {
    "decisions": {
        "cell", "content", "context", "kind", "place", "seq", "served", "since", "trigger", "window",
    },
    "evidence": {"cell", "kind", "seq", "values", "window"},
}  # fmt: skip
#: what stands under each key; True is no number
_TYPES: Mapping[str, tuple[type, ...]] = {
    **dict.fromkeys(("cell", "context", "kind", "trigger"), (str,)),
    **dict.fromkeys(("place", "seq", "window"), (int,)),
    **dict.fromkeys(("served", "since"), (int, type(None))),
    **dict.fromkeys(("content", "values"), (dict,)),
}
#: findings that are told of one log
MOST = 3
_ANEW = (
    "compare it with a published head; `mlopsim audit-log write` derives the record anew in another folder"
)


def check_internal(stored: Stored, cell: str, keep: int | None = None) -> Level:
    """Check a record by itself.

    Every line is sound JSON of this cell, numbered from 0 without a gap; the first is ``begin``; windows
    follow one another, each closed by its ``window``; size and root are those of the head; payloads are
    missing only where they may be.

    Parameters
    ----------
    stored : Stored
        What lies in its folder.
    cell : str
        Key of the cell that it should be of.
    keep : int, optional
        Retention: payloads of so many last windows must be there, older ones may be pruned. By default none
        may be missing.

    Returns
    -------
    Level
    """
    findings: list[Finding] = []
    notes: list[str] = []
    read: dict[str, list[Mapping[str, Any] | None]] = {}
    for tree in TREES:
        found, read[tree] = _check_log(stored, tree, cell)
        findings += found[:MOST]
    if not findings:
        findings += _check_pair(read["decisions"], read["evidence"])
    if not findings:
        missing, said = _check_retention(read["decisions"], keep)
        findings += missing
        notes.append(_summary(read["decisions"]))
        notes += said
    return Level(findings=findings, notes=notes)


def _check_log(stored: Stored, tree: str, cell: str) -> tuple[list[Finding], list[Mapping[str, Any] | None]]:
    data, head = stored.logs[tree], stored.heads[tree]
    findings: list[Finding] = []
    if head is None:
        findings.append(
            Finding(
                message=f"the head {tree}.head is not there",
                remedy="take it as it was published, or check the log against a published head",
            )
        )
    if data is None:
        return [*findings, _gone(tree)], []
    lines = split_lines(data)
    if not lines:
        return [*findings, _gone(tree)], []
    if head is not None:
        findings += _check_head(head, tree, cell, lines)
    values: list[Mapping[str, Any] | None] = []
    unsound: list[Finding] = []
    for seq, line in enumerate(lines):
        value, problem = _read_line(line, tree, seq)
        values.append(value)
        if problem:
            unsound.append(Finding(message=f"{tree}, record {seq}: {problem}", remedy=_ANEW))
    foreign = _check_cells(values, tree, cell)
    if tree == "decisions" and not [*unsound, *foreign]:
        unsound += _check_order(values)
    # that a whole log is of another cell tells more than that its head is
    whole = bool(foreign) and all(value is None or value.get("cell") != cell for value in values)
    found = [*findings, *unsound]
    return [*foreign, *found] if whole else [*found, *foreign], values


def _check_cells(values: list[Mapping[str, Any] | None], tree: str, cell: str) -> list[Finding]:
    """Check that every line is of the cell; what is of another one is told once."""
    foreign = [seq for seq, value in enumerate(values) if value is not None and value.get("cell") != cell]
    if not foreign:
        return []
    first = values[foreign[0]]
    assert first is not None
    whose = str(first.get("cell"))[:24]
    which = "the log" if len(foreign) == len(values) else f"record {foreign[0]}"
    message = f"{tree}: {which} is of another cell ({whose})"
    return [
        Finding(message=message, remedy=f"take the record of {cell}, or verify this one under its own key")
    ]


def _gone(tree: str) -> Finding:
    return Finding(
        message=f"the log {tree}.jsonl is not there or empty",
        remedy="a record begins with `begin`: find the log, or derive it with `mlopsim audit-log write`",
    )


def _check_head(text: str, tree: str, cell: str, lines: list[bytes]) -> list[Finding]:
    try:
        head = read_checkpoint(text, f"the head {tree}.head")
    except DataError as error:
        return [Finding(message=error.message, remedy=error.remedy or _ANEW)]
    if head.origin != origin_of(cell, tree):
        return [
            Finding(
                message=f"the head {tree}.head is of another cell or log: {head.origin}",
                remedy=f"take the head of {origin_of(cell, tree)}",
            )
        ]
    if head.size != len(lines):
        what = "is truncated" if head.size > len(lines) else "goes beyond its head"
        return [
            Finding(
                message=f"the log {tree}.jsonl {what}: {len(lines)} records, {head.size} in the head",
                remedy=_ANEW,
            )
        ]
    if head.root != root_of([leaf_of(line) for line in lines]):
        return [Finding(message=f"the lines of {tree}.jsonl do not give the root of the head", remedy=_ANEW)]
    return []


def _read_line(line: bytes, tree: str, seq: int) -> tuple[Mapping[str, Any] | None, str]:
    """Return the content of a line (None where it is pruned) and what is wrong with it."""
    gone = pruned(line)
    if gone is not None:
        return None, "" if gone[0] == seq else f"it is numbered {gone[0]}"
    try:
        value = strict_json(line)
    except DataError as error:
        return None, error.message
    if not line.endswith(b"\n"):
        return None, "its line has no end"
    if not isinstance(value, dict) or set(value) != _KEYS[tree]:
        return None, "it does not have the keys of a record"
    wrong = _wrong_type(value)
    problem = ""
    if wrong:
        problem = f"its {wrong} is none"
    elif value["seq"] != seq:
        problem = f"it is numbered {str(value['seq'])[:24]}"
    elif value["kind"] not in KINDS:
        problem = f"its kind '{str(value['kind'])[:24]}' is unknown"
    elif tree == "decisions" and value["context"] != KINDS[value["kind"]]:
        problem = f"its context is not that of a record of kind {value['kind']}"
    return value, problem


def _wrong_type(value: Mapping[str, Any]) -> str:
    """Return the first key whose value is of another type than that of a record; empty: none."""
    for key, found in value.items():
        kinds = _TYPES[key]
        if type(found) not in kinds:
            return key
    return ""


def _check_order(values: list[Mapping[str, Any] | None]) -> list[Finding]:
    """Check that windows follow one another, each begun at place 0 and closed by its ``window``.

    Payloads may be missing up to some window: of all but the first record and the overrides.
    """
    findings: list[Finding] = []

    def wrong(seq: int, text: str) -> None:
        findings.append(Finding(message=f"decisions, record {seq}: {text}", remedy=_ANEW))

    first = values[0]
    if first is None or first["kind"] != "begin":
        wrong(0, "a record begins with `begin`")
    pruned_to = last_pruned(values)
    for seq, value in enumerate(values[: pruned_to + 1]):
        if seq > 0 and value is not None and value["kind"] != "override":
            wrong(seq, "payloads are missing behind it, and it is there")
    before = first if pruned_to < 0 else None
    for seq, value in enumerate(values[max(1, pruned_to + 1) :], start=max(1, pruned_to + 1)):
        assert value is not None
        if value["kind"] == "begin":
            wrong(seq, "a record begins once")
        elif before is None:
            if value["place"] != 0:
                wrong(seq, "the payloads of a part of its window are missing")
        elif value["window"] == before["window"]:
            if value["place"] != before["place"] + 1:
                wrong(seq, "it is not the next one of its window")
            if before["kind"] == "end" or (before["kind"] == "window" and value["kind"] != "end"):
                wrong(seq, "its window was closed before")
        elif value["window"] != before["window"] + 1 or before["kind"] != "window":
            wrong(seq, f"window {value['window']} does not follow a closed window {before['window']}")
        elif value["place"] != 0:
            wrong(seq, "it is not the first one of its window")
        before = value
    if before is not None and before["kind"] not in ("window", "end"):
        wrong(len(values) - 1, "its window is not closed")
    return findings


def last_pruned(values: Sequence[Mapping[str, Any] | None]) -> int:
    """Return the number of the last record whose payload is missing; -1: none is."""
    return max((seq for seq, value in enumerate(values) if value is None), default=-1)


def _check_pair(
    decisions: list[Mapping[str, Any] | None], evidence: list[Mapping[str, Any] | None]
) -> list[Finding]:
    """Check that both logs are of the same events."""
    if len(decisions) != len(evidence):
        message = f"{len(decisions)} decisions, {len(evidence)} pieces of evidence"
        return [Finding(message=message, remedy=_ANEW)]
    for seq, (one, other) in enumerate(zip(decisions, evidence, strict=True)):
        gone = [value is None for value in (one, other)]
        if any(gone):
            same = all(gone)
        else:
            assert one is not None and other is not None
            same = (one["kind"], one["window"]) == (other["kind"], other["window"])
        if not same:
            return [Finding(message=f"record {seq}: its evidence is that of another event", remedy=_ANEW)]
    return []


def _check_retention(
    values: list[Mapping[str, Any] | None], keep: int | None
) -> tuple[list[Finding], list[str]]:
    missing = sum(value is None for value in values)
    if not missing:
        return [], []
    there = [value for value in values[last_pruned(values) + 1 :] if value is not None]
    if not there:
        return [Finding(message="all payloads are missing", remedy=_ANEW)], []
    first, last = int(there[0]["window"]), int(there[-1]["window"])
    told = (
        f"payloads of {missing} records are missing, up to the window before {first}; their leaves are there"
    )
    if keep is None:
        message = f"{told}; no retention was given that allows it"
        return [
            Finding(message=message, remedy="say how many windows must be kept: --keep N, or find them")
        ], []
    if first > last - keep + 1:
        message = f"{told}: {keep} windows must be kept, from window {last - keep + 1} on"
        return [Finding(message=message, remedy="find the payloads, or derive them again")], []
    return [], [f"{told}: by policy, which keeps the last {keep} windows"]


def _summary(values: list[Mapping[str, Any] | None]) -> str:
    there = [value for value in values if value is not None]
    first, last = there[0]["window"], there[-1]["window"]
    ended = "" if there[-1]["kind"] == "end" else "; the deployment goes on after it"
    return f"{len(values)} records, windows {first} to {last}{ended}"
