"""Attacks on the record of a deployment, by what the attacker may rewrite.

Whoever may rewrite the head makes the log whole as well: numbers it anew and hashes it again. What each
attack does stands in ``conf/experiment/tamper_matrix.yaml``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from mlopsim.governance.record.anchored import check_anchored
from mlopsim.governance.record.heads import Heads, heads_of
from mlopsim.governance.record.internal import check_internal
from mlopsim.governance.record.log import TREES, Record, line_of, prune
from mlopsim.governance.record.replayed import Again, check_replayed
from mlopsim.governance.record.store import Stored, stored_of

#: what an attacker may rewrite, from little to much
POWERS = ("log", "log_head", "log_head_ledger")
#: a record as pairs of lines: decision and evidence of one event
Rows = list[tuple[bytes, bytes]]


@dataclass(frozen=True, kw_only=True)
class Target:
    """A deployment whose record is attacked.

    Parameters
    ----------
    record : Record
        The true one.
    other : Record
        That of another cell.
    again : callable
        Takes the decisions again.
    overruled : Record
        What the record would be had somebody overruled one decision.
    keep : int
        Retention in windows.
    """

    record: Record
    other: Record
    again: Again
    overruled: Record
    keep: int


@dataclass(frozen=True, kw_only=True)
class Scene:
    """What verification finds: what lies in the folder, and what was published where."""

    stored: Stored
    ledger: Sequence[Heads]
    heads: Sequence[Heads] = field(default=())

    def found(self, target: Target) -> dict[str, bool]:
        """Return which level reports something, each alone."""
        cell, stored = target.record.cell, self.stored
        anchors = {
            name: [anchor for entry in published for anchor in entry.anchors(name)]
            for name, published in (("ledger", self.ledger), ("heads", self.heads))
        }
        levels = {
            "internal": check_internal(stored, cell, target.keep),
            "ledger": check_anchored(stored, cell, anchors["ledger"]),
            "heads": check_anchored(stored, cell, anchors["heads"]),
            "replayed": check_replayed(stored, cell, target.again),
        }
        return {name: not level.passed for name, level in levels.items()}


def untouched(target: Target) -> Scene:
    """Return the scene before any attack: heads of the whole record, and of half of it."""
    return Scene(
        stored=stored_of(target.record),
        ledger=[heads_of(target.record)],
        heads=published(target.record),
    )


def published(record: Record) -> list[Heads]:
    """Return what was published of a record in the course of its deployment."""
    return [heads_of(record.until(boundaries(record)[-1] // 2 + 1)), heads_of(record)]


# -- lines


def rows_of(record: Record) -> Rows:
    """Return a record as pairs of lines."""
    return list(zip(record.decisions, record.evidence, strict=True))


def record_with(cell: str, rows: Rows) -> Record:
    """Return pairs of lines as a record."""
    return Record(cell=cell, decisions=[row[0] for row in rows], evidence=[row[1] for row in rows])


def changed(line: bytes, **changes: Any) -> bytes:
    """Return a line with some of its values replaced."""
    return line_of({**json.loads(line), **changes})


def kind_of(row: tuple[bytes, bytes]) -> str:
    """Return the kind of a pair's event."""
    return str(json.loads(row[0])["kind"])


def window_of(row: tuple[bytes, bytes]) -> int:
    """Return the window of a pair's event."""
    return int(json.loads(row[0])["window"])


def numbered(rows: Rows) -> Rows:
    """Number lines anew: in the log, and within their windows."""
    found: Rows = []
    place, before = 0, None
    for seq, row in enumerate(rows):
        window = window_of(row)
        place = place + 1 if window == before else 0
        before = window
        found.append((changed(row[0], seq=seq, place=place), changed(row[1], seq=seq)))
    return found


def lie(row: tuple[bytes, bytes]) -> tuple[bytes, bytes]:
    """Return a pair with another content, that is sound."""
    decision, evidence = (json.loads(line) for line in row)
    content = {**decision["content"], "note": "nothing happened"}
    return line_of({**decision, "content": content}), line_of({**evidence, "values": {"reward": 1.0}})


