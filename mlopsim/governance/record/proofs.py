"""Proofs as files: that a record is in a log, and that a log goes on from an older one.

The first is a ``c2sp.org/tlog-proof@v1``, with the record's line as extra data; the second has the form in
which witnesses are asked (c2sp.org/tlog-witness): the old size, the hashes, the new checkpoint.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mlopsim.core.errors import DataError
from mlopsim.governance.record.checkpoint import Checkpoint, decoded, encoded, hash_of, read_checkpoint
from mlopsim.governance.record.log import Record, leaf_of
from mlopsim.governance.record.merkle import consistency_proof, inclusion_proof, is_consistent, is_included

_FIRST = "c2sp.org/tlog-proof@v1"
_REMEDY = "make the proof anew: mlopsim audit-log prove DIR KEY"
#: most hashes in a proof that is read: more than any tree is deep, twice
_MOST = 130


@dataclass(frozen=True, kw_only=True)
class Inclusion:
    """A proof that a line is record number ``index`` of a log.

    Parameters
    ----------
    line : bytes
        The line, as it is stored.
    index : int
    path : sequence of bytes
    head : Checkpoint
    """

    line: bytes
    index: int
    path: Sequence[bytes]
    head: Checkpoint

    @property
    def holds(self) -> bool:
        """Whether the path leads from the line to the root of the head."""
        return is_included(leaf_of(self.line), self.index, self.head.size, self.path, self.head.root)

    def text(self) -> str:
        """Return it as a file."""
        lines = [_FIRST, f"extra {encoded(self.line)}", f"index {self.index}", *map(encoded, self.path)]
        return "".join(f"{line}\n" for line in lines) + "\n" + self.head.text()


@dataclass(frozen=True, kw_only=True)
class Consistency:
    """A proof that a log begins with the ``size`` records that an older head is of."""

    size: int
    path: Sequence[bytes]
    head: Checkpoint

    def holds(self, older: Checkpoint) -> bool:
        """Whether it does, for an older head."""
        return (
            older.origin == self.head.origin
            and older.size == self.size
            and is_consistent(self.size, self.head.size, self.path, older.root, self.head.root)
        )

    def text(self) -> str:
        """Return it as a file."""
        return (
            "".join(f"{line}\n" for line in (f"old {self.size}", *map(encoded, self.path)))
            + "\n"
            + self.head.text()
        )


def prove_record(record: Record, tree: str, index: int) -> Inclusion:
    """Return the proof that a record is in its log.

    Raises
    ------
    DataError
        If there is no such record.

    Examples
    --------
    >>> from mlopsim.governance.record.events import Event
    >>> from mlopsim.governance.record.log import record_of
    >>> one = {"kind": "window", "trigger": "a", "served": 0, "since": 0}
    >>> record = record_of("3fa9", [Event(window=w, **one) for w in range(5)])
    >>> proof = prove_record(record, "decisions", 3)
    >>> proof.holds, read_proof(proof.text()) == proof
    (True, True)
    """
    lines = record.lines(tree)
    if not 0 <= index < len(lines):
        raise DataError(
            f"there is no record {index}", remedy=f"it has the records 0 to {len(lines) - 1}: --record NUMBER"
        )
    return Inclusion(
        line=lines[index],
        index=index,
        path=tuple(inclusion_proof(record.leaves(tree), index)),
        head=record.head(tree),
    )


def prove_growth(record: Record, older: Checkpoint, tree: str) -> Consistency:
    """Return the proof that a log goes on from an older head.

    Raises
    ------
    DataError
        If it does not.
    """
    head = record.head(tree)
    if older.origin != head.origin:
        raise DataError(
            f"the older head is of another log: {older.origin}", remedy=f"take a head of {head.origin}"
        )
    if not 0 < older.size <= head.size:
        raise DataError(
            f"the log has {head.size} records, and the older head is of {older.size}",
            remedy="the log is truncated, or the head is none of it: see mlopsim audit-log verify",
        )
    path = tuple(consistency_proof(record.leaves(tree), older.size))
    made = Consistency(size=older.size, path=path, head=head)
    if not made.holds(older):
        raise DataError(
            f"the log does not go on from the older head ({older.size} records)",
            remedy="one of them was changed: see mlopsim audit-log verify --level replayed",
        )
    return made


def read_proof(text: str) -> Inclusion | Consistency:
    """Read a proof of either kind.

    Raises
    ------
    DataError
        If it is none.

    Examples
    --------
    >>> read_proof("hello")
    Traceback (most recent call last):
    ...
    mlopsim.core.errors.DataError: this is no proof: it has no head
      remedy: make the proof anew: mlopsim audit-log prove DIR KEY
    """
    body, blank, rest = text.partition("\n\n")
    if not blank:
        raise DataError("this is no proof: it has no head", remedy=_REMEDY)
    head = read_checkpoint(rest, "the head in the proof")
    lines = body.split("\n")
    try:
        if lines[0] == _FIRST:
            return _read_inclusion(lines[1:], head)
        if lines[0].startswith("old "):
            return Consistency(size=_number(lines[0].removeprefix("old ")), path=_path(lines[1:]), head=head)
    except DataError as error:
        raise DataError(f"this is no proof: {error.message}", remedy=_REMEDY) from error
    raise DataError(f"this is no proof: it begins with '{lines[0][:60]}'", remedy=_REMEDY)


def _read_inclusion(lines: Sequence[str], head: Checkpoint) -> Inclusion:
    if len(lines) < 2 or not lines[0].startswith("extra ") or not lines[1].startswith("index "):
        raise DataError("it lacks the line of the record, or its number")
    return Inclusion(
        line=decoded(lines[0].removeprefix("extra ")),
        index=_number(lines[1].removeprefix("index ")),
        path=_path(lines[2:]),
        head=head,
    )


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 19 and str(int(text)) == text):
        raise DataError(f"'{text[:40]}' is no number")
    return int(text)


def _path(lines: Sequence[str]) -> tuple[bytes, ...]:
    if len(lines) > _MOST:
        raise DataError(f"it has {len(lines)} hashes")
    return tuple(map(hash_of, lines))
