"""Grids in the ledger: a row for the grid, one for each pair of task and method, a short one a cell."""

from __future__ import annotations

import itertools
import json
import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

from mlopsim.bench.grid import Grid
from mlopsim.bench.provenance import after
from mlopsim.bench.schema import MemberDigest, is_sealed, seal, sealed
from mlopsim.bench.storage import to_json
from mlopsim.core.digest import digest

#: columns of a pair that follow its grid and number
PAIR = (
    *("track", "task", "method", "task_digest", "method_digest", "split", "root"),
    *("task_attributes", "method_attributes"),
)
#: rows that are read or counted at a time
CHUNK = 20_000


def store_grid(db: sqlite3.Connection, grid: Grid) -> bool:
    """Store a grid with its specs and members, or refresh what may change of one that is known.

    Members are written again only if they, their labels, attributes or order differ from what is stored;
    returned is whether they did.
    """
    pairs, places = _pairs(grid)
    members = [(cell.key, pair, cell.seed, cell.fit) for cell, pair in zip(grid.cells, places, strict=True)]
    state = MemberDigest([(number, *pair) for number, pair in enumerate(pairs)])
    for start in range(0, len(members), CHUNK):
        state.add(members[start : start + CHUNK])
    seal_of_members = state.result()
    found = db.execute("SELECT id, members FROM grid WHERE digest=?", (grid.digest,)).fetchone()
    if found is None:
        number = db.execute("SELECT coalesce(max(id), 0) + 1 FROM grid").fetchone()[0]
    else:
        number = found[0]
    differs = found is None or found[1] != seal_of_members or stored_digest(db, number) != seal_of_members
    if differs:
        db.execute("DELETE FROM member WHERE grid=?", (number,))
        db.execute("DELETE FROM pair WHERE grid=?", (number,))
        insert_pairs(db, number, [(at, *pair) for at, pair in enumerate(pairs)])
        insert_members(db, number, members)
    texts = [
        to_json(value)
        for value in (
            *(grid.track, [asdict(metric) for metric in grid.metrics], grid.notes),
            *(list(grid.plugins), grid.config),
        )
    ]
    # the grid that was used last is told by its time stamp, whatever the clock says
    stored = db.execute("SELECT * FROM grid").fetchall()
    for row in stored:
        if not is_sealed("grid", row):
            # a database error: the ledger tells it as damage, with the remedy
            raise sqlite3.DatabaseError(f"the stored grid {row[1]!s:.12} has changed")
    used = after(max((row[-2] for row in stored), default=None))
    # deleted first: the row that was registered last is the last
    db.execute("DELETE FROM grid WHERE id=?", (number,))
    db.execute(
        "INSERT INTO grid VALUES (?,?,?,?,?,?,?,?,?,?,?,?)",
        sealed("grid", number, grid.digest, grid.title, *texts, len(members), seal_of_members, used),
    )
    specs = {
        **{task.digest: ("task", task.part) for task in {id(c.task): c.task for c in grid.cells}.values()},
        **{m.digest: ("method", m.part) for m in {id(c.method): c.method for c in grid.cells}.values()},
        **{digest(job.part): ("fit", job.part) for job in grid.fits},
    }
    put_specs(db, specs)
    return differs


def insert_pairs(db: sqlite3.Connection, number: int, pairs: Sequence[tuple[Any, ...]]) -> None:
    """Store the pairs of a grid: number and what it stands for."""
    rows = [sealed("pair", number, *pair) for pair in pairs]
    db.executemany("INSERT INTO pair VALUES (?,?,?,?,?,?,?,?,?,?,?,?)", rows)


def insert_members(
    db: sqlite3.Connection, number: int, members: Sequence[tuple[str, int, int, str | None]]
) -> None:
    """Store the members of a grid in their order: key, pair, seed, fit."""
    db.executemany(
        "INSERT INTO member VALUES (?,?,?,?,?,?,?)",
        (sealed("member", number, place, *member) for place, member in enumerate(members)),
    )


def stored_digest(db: sqlite3.Connection, number: int) -> str:
    """Return the digest over the pairs and members of a grid as they are stored; "" if places are wrong."""
    pairs = db.execute(
        f"SELECT number, {', '.join(PAIR)} FROM pair WHERE grid=? ORDER BY number", (number,)
    ).fetchall()
    state = MemberDigest(pairs)
    place = 0
    query = "SELECT position, key, pair, seed, fit FROM member WHERE grid=? ORDER BY position"
    for rows in chunks(db.execute(query, (number,))):
        if [row[0] for row in rows] != list(range(place, place + len(rows))):
            return ""
        place += len(rows)
        state.add(row[1:] for row in rows)
    return state.result()


def put_specs(db: sqlite3.Connection, specs: dict[str, tuple[str, Any]]) -> None:
    """Store parts by their digest, unless they are there."""
    rows = [sealed("spec", key, kind, to_json(part)) for key, (kind, part) in specs.items()]
    db.executemany("INSERT OR IGNORE INTO spec VALUES (?,?,?,?)", rows)


def _pairs(grid: Grid) -> tuple[list[tuple[Any, ...]], list[int]]:
    """Return the distinct pairs of a grid and, for each cell, the number of its pair."""
    pairs: dict[tuple[Any, ...], int] = {}
    known: dict[tuple[Any, ...], int] = {}
    places: list[int] = []
    for cell in grid.cells:
        task, method = cell.task, cell.method
        # the parts live as long as the grid, so that who they are is quicker than what they are
        short = (id(task), id(method), cell.track, cell.split, cell.root)
        place = known.get(short)
        if place is None:
            pair = (
                *(cell.track, task.name, method.name, task.digest, method.digest, cell.split, cell.root),
                *(to_json(task.attributes), to_json(method.attributes)),
            )
            place = known[short] = pairs.setdefault(pair, len(pairs))
        places.append(place)
    return list(pairs), places


def reseal_grid(db: sqlite3.Connection, number: int, lost: str) -> None:
    """Count the members of a grid anew after some were lost, and say so in its notes.

    The next run of its suite stores all of them again.
    """
    row = list(db.execute("SELECT * FROM grid WHERE id=?", (number,)).fetchone())
    # numbers and places without gaps again
    rows = db.execute(f"SELECT number, {', '.join(PAIR)} FROM pair WHERE grid=? ORDER BY number", (number,))
    pairs = rows.fetchall()
    places = {pair[0]: place for place, pair in enumerate(pairs)}
    pairs = [(places[pair[0]], *pair[1:]) for pair in pairs]
    query = "SELECT key, pair, seed, fit FROM member WHERE grid=? ORDER BY position"
    found = db.execute(query, (number,)).fetchall()
    members = [(key, places[pair], seed, fit) for key, pair, seed, fit in found]
    db.execute("DELETE FROM member WHERE grid=?", (number,))
    db.execute("DELETE FROM pair WHERE grid=?", (number,))
    insert_pairs(db, number, pairs)
    insert_members(db, number, members)
    state = MemberDigest(pairs)
    state.add(members)
    row[5] = to_json([*json.loads(row[5]), lost])
    row[8:10] = [len(members), state.result()]
    row[-1] = seal("grid", *row[:-1])
    db.execute(f"INSERT OR REPLACE INTO grid VALUES ({','.join('?' * len(row))})", row)


def chunks(cursor: Iterator[tuple[Any, ...]]) -> Iterator[list[tuple[Any, ...]]]:
    """Yield the rows of a query in lists of at most ``CHUNK``."""
    while rows := list(itertools.islice(cursor, CHUNK)):
        yield rows