def boundaries(record: Record) -> list[int]:
    """Return the windows after which the record could have ended."""
    rows = rows_of(record)
    return [window_of(row) for row in rows if kind_of(row) == "window"]


def a_window(record: Record, rng: np.random.Generator) -> int:
    """Return a window after which some of the record comes, and before which there is some."""
    return int(rng.choice(boundaries(record)[1:-1]))


def events(rows: Rows) -> list[int]:
    """Return the places of lines that no window needs."""
    found = [i for i, row in enumerate(rows) if kind_of(row) not in ("begin", "window", "end")]
    if not found:
        raise ValueError("a deployment in which nothing happened is no target")
    return found


# -- attacks on lines: rows, whether they are to be whole, randomness


def edit_byte(rows: Rows, whole: bool, rng: np.random.Generator) -> Rows:
    """Write another byte."""
    which = int(rng.integers(2))
    if not whole:
        at = int(rng.integers(len(rows)))
        line = bytearray(rows[at][which])
        line[int(rng.integers(len(line)))] ^= int(rng.integers(1, 256))
        return [*rows[:at], _with(rows[at], which, bytes(line)), *rows[at + 1 :]]
    # a digit of a value: of an action, or the last one of a number that is known
    pattern = (rb'"content":\{"action":(\d)[,}]', rb'"quality":-?[\d.]*\d(\d)[,}]')[which]
    places = [(i, found.start(1)) for i, row in enumerate(rows) if (found := re.search(pattern, row[which]))]
    at, place = places[int(rng.integers(len(places)))]
    line = bytearray(rows[at][which])
    line[place] = 48 + (line[place] - 48 + int(rng.integers(1, 10))) % 10
    return [*rows[:at], _with(rows[at], which, bytes(line)), *rows[at + 1 :]]


def _with(row: tuple[bytes, bytes], which: int, line: bytes) -> tuple[bytes, bytes]:
    return (line, row[1]) if which == 0 else (row[0], line)


def drop_inside(rows: Rows, whole: bool, rng: np.random.Generator) -> Rows:
    """Remove a line between the first and the last."""
    at = int(rng.choice(events(rows))) if whole else int(rng.integers(1, len(rows) - 1))
    return [*rows[:at], *rows[at + 1 :]]


def drop_first(rows: Rows, whole: bool, rng: np.random.Generator) -> Rows:
    """Remove the first line."""
    return rows[1:]


def swap(rows: Rows, whole: bool, rng: np.random.Generator) -> Rows:
    """Exchange two lines, or what two lines say."""
    if not whole:
        i, j = sorted(rng.choice(len(rows), 2, replace=False).tolist())
        return [*rows[:i], rows[j], *rows[i + 1 : j], rows[i], *rows[j + 1 :]]
    # two windows in which something was known: their rewards differ
    places = [i for i, row in enumerate(rows) if kind_of(row) == "window" and b'"reward"' in row[1]]
    i, j = sorted(rng.choice(places, 2, replace=False).tolist())
    values = {at: [json.loads(line) for line in rows[at]] for at in (i, j)}
    new = list(rows)
    for at, other in ((i, j), (j, i)):
        new[at] = (
            changed(rows[at][0], content=values[other][0]["content"]),
            changed(rows[at][1], values=values[other][1]["values"]),
        )
    return new


def insert(rows: Rows, whole: bool, rng: np.random.Generator) -> Rows:
    """Put a line between two others."""
    at = int(rng.choice([i for i, row in enumerate(rows) if kind_of(row) == "window"]))
    decision = changed(rows[at][0], kind="alarm", context="monitoring", content={})
    made = decision, changed(rows[at][1], kind="alarm", values={})
    return [*rows[:at], made, *rows[at:]]


def duplicate(rows: Rows, whole: bool, rng: np.random.Generator) -> Rows:
    """Write a line twice."""
    at = int(rng.choice(events(rows))) if whole else int(rng.integers(len(rows)))
    return [*rows[: at + 1], rows[at], *rows[at + 1 :]]


def drop_tail(rows: Rows, whole: bool, rng: np.random.Generator) -> Rows:
    """Remove the last windows."""
    return _cut(rows, rng)


