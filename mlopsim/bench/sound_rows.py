"""What is sound in a ledger: rows that are as they were written, and nothing that stands for what is gone."""

from __future__ import annotations

import json
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from mlopsim.bench.attributes import check_attributes
from mlopsim.bench.ledgerfile import LAYOUTS, migrate
from mlopsim.bench.members import reseal_grid, stored_digest
from mlopsim.bench.schema import COMPUTED, SCHEMA_VERSION, is_origin, is_sealed, member_key
from mlopsim.bench.schema1 import is_sound_1
from mlopsim.bench.schema2 import ChangedRow
from mlopsim.bench.storage import to_json, unpack_array, unpack_arrays
from mlopsim.core.digest import digest

#: a row takes a few bytes at least; bounds the search for rows behind damaged pages
ROW_BYTES = 24
#: said in the notes of a grid, and so in its report, until its suite is run again
LOST = "{lost} of its {cells} cells were lost with a damaged ledger: run the suite again"
#: cells that are done and have not all of the curves that they name
LACKING = """
SELECT c.key FROM cell c, json_each(coalesce(c.curves, '[]')) j WHERE NOT EXISTS
(SELECT 1 FROM curve WHERE cell = c.key AND name = json_extract(j.value, '$[0]')
 AND seal = json_extract(j.value, '$[1]'))
"""
LACKING_1 = """
WITH named AS (
  SELECT DISTINCT m.grid, m.task_digest, m.method_digest, v.name FROM member m JOIN curve v ON v.cell = m.key
)
DELETE FROM cell WHERE status = 'done' AND key IN (
  SELECT m.key FROM member m JOIN named USING (grid, task_digest, method_digest)
  WHERE NOT EXISTS (SELECT 1 FROM curve WHERE cell = m.key AND curve.name = named.name)
)
"""
#: curves that no cell names
STRAY = """
SELECT v.rowid FROM curve v LEFT JOIN cell c ON c.key = v.cell WHERE c.curves IS NULL OR NOT EXISTS
(SELECT 1 FROM json_each(c.curves) j WHERE json_extract(j.value, '$[0]') = v.name
 AND json_extract(j.value, '$[1]') = v.seal)
"""
#: pairs without the parts that they stand for
NAMELESS = """
SELECT rowid FROM pair WHERE task_digest NOT IN (SELECT digest FROM spec)
OR method_digest NOT IN (SELECT digest FROM spec)
"""
#: fits without the part that they were made from
UNTOLD = "SELECT key FROM fit WHERE spec NOT IN (SELECT digest FROM spec)"
#: cells that were computed with a fit that is gone; a baseline brings no fits
UNFITTED = f"""
SELECT c.key FROM member m JOIN cell c ON c.key = m.key WHERE m.fit IS NOT NULL AND c.status = 'done'
AND c.origin = '{COMPUTED}'
AND NOT EXISTS (SELECT 1 FROM fit WHERE fit.key = m.fit AND fit.status = 'done')
"""
#: each member's key, and the conditions that must give it
KEYS = """
SELECT m.key, p.track, p.task_digest, p.method_digest, p.split, p.root, m.seed, m.fit
FROM member m JOIN pair p ON p.grid = m.grid AND p.number = m.pair
"""
WHOLE = (
    (LACKING, "curves of a cell are missing"),
    (STRAY, "a curve belongs to no cell"),
    ("SELECT 1 FROM member WHERE grid NOT IN (SELECT id FROM grid)", "a grid is missing"),
    ("SELECT 1 FROM pair WHERE grid NOT IN (SELECT id FROM grid)", "a grid is missing"),
    (NAMELESS, "a spec of a task or method is missing"),
    (UNTOLD, "a spec of a fit is missing"),
    (UNFITTED, "a fit of a cell is missing"),
)


def changed_rows(path: Path, version: int) -> str:
    """Return what is wrong in a file that SQLite takes for sound, or nothing."""
    connection = open_loosely(path)
    try:
        for name in LAYOUTS[version][1]:
            for _, row in scan(connection, name):
                if not is_sound(name, row, version):
                    return f"a row of table {name} has changed"
        if version == 1:
            counts = connection.execute(
                "SELECT 1 FROM grid g WHERE cells <> (SELECT count(*) FROM member WHERE grid = g.digest)"
            )
            return "members of a grid are missing" if counts.fetchone() else ""
        if version == SCHEMA_VERSION:
            return _incomplete(connection)
        with tempfile.TemporaryDirectory(prefix="mlopsim-") as work:
            migrated = Path(work) / path.name
            try:
                migrate(connection, version, migrated)
            except ChangedRow as error:
                return str(error)
            with closing(sqlite3.connect(migrated)) as new:
                return _incomplete(new)
    finally:
        connection.close()


def _incomplete(connection: sqlite3.Connection) -> str:
    """Return what is missing in a ledger of today's schema whose rows are sound, or nothing."""
    for query, what in WHOLE:
        if connection.execute(f"{query} LIMIT 1").fetchone():
            return what
    for number, members in connection.execute("SELECT id, members FROM grid").fetchall():
        if stored_digest(connection, number) != members:
            return "members of a grid are missing"
    if any(_key_of(*row) != row[0] for row in connection.execute(KEYS)):
        return "a member does not have its own key"
    return ""


