"""Verification, level 3: whether the decisions, taken again from the scenario, give the same record."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from mlopsim.core.errors import DataError, MlopsimError
from mlopsim.governance.record.log import Record, leaf_of, pruned, strict_json
from mlopsim.governance.record.overrides import Override
from mlopsim.governance.record.store import Stored
from mlopsim.governance.record.verdict import Finding, Level

#: makes a record anew: with these decisions replaced, and these actions followed where the method ties
Again = Callable[[Sequence[Override], Mapping[int, int]], Record]
#: what is promised of floats between platforms, relative
TOLERANCE = 1e-9
#: a decision whose margin is smaller may fall the other way on another platform: both values may move
TIE = 2 * TOLERANCE
#: evidence that depends on the platform as a whole: its name, digests of floats
PER_PLATFORM = ("platform", "worlds")
_REMEDY = "the replay is the truth: derive the record anew, and find out who changed this one"


def check_replayed(stored: Stored, cell: str, again: Again, until: int | None = None) -> Level:
    """Check a record against a replay.

    Overrides that are on record are honoured, and named. On the platform of the record every byte is the
    same. On another one decisions are, except where the method says that two of them tie, and floats within
    1e-9.

    Parameters
    ----------
    stored : Stored
    cell : str
    again : callable
        Overrides and tied actions to the record of the replay.
    until : int, optional
        The window up to which the record was written; by default it is whole.

    Returns
    -------
    Level
    """
    record = stored.record(cell)
    try:
        overrides = overrides_of(record)
        return _compare_with(record, overrides, again, until)
    except MlopsimError as error:
        message = f"the record cannot be replayed: {error.message}"
        return Level(findings=[Finding(message=message, remedy=error.remedy or _REMEDY)])


def _compare_with(record: Record, overrides: list[Override], again: Again, until: int | None) -> Level:
    taken: dict[int, int] = {}
    notes = [
        f"override honoured: window {entry.window}, {entry.decision}, by {entry.by}: {entry.reason}"
        for entry in overrides
    ]
    while True:
        made = again(overrides, taken)
        made = made if until is None else made.until(until)
        here, there = _platform(made), _platform(record)
        at = next(
            (i for i, (a, b) in enumerate(_pairs(record, made, "decisions")) if leaf_of(a) != leaf_of(b)),
            None,
        )
        if at is None or here == there:
            break
        tie = _tie(record, made, at)
        if tie is None or tie[0] in taken:
            break
        taken |= dict([tie])
    notes += [
        f"tie: at window {window} the record has another action than a replay on this platform"
        for window in taken
    ]
    findings = []
    if at is not None:
        findings.append(_differs(record, made, "decisions", at))
    findings += _check_length(record, made, like=at is None)
    same = here == there
    if not same:
        notes.append(
            f"made on another platform ({there or 'not told'}): floats are compared within {TOLERANCE:g}"
        )
    if at is None:
        unlike, uncompared = _compare_evidence(record, made, same)
        if unlike is not None:
            findings.append(_differs(record, made, "evidence", unlike))
        if uncompared:
            notes.append(
                f"evidence of {uncompared} pruned records was not compared: its floats may differ here"
            )
    if not findings:
        notes.append(f"{len(record)} records are those of a replay")
    return Level(findings=findings, notes=notes)


def overrides_of(record: Record) -> list[Override]:
    """Return the overrides that are on record.

    Raises
    ------
    ConfigError
        If one of them is no override.
    """
    found = []
    for line in record.decisions:
        value = _value(line)
        if value.get("kind") == "override":
            content = value.get("content")
            content = content if isinstance(content, dict) else {}
            window = value.get("window")
            texts = {name: str(content.get(name, "")) for name in ("decision", "by", "reason")}
            found.append(Override(window=window if type(window) is int else -1, **texts))
    return found


def _value(line: bytes) -> dict[str, Any]:
    """Return a line's content; nothing where it is pruned or no record (the level before says so)."""
    if pruned(line) is not None:
        return {}
    try:
        value = strict_json(line)
    except DataError:
        return {}
    return value if isinstance(value, dict) else {}


def _pairs(record: Record, made: Record, tree: str) -> zip[tuple[bytes, bytes]]:
    return zip(record.lines(tree), made.lines(tree), strict=False)


def _platform(record: Record) -> str | None:
    first = _value(record.evidence[0]).get("values", {}) if record.evidence else {}
    found = first.get("platform") if isinstance(first, dict) else None
    return found if isinstance(found, str) else None


def _tie(record: Record, made: Record, at: int) -> tuple[int, int] | None:
    """Return window and stored action if the first difference is where the method ties."""
    window = _value(made.decisions[at]).get("window")
    for line, evidence in zip(made.decisions, made.evidence, strict=True):
        value = _value(line)
        if value.get("window") == window and value.get("kind") == "window":
            margin = _value(evidence)["values"].get("margin")
            if margin is None or margin > TIE:
                return None
    for line in record.decisions:
        value = _value(line)
        if value.get("window") == window and value.get("kind") == "window":
            action = value["content"].get("action") if isinstance(value.get("content"), dict) else None
            if type(action) is int and type(window) is int:
                return window, action
    return None


def _check_length(record: Record, made: Record, like: bool) -> list[Finding]:
    if len(record) == len(made) == len(record.evidence):
        return []
    message = f"the record has {len(record)} decisions and {len(record.evidence)} pieces of evidence, "
    message += f"the replay {len(made)}"
    remedy = _REMEDY
    last = _value(record.decisions[-1]).get("window") if record.decisions else None
    if like and len(record) < len(made) and type(last) is int:
        remedy += f"; if it was written up to a window, say so: --until {last}"
    return [Finding(message=message, remedy=remedy)]


def _differs(record: Record, made: Record, tree: str, at: int) -> Finding:
    """Name the first record that differs, and in what."""
    one, other = (_value(entry.lines(tree)[at]) for entry in (record, made))
    unlike = [key for key in sorted({*one, *other}) if one.get(key) != other.get(key)] or ["bytes"]
    told = ", ".join(f"{key} {_short(one.get(key))}, replayed {_short(other.get(key))}" for key in unlike[:3])
    what = f"{other.get('kind', 'record')} of window {other.get('window')}"
    return Finding(message=f"{tree}, record {at} ({what}): {told}", remedy=_REMEDY)


def _short(value: Any) -> str:
    text = str(value)
    return text if len(text) <= 120 else f"{text[:117]}..."


def _compare_evidence(record: Record, made: Record, same: bool) -> tuple[int | None, int]:
    """Return the first record whose evidence differs, and how many could not be compared."""
    uncompared = 0
    for i, (mine, theirs) in enumerate(_pairs(record, made, "evidence")):
        if same or leaf_of(mine) == leaf_of(theirs):
            if leaf_of(mine) != leaf_of(theirs):
                return i, uncompared
        elif pruned(mine) is not None:
            uncompared += 1
        elif not _close(_value(mine), _value(theirs)):
            return i, uncompared
    return None, uncompared


def _close(one: Any, other: Any) -> bool:
    """Return whether two contents agree, floats within the promise, but for what is of one platform."""
    if isinstance(one, dict) and isinstance(other, dict):
        return set(one) == set(other) and all(
            key in PER_PLATFORM or _close(one[key], other[key]) for key in one
        )
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_close, one, other))
    if type(one) is float and type(other) is float:
        return math.isclose(one, other, rel_tol=TOLERANCE, abs_tol=0.0)
    return type(one) is type(other) and bool(one == other)
