"""The ledger's tables, and the seal that every row carries.

The last column of every table is a seal: a digest over the table's name and all other values of the row, so
that one changed letter anywhere is found. What a row stands for is sealed where it is counted: a cell's row
names its curves with their seals, a grid's row its number of cells and a digest over all of its members;
specs and fits are named by their keys. So a row that is gone is found as well, but for runs (no number
depends on them) and for whole grids.

Attributes are JSON: of tasks and methods in the pairs of a grid, as labels are; of fits and cells in their
rows, where null says that nobody knows (a failure, or a row from before there were attributes). The origin of
a cell is ``computed``, or the digest of the baseline file that it was taken from.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Iterable, Sequence
from contextlib import closing
from typing import Any

from mlopsim.core.digest import DIGEST_CHARS, digest, digest_bytes

#: raised when a table changes, with a migration from the one before
SCHEMA_VERSION = 3
#: "mlop" in ASCII, tells our files from other SQLite databases
APPLICATION_ID = 0x6D6C6F70

SCHEMA = """
CREATE TABLE grid (
  id INTEGER PRIMARY KEY, digest TEXT NOT NULL UNIQUE, title TEXT NOT NULL, track TEXT NOT NULL,
  metrics TEXT NOT NULL, notes TEXT NOT NULL, plugins TEXT NOT NULL, config TEXT NOT NULL,
  cells INTEGER NOT NULL, members TEXT NOT NULL, used TEXT NOT NULL, seal TEXT NOT NULL
);
CREATE TABLE pair (
  grid INTEGER NOT NULL, number INTEGER NOT NULL, track TEXT NOT NULL, task TEXT NOT NULL,
  method TEXT NOT NULL, task_digest TEXT NOT NULL, method_digest TEXT NOT NULL, split TEXT NOT NULL,
  root INTEGER NOT NULL, task_attributes TEXT NOT NULL, method_attributes TEXT NOT NULL, seal TEXT NOT NULL,
  PRIMARY KEY (grid, number)
);
CREATE TABLE member (
  grid INTEGER NOT NULL, position INTEGER NOT NULL, key TEXT NOT NULL, pair INTEGER NOT NULL,
  seed INTEGER NOT NULL, fit TEXT, seal TEXT NOT NULL, PRIMARY KEY (grid, position)
);
CREATE TABLE run (
  id TEXT PRIMARY KEY, grid TEXT NOT NULL, started TEXT NOT NULL, ended TEXT, status TEXT NOT NULL,
  record TEXT NOT NULL, seal TEXT NOT NULL
);
CREATE TABLE spec (
  digest TEXT PRIMARY KEY, kind TEXT NOT NULL, content TEXT NOT NULL, seal TEXT NOT NULL
);
CREATE TABLE fit (
  key TEXT PRIMARY KEY, track TEXT NOT NULL, label TEXT NOT NULL, spec TEXT NOT NULL, needs TEXT NOT NULL,
  status TEXT NOT NULL, attributes TEXT, info TEXT, arrays BLOB, error TEXT, seconds REAL, host TEXT,
  fingerprint TEXT, run TEXT NOT NULL, finished TEXT NOT NULL, attempts INTEGER NOT NULL, seal TEXT NOT NULL
);
CREATE TABLE cell (
  key TEXT PRIMARY KEY, status TEXT NOT NULL, curves TEXT, attributes TEXT, metrics TEXT, reasons TEXT,
  error TEXT, origin TEXT NOT NULL, seconds REAL, bundle INTEGER, host TEXT, fingerprint TEXT,
  run TEXT NOT NULL, finished TEXT NOT NULL, attempts INTEGER NOT NULL, seal TEXT NOT NULL
);
CREATE TABLE curve (
  cell TEXT NOT NULL, name TEXT NOT NULL, data BLOB NOT NULL, seal TEXT NOT NULL, PRIMARY KEY (cell, name)
);
"""
#: origin of a cell that was computed here
COMPUTED = "computed"
#: how a run ended that took place elsewhere: a baseline tells of it
ELSEWHERE = "elsewhere"
TABLES = ("grid", "pair", "member", "run", "spec", "fit", "cell", "curve")


def places(table: str) -> dict[str, int]:
    """Return the place of each column in a row of a table, in their order.

    Examples
    --------
    >>> places("curve")
    {'cell': 0, 'name': 1, 'data': 2, 'seal': 3}
    """
    with closing(sqlite3.connect(":memory:")) as db:
        db.executescript(SCHEMA)
        return {row[1]: row[0] for row in db.execute(f"PRAGMA table_info({table})")}


def is_origin(text: str) -> bool:
    """Tell whether a text is the origin of a cell: ``computed``, or a digest.

    Examples
    --------
    >>> is_origin("computed"), is_origin("0123456789abcdef01234567"), is_origin("a.json")
    (True, True, False)
    """
    return text == COMPUTED or (len(text) == DIGEST_CHARS and set(text) <= set("0123456789abcdef"))


def _bytes(value: Any) -> Any:
    if isinstance(value, bytes):
        return {"bytes": digest_bytes(value)}
    raise TypeError(f"{type(value).__name__} is no value of a row")


_encode = json.JSONEncoder(default=_bytes, separators=(",", ":")).encode


def seal(table: str, *values: Any) -> str:
    """Return the seal of a row: the content address of its table and of all its other values.

    Examples
    --------
    >>> seal("curve", "a", None, 1, b"x") == seal("curve", "a", "", 1, b"x")
    False
    """
    return digest_bytes(_encode((table, *values)).encode())


def sealed(table: str, *values: Any) -> tuple[Any, ...]:
    """Return a row with its seal, as it is inserted."""
    return (*values, seal(table, *values))


def is_sealed(table: str, row: Sequence[Any]) -> bool:
    """Tell whether a row, with its seal at the end, is as it was written.

    Examples
    --------
    >>> is_sealed("spec", sealed("spec", "0f", "task", "{}")), is_sealed("spec", ("0f", "task", "{}", ""))
    (True, False)
    """
    return bool(seal(table, *row[:-1]) == row[-1])


class MemberDigest:
    """The digest over the members of a grid in their order: what its row seals.

    Parameters
    ----------
    pairs : iterable of tuple
        The rows of ``pair`` of the grid in order of their number, without grid and seal.
    """

    def __init__(self, pairs: Iterable[Sequence[Any]]) -> None:
        self._state = hashlib.blake2b(digest_size=DIGEST_CHARS // 2)
        self._state.update(_encode([list(pair) for pair in pairs]).encode())

    def add(self, members: Iterable[tuple[str, int, int, str | None]]) -> None:
        """Count members in order: key, pair, seed, fit."""
        self._state.update("".join([f"\n{k} {p} {s} {f}" for k, p, s, f in members]).encode())

    def result(self) -> str:
        """Return the digest."""
        return self._state.hexdigest()


def member_key(
    track: str, task_digest: str, method_digest: str, split: str, root: int, seed: int, fit: str | None
) -> str:
    """Return the key that a stored cell must have: ``Cell.key`` from the digests of its parts."""
    return digest(
        {
            "track": track,
            "task": task_digest,
            "method": method_digest,
            "seed": [root, split, seed],
            "fit": fit,
        }
    )
