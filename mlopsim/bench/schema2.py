"""Ledgers of schema 2, as they were written before there were attributes, and the way to schema 3.

Rows are sealed as in schema 3. Of tasks and methods no attributes are known, of fits and cells null says so;
every cell was computed.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from typing import Any

from mlopsim.bench.schema import COMPUTED, MemberDigest, is_sealed, sealed

SCHEMA_2 = """
CREATE TABLE grid (
  id INTEGER PRIMARY KEY, digest TEXT NOT NULL UNIQUE, title TEXT NOT NULL, track TEXT NOT NULL,
  metrics TEXT NOT NULL, notes TEXT NOT NULL, plugins TEXT NOT NULL, config TEXT NOT NULL,
  cells INTEGER NOT NULL, members TEXT NOT NULL, used TEXT NOT NULL, seal TEXT NOT NULL
);
CREATE TABLE pair (
  grid INTEGER NOT NULL, number INTEGER NOT NULL, track TEXT NOT NULL, task TEXT NOT NULL,
  method TEXT NOT NULL, task_digest TEXT NOT NULL, method_digest TEXT NOT NULL, split TEXT NOT NULL,
  root INTEGER NOT NULL, seal TEXT NOT NULL, PRIMARY KEY (grid, number)
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
  status TEXT NOT NULL, info TEXT, arrays BLOB, error TEXT, seconds REAL, host TEXT,
  fingerprint TEXT, run TEXT NOT NULL, finished TEXT NOT NULL, attempts INTEGER NOT NULL, seal TEXT NOT NULL
);
CREATE TABLE cell (
  key TEXT PRIMARY KEY, status TEXT NOT NULL, curves TEXT, metrics TEXT, reasons TEXT, error TEXT,
  seconds REAL, bundle INTEGER, host TEXT, fingerprint TEXT, run TEXT NOT NULL, finished TEXT NOT NULL,
  attempts INTEGER NOT NULL, seal TEXT NOT NULL
);
CREATE TABLE curve (
  cell TEXT NOT NULL, name TEXT NOT NULL, data BLOB NOT NULL, seal TEXT NOT NULL, PRIMARY KEY (cell, name)
);
"""
#: members that are counted at a time
CHUNK = 20_000
TABLES_2 = ("grid", "pair", "member", "run", "spec", "fit", "cell", "curve")


class ChangedRow(ValueError):
    """A row of an old ledger does not agree with the digest that was stored with it."""


def migrate(old: sqlite3.Connection, new: sqlite3.Connection, *, whole: bool = True) -> None:
    """Copy a ledger of schema 2 into an empty one of schema 3, in one transaction.

    Parameters
    ----------
    old, new : sqlite3.Connection
        Both with ``isolation_level=None``; the old one is only read.
    whole : bool, default True
        Whether a grid that has lost members is an error; otherwise its row has no digest over them.

    Raises
    ------
    ChangedRow
        If a row does not agree with its digest; then the new one stays empty.
    """
    new.execute("BEGIN IMMEDIATE")
    try:
        for name in TABLES_2:
            width = len(new.execute(f"PRAGMA table_info({name})").fetchall())
            new.executemany(f"INSERT INTO {name} VALUES ({','.join('?' * width)})", _rows(old, name, whole))
    except BaseException:
        new.execute("ROLLBACK")
        raise
    new.execute("COMMIT")


def _rows(old: sqlite3.Connection, name: str, whole: bool) -> Iterator[tuple[Any, ...]]:
    for row in old.execute(f"SELECT * FROM {name} ORDER BY rowid"):
        if not is_sealed(name, row):
            raise ChangedRow(f"a row of table {name} has changed")
        if name == "cell":
            yield sealed(name, *row[:3], None, *row[3:6], COMPUTED, *row[6:-1])
        elif name == "fit":
            yield sealed(name, *row[:6], None, *row[6:-1])
        elif name == "pair":
            yield sealed(name, *row[:-1], "{}", "{}")
        elif name == "grid":
            before, members = _members(old, row[0])
            if before != row[9]:
                if whole:
                    raise ChangedRow(f"the members of grid {row[1]:.12} have changed")
                members = ""
            yield sealed(name, *row[:9], members, row[10])
        else:
            yield row


def _members(old: sqlite3.Connection, grid: int) -> tuple[str, str]:
    """Return the digest over the members of a grid as schema 2 has it and as schema 3 has it."""
    query = "SELECT number, track, task, method, task_digest, method_digest, split, root FROM pair "
    pairs = old.execute(f"{query} WHERE grid=? ORDER BY number", (grid,)).fetchall()
    states = MemberDigest(pairs), MemberDigest([(*pair, "{}", "{}") for pair in pairs])
    query = "SELECT position, key, pair, seed, fit FROM member WHERE grid=? ORDER BY position"
    cursor, place = old.execute(query, (grid,)), 0
    while rows := cursor.fetchmany(CHUNK):
        if [row[0] for row in rows] != list(range(place, place + len(rows))):
            return "", ""
        place += len(rows)
        for state in states:
            state.add(row[1:] for row in rows)
    return states[0].result(), states[1].result()
