"""Results folders that are damaged in a known way."""

from __future__ import annotations

import shutil
import sqlite3
from pathlib import Path

import numpy as np

from faults.base import Builder, Case, Fault, Kit, Right
from faults.texts import pick

FAMILY = "ledgers"
FILE = "ledger.sqlite"
#: columns that tell about a computation and enter no number
PROVENANCE = (
    "seconds",
    "fit_seconds",
    "host",
    "fingerprint",
    "run",
    "finished",
    "attempts",
    "bundle",
    "title",
    "digest",
    "fit",
    "git",
    "versions",
)


def numbers(csv: str) -> str:
    """Return an export without provenance, row by row in a fixed order.

    Rows that are missing from the ledger keep their keys in an export and have no numbers.
    """
    import io

    import polars as pl

    table = pl.read_csv(io.StringIO(csv), infer_schema_length=None)
    kept = [name for name in table.columns if name not in PROVENANCE]
    return str(table.select(kept).sort("key").write_csv())


def honest(found: str | None, whole: str) -> bool:
    """Whether an export was refused, or each of its rows is as it was or says that it is missing."""
    if found is None:
        return True
    rows, sound = found.splitlines(), whole.splitlines()
    place = sound[0].split(",").index("status")
    return len(rows) == len(sound) and all(
        row == right or row.split(",")[place] == "missing" for row, right in zip(rows, sound, strict=True)
    )


def copied(folder: Path, kit: Kit) -> Path:
    """Copy the finished results."""
    results = folder / "results"
    shutil.copytree(kit.results, results)
    return results


def changed(results: Path, statement: str, values: tuple[object, ...] = ()) -> None:
    """Change a ledger behind its back."""
    db = sqlite3.connect(results / FILE)
    try:
        with db:
            db.execute(statement, values)
    finally:
        db.close()


def resumed(kit: Kit, results: Path) -> tuple[str, ...]:
    """Return the words that run the tiny suite into a results folder."""
    common = ("bench", "suite=tiny", "--conf", str(kit.conf), "executor=serial", "--no-report")
    return (*common, f"results={results}")


def reading(rng: np.random.Generator, folder: Path, kit: Kit, results: Path, detail: str) -> Case:
    """Return a case of a command that reads: it finds the damage, or gives the right numbers."""
    command = pick(rng, ("export", "export", "status", "bench"))
    if command == "bench":
        after = folder / "out.csv"
        # without a report it shows no number: what has changed in one is found by whoever reads it
        return Case(
            words=resumed(kit, results),
            right=Right.FOUND,
            same=lambda _: honest(exported(results, after), kit.exported),
            detail=f"bench: {detail}",
        )
    if command == "status":
        # what status prints tells no number, so the export has to find it
        return Case(
            words=("status", str(results)),
            right=Right.FOUND,
            keeps=(results,),
            same=lambda _: honest(exported(results, folder / "out.csv"), kit.exported),
            detail=f"status: {detail}",
        )
    out = folder / "out.csv"
    return Case(
        words=("export", str(results), str(out)),
        right=Right.FOUND,
        keeps=(results,),
        same=lambda _: honest(numbers(out.read_text(encoding="utf-8")), kit.exported),
        detail=f"export: {detail}",
    )


def exported(results: Path, out: Path) -> str | None:
    """Export a folder; return its numbers, or None if it is refused."""
    from faults.base import command

    code, _, _ = command(("export", str(results), str(out)))
    return numbers(out.read_text(encoding="utf-8")) if code == 0 else None


def bytes_of_the_file(rng: np.random.Generator, folder: Path, kit: Kit) -> Case:
    results = copied(folder, kit)
    raw = bytearray((results / FILE).read_bytes())
    what = pick(rng, ("cut", "zeros", "flipped", "header", "empty", "random", "other"))
    at = int(rng.integers(len(raw)))
    if what == "cut":
        raw = raw[: max(1, at)]
    elif what == "zeros":
        raw[at : at + 64] = bytes(len(raw[at : at + 64]))
    elif what == "flipped":
        for place in rng.integers(0, len(raw), size=int(rng.integers(1, 6))):
            raw[int(place)] ^= 1 << int(rng.integers(8))
    elif what == "header":
        raw[int(rng.integers(100))] ^= 0xFF
    elif what == "empty":
        raw = bytearray()
    elif what == "random":
        raw = bytearray(rng.bytes(4096))
    else:
        other = folder / "other.sqlite"
        with sqlite3.connect(other) as db:
            db.execute("CREATE TABLE x (y)")
        db.close()
        raw = bytearray(other.read_bytes())
    (results / FILE).write_bytes(bytes(raw))
    return reading(rng, folder, kit, results, f"bytes {what}")


def text_columns(results: Path) -> list[tuple[str, str]]:
    """Return (table, column) of every column of a ledger."""
    db = sqlite3.connect(results / FILE)
    try:
        tables = [
            r[0]
            for r in db.execute(
                "SELECT name FROM sqlite_master WHERE type='table' AND name NOT LIKE 'sqlite_%'"
            )
        ]
        return [(table, row[1]) for table in tables for row in db.execute(f"PRAGMA table_info({table})")]
    finally:
        db.close()


