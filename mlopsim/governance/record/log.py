"""A record as lines: two logs of JSON, whose leaves are the stored bytes of their lines.

The same events stand in both, line by line: in ``decisions`` what was decided (integers and texts: the same
bytes on every platform), in ``evidence`` what it was decided on (floats). Nothing is serialised again to be
hashed, so two readings of one line cannot have one hash.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mlopsim.core.digest import plain
from mlopsim.core.errors import ConfigError, DataError
from mlopsim.governance.record.checkpoint import Checkpoint, encoded, hash_of
from mlopsim.governance.record.events import Event
from mlopsim.governance.record.merkle import leaf_hash, root_of

#: the logs of a record
TREES = ("decisions", "evidence")


def origin_of(cell: str, tree: str) -> str:
    """Return the origin of a log: whose it is, and which of the two.

    Examples
    --------
    >>> origin_of("3fa9", "decisions")
    'mlopsim/3fa9/decisions'
    """
    return f"mlopsim/{cell}/{tree}"


@dataclass(frozen=True, kw_only=True)
class Record:
    """The lines of a record, as they are stored, each with its line end.

    Parameters
    ----------
    cell : str
        Key of the cell that it is of.
    decisions, evidence : sequence of bytes
        As many lines.

    Examples
    --------
    >>> event = Event(window=3, kind="alarm", trigger="selector/ks", served=2, since=1, evidence={"p": 0.5})
    >>> record = record_of("3fa9", [event])
    >>> print(record.evidence[0].decode(), end="")
    {"cell":"3fa9","kind":"alarm","seq":0,"values":{"p":0.5},"window":3}
    >>> record.head("decisions").size, record.head("decisions").origin
    (1, 'mlopsim/3fa9/decisions')
    """

    cell: str
    decisions: Sequence[bytes]
    evidence: Sequence[bytes]

    def lines(self, tree: str) -> Sequence[bytes]:
        """Return the lines of one of its logs."""
        found: Sequence[bytes] = getattr(self, tree)
        return found

    def __len__(self) -> int:
        return len(self.decisions)

    def leaves(self, tree: str) -> list[bytes]:
        """Return the hashes of the lines: of a pruned one that which it stands for."""
        return [leaf_of(line) for line in self.lines(tree)]

    def head(self, tree: str) -> Checkpoint:
        """Return the checkpoint of one of its logs."""
        leaves = self.leaves(tree)
        return Checkpoint(origin=origin_of(self.cell, tree), size=len(leaves), root=root_of(leaves))

    def windows(self) -> list[int | None]:
        """Return the window of every record; None where it is pruned."""
        return [None if pruned(line) else int(json.loads(line)["window"]) for line in self.decisions]

    def until(self, window: int) -> Record:
        """Return the record as it was at the end of a window.

        Raises
        ------
        ConfigError
            If the record holds nothing of that window.
        """
        windows = self.windows()
        last = max((i for i, w in enumerate(windows) if w == window), default=None)
        if last is None:
            raise unknown_window(window, windows)
        if window == max(w for w in windows if w is not None):
            return self
        return Record(
            cell=self.cell, decisions=self.decisions[: last + 1], evidence=self.evidence[: last + 1]
        )


def unknown_window(window: int, windows: Sequence[int | None]) -> ConfigError:
    """Return the error of a window that a record does not have."""
    held = [w for w in windows if w is not None]
    has = f"windows {min(held)} to {max(held)}" if held else "no window: all of it is pruned"
    return ConfigError(f"the record has no window {window}", remedy=f"it holds {has}")


def record_of(cell: str, events: Sequence[Event]) -> Record:
    """Write events as the lines of a record."""
    decisions, evidence = [], []
    place = 0
    for seq, event in enumerate(events):
        # numbered within its window, so that one sees where a window begins
        place = place + 1 if seq and events[seq - 1].window == event.window else 0
        shared = {"cell": cell, "seq": seq, "window": event.window, "kind": event.kind}
        decisions.append(
            line_of(
                {
                    **shared,
                    "place": place,
                    "trigger": event.trigger,
                    "context": event.context,
                    "served": event.served,
                    "since": event.since,
                    "content": event.content,
                }
            )
        )
        evidence.append(line_of({**shared, "values": event.evidence}))
    return Record(cell=cell, decisions=decisions, evidence=evidence)


def line_of(value: Mapping[str, Any]) -> bytes:
    """Return a line of JSON: keys sorted, ASCII, no blanks, so that equal content is written alike."""
    text = json.dumps(plain(value), sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)
    return text.encode("ascii") + b"\n"


def split_lines(data: bytes) -> list[bytes]:
    """Return the lines of a file with their ends; only a line feed ends one.

    Examples
    --------
    >>> split_lines(b"a\\r\\nb")
    [b'a\\r\\n', b'b']
    """
    parts = data.split(b"\n")
    return [part + b"\n" for part in parts[:-1]] + ([parts[-1]] if parts[-1] else [])


def strict_json(line: bytes) -> Any:
    """Read a line of JSON in which no key comes twice and every number is one.

    Raises
    ------
    DataError
        If it is anything else.

    Examples
    --------
    >>> strict_json(b'{"a":1,"a":2}')
    Traceback (most recent call last):
    ...
    mlopsim.core.errors.DataError: the key 'a' is there twice
    """

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        made: dict[str, Any] = {}
        for key, value in pairs:
            if key in made:
                raise DataError(f"the key '{key[:40]}' is there twice")
            made[key] = value
        return made

    def no_number(text: str) -> Any:
        raise DataError(f"{text} is no number")

    try:
        return json.loads(line.decode("utf-8"), object_pairs_hook=once, parse_constant=no_number)
    except (ValueError, RecursionError) as error:
        if isinstance(error, DataError):
            raise
        raise DataError("it is no JSON") from error


# -- pruned lines


def pruned_line(seq: int, leaf: bytes) -> bytes:
    """Return the line that stays of a record whose payload is gone."""
    return line_of({"pruned": seq, "leaf": encoded(leaf)})


def pruned(line: bytes) -> tuple[int, bytes] | None:
    """Return number and leaf of a pruned record; None where the payload is there.

    Examples
    --------
    >>> pruned(pruned_line(3, bytes(32))) == (3, bytes(32)), pruned(b'{"seq":3}\\n')
    (True, None)
    """
    if not line.startswith(b'{"leaf":"'):
        return None
    try:
        value = json.loads(line)
        seq, leaf = value["pruned"], hash_of(value["leaf"])
    except (ValueError, KeyError, TypeError, AttributeError, DataError):
        return None
    # written otherwise it would be another line with the same leaf
    return (seq, leaf) if type(seq) is int and pruned_line(seq, leaf) == line else None


def leaf_of(line: bytes) -> bytes:
    """Return the leaf of a stored line: its hash, or the one that a pruned line keeps."""
    found = pruned(line)
    return leaf_hash(line) if found is None else found[1]


def prune(record: Record, keep: int) -> Record:
    """Return a record without the payloads of windows that are older than the last ``keep``.

    The first record stays, which says what the record is of, and so do overrides: without them nobody could
    replay the rest.

    Parameters
    ----------
    record : Record
    keep : int
        Windows to keep, at least 1.

    Raises
    ------
    ConfigError
        If ``keep`` is below 1.
    """
    if keep < 1:
        raise ConfigError(f"at least one window must be kept, got {keep}", remedy="keep=1 or more")
    windows = record.windows()
    first_kept = max((w for w in windows if w is not None), default=0) - keep + 1
    old = [
        w is None or (i > 0 and w < first_kept and strict_json(record.decisions[i])["kind"] != "override")
        for i, w in enumerate(windows)
    ]

    def shorter(lines: Sequence[bytes]) -> Iterator[bytes]:
        for seq, line in enumerate(lines):
            yield pruned_line(seq, leaf_of(line)) if old[seq] else line

    return Record(
        cell=record.cell,
        decisions=list(shorter(record.decisions)),
        evidence=list(shorter(record.evidence)),
    )