def _cut(rows: Rows, rng: np.random.Generator) -> Rows:
    return rows_of(_until(rows, a_window(record_with("", rows), rng)))


def _until(rows: Rows, window: int) -> Record:
    return record_with("", rows).until(window)


def replace_tail(rows: Rows, whole: bool, rng: np.random.Generator) -> Rows:
    """Remove the last windows, and write as many other lines."""
    head = _cut(rows, rng)
    return [*head, *map(lie, rows[len(head) :])]


def rewrite_all(rows: Rows, whole: bool, rng: np.random.Generator) -> Rows:
    """Write every line anew."""
    return list(map(lie, rows))


def fork(rows: Rows, whole: bool, rng: np.random.Generator) -> Rows:
    """Write another history from a window on."""
    head = _cut(rows, rng)
    rest = list(map(lie, rows[len(head) :]))
    return [*head, *insert(rest, whole, rng)]


def restart(rows: Rows, whole: bool, rng: np.random.Generator) -> Rows:
    """Cut the log at a window, and go on with fewer lines."""
    head = _cut(rows, rng)
    rest = list(map(lie, rows[len(head) :]))
    last = window_of(rest[-1])
    return [*head, *(row for row in rest if window_of(row) < last)]


_LINES: dict[str, Callable[[Rows, bool, np.random.Generator], Rows]] = {
    function.__name__: function
    for function in (
        *(edit_byte, drop_inside, drop_first, swap, insert, duplicate, drop_tail, replace_tail),
        *(rewrite_all, fork, restart),
    )
}


# -- attacks


def attack(name: str, power: str, target: Target, rng: np.random.Generator) -> Scene:
    """Carry an attack out.

    Parameters
    ----------
    name : str
        Of the attack, as in the table.
    power : str
        One of :data:`POWERS`.
    target : Target
    rng : Generator
        Where it strikes.

    Returns
    -------
    Scene
        What verification finds then. ``heads.csv`` is out of reach: it holds what was published before.
    """
    before, head, ledger = untouched(target), power != "log", power == "log_head_ledger"
    cell = target.record.cell
    if name in _LINES:
        rows = _LINES[name](rows_of(target.record), head, rng)
        return _written(before, record_with(cell, numbered(rows) if head else rows), head, ledger)
    if name == "delete_log":
        nothing: dict[str, Any] = dict.fromkeys(TREES)
        heads = nothing if head else before.stored.heads
        stored = replace(before.stored, logs=nothing, heads=heads)
        return replace(before, stored=stored, ledger=[] if ledger else before.ledger)
    if name == "delete_head":
        stored = replace(before.stored, heads=dict.fromkeys(TREES))
        return replace(before, stored=stored, ledger=[] if ledger else before.ledger)
    if name == "old_head":
        older = target.record.until(a_window(target.record, rng))
        return _written(before, older, head, ledger)
    if name == "other_cell":
        other = stored_of(target.other)
        stored = replace(other, heads=other.heads if head else before.stored.heads)
        foreign = [replace(heads_of(target.other), cell=cell)]
        return replace(before, stored=stored, ledger=foreign if ledger else before.ledger)
    if name == "false_content":
        rows = rows_of(target.record)
        at = int(rng.integers(1, len(rows)))
        false = record_with(cell, [*rows[:at], lie(rows[at]), *rows[at + 1 :]])
        return Scene(stored=stored_of(false), ledger=[heads_of(false)], heads=published(false))
    if name == "made_up_override":
        return _written(before, target.overruled, head, ledger)
    if name == "pruned_too_much":
        return _written(before, prune(target.record, target.keep - 1), head, ledger)
    raise ValueError(f"no attack '{name}'")


def _written(before: Scene, record: Record, head: bool, ledger: bool) -> Scene:
    """Return the scene with another record, and those of its heads that the attacker reaches."""
    made = stored_of(record)
    stored = replace(made, heads=made.heads if head else before.stored.heads)
    return replace(before, stored=stored, ledger=[heads_of(record)] if ledger else before.ledger)