def one_letter(rng: np.random.Generator, folder: Path, kit: Kit) -> Case:
    """One letter, digit or byte of one value of one column of one table."""
    results = copied(folder, kit)
    columns = text_columns(results)
    db = sqlite3.connect(results / FILE)
    table, column, where, value = "", "", 0, None
    while value is None or value == "" or value == b"":
        table, column = pick(rng, columns)
        rowids = [row[0] for row in db.execute(f"SELECT rowid FROM {table}")]
        if not rowids:
            continue
        where = pick(rng, rowids)
        value = db.execute(f"SELECT {column} FROM {table} WHERE rowid=?", (where,)).fetchone()[0]
    if isinstance(value, bytes):
        raw = bytearray(value)
        raw[int(rng.integers(len(raw)))] ^= 1 << int(rng.integers(8))
        new: object = bytes(raw)
    elif isinstance(value, str):
        at = int(rng.integers(len(value)))
        new = value[:at] + ("7" if value[at] != "7" else "3") + value[at + 1 :]
    else:
        new = value + 1
    try:
        with db:
            db.execute(f"UPDATE {table} SET {column}=? WHERE rowid=?", (new, where))
    except sqlite3.IntegrityError:
        with db:
            db.execute(f"DELETE FROM {table} WHERE rowid=?", (where,))
    db.close()
    return reading(rng, folder, kit, results, f"a letter of {table}.{column}")


def rows_gone(rng: np.random.Generator, folder: Path, kit: Kit) -> Case:
    results = copied(folder, kit)
    table = pick(rng, ("cell", "member", "spec", "curve", "grid", "run"))
    db = sqlite3.connect(results / FILE)
    rowids = [row[0] for row in db.execute(f"SELECT rowid FROM {table} ORDER BY rowid")]
    db.close()
    changed(results, f"DELETE FROM {table} WHERE rowid = ?", values=(pick(rng, rowids),))
    return reading(rng, folder, kit, results, f"a row of {table} gone")


def rows_swapped(rng: np.random.Generator, folder: Path, kit: Kit) -> Case:
    results = copied(folder, kit)
    table, column = pick(
        rng,
        (
            ("cell", "metrics"),
            ("curve", "data"),
            ("spec", "content"),
            ("pair", "task"),
            ("pair", "method"),
        ),
    )
    db = sqlite3.connect(results / FILE)
    found = db.execute(f"SELECT rowid, {column} FROM {table} ORDER BY rowid").fetchall()
    one, two = found[0], next(row for row in found if row[1] != found[0][1])
    with db:
        db.execute(f"UPDATE {table} SET {column}=? WHERE rowid=?", (two[1], one[0]))
        db.execute(f"UPDATE {table} SET {column}=? WHERE rowid=?", (one[1], two[0]))
    db.close()
    return reading(rng, folder, kit, results, f"{table}.{column} swapped")


def table_gone(rng: np.random.Generator, folder: Path, kit: Kit) -> Case:
    results = copied(folder, kit)
    table = pick(rng, ("cell", "member", "spec", "curve", "grid", "run", "fit"))
    changed(results, pick(rng, (f"DROP TABLE {table}", f"ALTER TABLE {table} RENAME TO other")))
    return reading(rng, folder, kit, results, f"{table} gone")


def schema_of_another_version(rng: np.random.Generator, folder: Path, kit: Kit) -> Case:
    results = copied(folder, kit)
    changed(
        results, pick(rng, ("PRAGMA user_version=99", "PRAGMA user_version=0", "PRAGMA application_id=7"))
    )
    return reading(rng, folder, kit, results, "another version")


def values_of_another_type(rng: np.random.Generator, folder: Path, kit: Kit) -> Case:
    results = copied(folder, kit)
    table, column = pick(rng, text_columns(results))
    value = pick(
        rng, ("x", "{}", "[]", "[[[[", "NaN", "9" * 400, "nul\x00l", 7, 1.5, b"\xff\xfe", -1, "ü" * 50)
    )
    try:
        changed(
            results,
            f"UPDATE {table} SET {column}=? WHERE rowid = (SELECT min(rowid) FROM {table})",
            values=(value,),
        )
    except sqlite3.IntegrityError:
        changed(results, f"DELETE FROM {table}")
    return reading(rng, folder, kit, results, f"{table}.{column} = {value!r:.20}")


def repaired(rng: np.random.Generator, folder: Path, kit: Kit) -> Case:
    """Damage, then ``repair``, then the same command again: the very numbers of the whole ledger."""
    damage = pick(rng, (bytes_of_the_file, one_letter, rows_gone, rows_swapped, values_of_another_type))
    case = damage(rng, folder, kit)
    results = folder / "results"

    def whole(_: str) -> bool:
        from faults.base import command

        code, _, _ = command(resumed(kit, results))
        return code == 0 and exported(results, folder / "out.csv") == kit.exported

    return Case(
        words=("repair", str(results)),
        right=Right.FOUND,
        same=whole,
        detail=f"repair: {case.detail.partition(': ')[2]}",
    )


def files_around_it(rng: np.random.Generator, folder: Path, kit: Kit) -> Case:
    results = copied(folder, kit)
    what = pick(rng, ("lock is a folder", "ledger is a folder", "journal is rubbish", "lock is rubbish"))
    if what == "lock is a folder":
        (results / "ledger.lock").unlink(missing_ok=True)
        (results / "ledger.lock").mkdir()
    elif what == "ledger is a folder":
        (results / FILE).unlink()
        (results / FILE).mkdir()
    elif what == "journal is rubbish":
        (results / f"{FILE}-wal").write_bytes(rng.bytes(3000))
    else:
        (results / "ledger.lock").write_bytes(rng.bytes(100))
    return reading(rng, folder, kit, results, what)


BUILDERS: tuple[Builder, ...] = (
    bytes_of_the_file, one_letter, rows_gone, rows_swapped, table_gone, schema_of_another_version,
    values_of_another_type, repaired, files_around_it,
)  # fmt: skip

FAULTS = tuple(Fault(family=FAMILY, name=b.__name__.replace("_", " "), build=b) for b in BUILDERS)
