"""Ledgers of schema 1, as they were written before: their tables, their digests, and the way to schema 2.

In schema 1 digests covered the numbers of cells, curves and fits, not the names of curves, provenance, grids,
runs or members. A migrated row is sealed as it was found: what was changed before cannot be told any more.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from typing import Any

from mlopsim.bench.schema import MemberDigest, member_key, seal, sealed
from mlopsim.bench.schema2 import ChangedRow
from mlopsim.bench.storage import to_json, unpack_arrays
from mlopsim.core.digest import digest, digest_arrays, digest_bytes

SCHEMA_1 = """
CREATE TABLE grid (
  digest TEXT PRIMARY KEY, title TEXT NOT NULL, track TEXT NOT NULL, metrics TEXT NOT NULL,
  notes TEXT NOT NULL, plugins TEXT NOT NULL, config TEXT NOT NULL, cells INTEGER NOT NULL, used TEXT NOT NULL
);
CREATE TABLE member (
  grid TEXT NOT NULL, position INTEGER NOT NULL, key TEXT NOT NULL, track TEXT NOT NULL,
  task TEXT NOT NULL, method TEXT NOT NULL, task_digest TEXT NOT NULL, method_digest TEXT NOT NULL,
  split TEXT NOT NULL, root INTEGER NOT NULL, seed INTEGER NOT NULL, fit TEXT,
  PRIMARY KEY (grid, key)
);
CREATE TABLE run (
  id TEXT PRIMARY KEY, grid TEXT NOT NULL, started TEXT NOT NULL, ended TEXT, status TEXT NOT NULL,
  record TEXT NOT NULL
);
CREATE TABLE spec (digest TEXT PRIMARY KEY, kind TEXT NOT NULL, content TEXT NOT NULL);
CREATE TABLE fit (
  key TEXT PRIMARY KEY, track TEXT NOT NULL, label TEXT NOT NULL, spec TEXT NOT NULL, needs TEXT NOT NULL,
  status TEXT NOT NULL, info TEXT, arrays BLOB, digest TEXT, error TEXT, seconds REAL, host TEXT,
  fingerprint TEXT, run TEXT NOT NULL, finished TEXT NOT NULL, attempts INTEGER NOT NULL
);
CREATE TABLE cell (
  key TEXT PRIMARY KEY, status TEXT NOT NULL, metrics TEXT, reasons TEXT, error TEXT, digest TEXT NOT NULL,
  seconds REAL, bundle INTEGER, host TEXT, fingerprint TEXT, run TEXT NOT NULL, finished TEXT NOT NULL,
  attempts INTEGER NOT NULL
);
CREATE TABLE curve (
  cell TEXT NOT NULL, name TEXT NOT NULL, data BLOB NOT NULL, digest TEXT NOT NULL, PRIMARY KEY (cell, name)
);
"""
TABLES_1 = ("grid", "member", "run", "spec", "fit", "cell", "curve")


def row_digest(*values: str | None) -> str:
    """Return the digest that schema 1 stored with the texts of a row (None and "" differ).

    Examples
    --------
    >>> row_digest("a", None) == row_digest("a", "")
    False
    """
    return digest_bytes(json.dumps(values).encode())


def is_sound_1(name: str, row: tuple[Any, ...]) -> bool:
    """Tell whether a row of schema 1 agrees with its digest; tables without one are taken as they are.

    Examples
    --------
    >>> is_sound_1("spec", (digest({"a": 1}), "task", '{"a":1}')), is_sound_1("spec", ("0f", "task", "{}"))
    (True, False)
    """
    if name == "cell":
        return bool(row_digest(*row[:5]) == row[5])
    if name == "member":
        return bool(member_key(row[3], row[6], row[7], row[8], row[9], row[10], row[11]) == row[2])
    if name == "spec":
        return bool(digest(json.loads(row[2])) == row[0])
    if name == "curve":
        return bool(digest_bytes(row[2]) == row[3])
    if name == "fit" and row[5] == "done":
        return bool(row_digest(row[0], row[6], digest_arrays(unpack_arrays(row[7]))) == row[8])
    if name == "grid":
        return all(json.loads(text) is not None for text in row[2:7])
    if name == "run":
        return isinstance(json.loads(row[5]), dict)
    return True


def migrate(old: sqlite3.Connection, new: sqlite3.Connection) -> None:
    """Copy a ledger of schema 1 into an empty one of schema 2, in one transaction.

    Parameters
    ----------
    old, new : sqlite3.Connection
        Both with ``isolation_level=None``; the old one is only read.

    Raises
    ------
    ChangedRow
        If a row does not agree with its digest; then the new one stays empty.
    """
    new.execute("BEGIN IMMEDIATE")
    try:
        _grids(old, new)
        for name, width in (("run", 7), ("spec", 4), ("fit", 16), ("cell", 14), ("curve", 4)):
            marks = ",".join("?" * width)
            new.executemany(f"INSERT INTO {name} VALUES ({marks})", _rows(old, name))
    except BaseException:
        new.execute("ROLLBACK")
        raise
    new.execute("COMMIT")


def _sound_rows(old: sqlite3.Connection, query: str, name: str, *values: Any) -> Iterator[tuple[Any, ...]]:
    for row in old.execute(query, values):
        try:
            sound = is_sound_1(name, row)
        except Exception as error:
            raise ChangedRow(f"a row of table {name} cannot be read") from error
        if not sound:
            raise ChangedRow(f"a row of table {name} has changed")
        yield row


def _rows(old: sqlite3.Connection, name: str) -> Iterator[tuple[Any, ...]]:
    for row in _sound_rows(old, f"SELECT * FROM {name} ORDER BY rowid", name):
        if name == "cell":
            key, status, metrics, reasons, error, _, *origin = row
            curves = None
            if status == "done":
                found = old.execute("SELECT name, data FROM curve WHERE cell=? ORDER BY rowid", (key,))
                curves = to_json([(curve, seal("curve", key, curve, data)) for curve, data in found])
            yield sealed(name, key, status, curves, metrics, reasons, error, *origin)
        elif name == "fit":
            yield sealed(name, *row[:8], *row[9:])
        elif name == "curve":
            yield sealed(name, *row[:3])
        else:
            yield sealed(name, *row)


def _grids(old: sqlite3.Connection, new: sqlite3.Connection) -> None:
    grids = list(_sound_rows(old, "SELECT * FROM grid ORDER BY rowid", "grid"))
    for number, (grid, title, track, metrics, notes, plugins, config, cells, used) in enumerate(grids, 1):
        pairs: dict[tuple[Any, ...], int] = {}
        members: list[tuple[Any, ...]] = []
        query = "SELECT * FROM member WHERE grid=? ORDER BY position, rowid"
        for place, row in enumerate(_sound_rows(old, query, "member", grid)):
            pair = pairs.setdefault((*row[3:10],), len(pairs))
            members.append((number, place, row[2], pair, row[10], row[11]))
        if len(members) != cells:
            raise ChangedRow(f"grid {grid[:12]} has {len(members)} of {cells} members")
        rows = [(at, *pair) for pair, at in pairs.items()]
        state = MemberDigest(rows)
        state.add((key, pair, seed, fit) for _, _, key, pair, seed, fit in members)
        files = to_json([{"path": str(path), "digest": None} for path in json.loads(plugins)])
        content = (number, grid, title, track, metrics, notes, files, config)
        new.execute(
            "INSERT INTO grid VALUES (?,?,?,?,?,?,?,?,?,?,?,?)",
            sealed("grid", *content, len(members), state.result(), used),
        )
        new.executemany(
            "INSERT INTO pair VALUES (?,?,?,?,?,?,?,?,?,?)", [sealed("pair", number, *pair) for pair in rows]
        )
        new.executemany("INSERT INTO member VALUES (?,?,?,?,?,?,?)", (sealed("member", *m) for m in members))