def _key_of(key: str, *conditions: Any) -> str:
    return member_key(*conditions)


def complete_1(db: sqlite3.Connection) -> None:
    """Make what was saved of a ledger of schema 1 agree with itself: counts of members, cells and curves.

    Schema 1 does not say which curves a cell has. A cell without a curve that another seed of its task and
    method has may have lost it, and is computed again.
    """
    db.execute(LACKING_1)
    for grid, notes, cells in db.execute("SELECT digest, notes, cells FROM grid").fetchall():
        left = db.execute("SELECT count(*) FROM member WHERE grid=?", (grid,)).fetchone()[0]
        if left != cells:
            text = to_json([*json.loads(notes), LOST.format(lost=cells - left, cells=cells)])
            db.execute("UPDATE grid SET cells=?, notes=? WHERE digest=?", (left, text, grid))
    db.execute("DELETE FROM member WHERE grid NOT IN (SELECT digest FROM grid)")


def drop_incomplete(db: sqlite3.Connection, dropped: dict[str, int]) -> None:
    """Delete what stands for something that is gone: it is computed, or stored, again by the next run."""

    def drop(table: str, condition: str) -> None:
        count = db.execute(f"DELETE FROM {table} WHERE {condition}").rowcount
        dropped[table] = dropped.get(table, 0) + count

    drop("fit", f"key IN ({UNTOLD})")
    drop("cell", f"key IN ({UNFITTED})")
    while True:
        before = db.total_changes
        # done means complete, and a curve without its cell would come back beside another attempt's numbers
        drop("cell", f"key IN ({LACKING})")
        drop("curve", f"rowid IN ({STRAY})")
        if db.total_changes == before:
            break
    for table in ("member", "pair"):
        drop(table, "grid NOT IN (SELECT id FROM grid)")
    drop("pair", f"rowid IN ({NAMELESS})")
    drop("member", "NOT EXISTS (SELECT 1 FROM pair WHERE grid = member.grid AND number = member.pair)")
    wrong = [(row[0],) for row in db.execute(KEYS).fetchall() if _key_of(*row) != row[0]]
    if wrong:
        dropped["member"] += db.executemany("DELETE FROM member WHERE key=?", wrong).rowcount
    for number, cells, members in db.execute("SELECT id, cells, members FROM grid").fetchall():
        if stored_digest(db, number) != members:
            left = db.execute("SELECT count(*) FROM member WHERE grid=?", (number,)).fetchone()[0]
            reseal_grid(db, number, LOST.format(lost=max(cells - left, 0), cells=cells))


def open_loosely(path: Path) -> sqlite3.Connection:
    """Open so that text which is no UTF-8 any more can be read, and then be found to be wrong."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.text_factory = lambda data: data.decode("utf-8", "surrogateescape")
    return connection


def scan(source: sqlite3.Connection, name: str) -> Iterator[tuple[int, tuple[Any, ...]]]:
    """Yield every readable row: from the front, from the back, then one by one in between."""
    seen: set[int] = set()
    ends: list[int | None] = [None, None]
    for side, direction in enumerate(("ASC", "DESC")):
        cursor = source.cursor()
        try:
            cursor.execute(f"SELECT rowid, * FROM {name} NOT INDEXED ORDER BY rowid {direction}")
            while (row := cursor.fetchone()) is not None:
                ends[side] = row[0]
                if row[0] not in seen:
                    seen.add(row[0])
                    yield row[0], row[1:]
        except sqlite3.DatabaseError:
            continue
        return
    low = (ends[0] or 0) + 1
    high = ends[1] - 1 if ends[1] is not None else _most_rows(source)
    for rowid in range(low, high + 1):
        if rowid in seen:
            continue
        try:
            row = source.execute(f"SELECT * FROM {name} NOT INDEXED WHERE rowid=?", (rowid,)).fetchone()
        except sqlite3.DatabaseError:
            continue
        if row is not None:
            yield rowid, row


def _most_rows(source: sqlite3.Connection) -> int:
    size = Path(source.execute("PRAGMA database_list").fetchone()[2]).stat().st_size
    return size // ROW_BYTES


def is_sound(name: str, row: tuple[Any, ...], version: int) -> bool:
    """Whether a row is as it was written, and what it holds can be read."""
    try:
        for value in row:
            if isinstance(value, str):
                value.encode()  # fails for text that was read although it is no UTF-8
        if version == 1:
            return is_sound_1(name, row)
        if not is_sealed(name, row):
            return False
        if name == "spec":
            return bool(digest(json.loads(row[2])) == row[0])
        if version == SCHEMA_VERSION and not _are_facts_sound(name, row):
            return False
        if name == "curve":
            unpack_array(row[2])
        if name == "fit" and row[5] == "done":
            unpack_arrays(row[8 if version == SCHEMA_VERSION else 7])
    except Exception:  # noqa: BLE001 (whatever unreadable content raises, the row is not sound)
        return False
    return True


def _are_facts_sound(name: str, row: tuple[Any, ...]) -> bool:
    """Whether attributes and origin of a row can be read as such."""
    texts = {"pair": row[-3:-1], "fit": row[6:7], "cell": row[3:4]}.get(name, ())
    for text in texts:
        if text is not None:
            check_attributes(name, json.loads(text))
    return name != "cell" or is_origin(row[7])
