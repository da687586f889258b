"""Salvage what a damaged ledger still holds into a new one; the damaged file is kept."""

from __future__ import annotations

import json
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mlopsim.bench.ledgerfile import FILE_NAME, LOCK_NAME, check, create
from mlopsim.bench.lock import FolderLock
from mlopsim.bench.storage import SCHEMA, TABLES, member_key, row_digest, unpack_arrays
from mlopsim.core.digest import digest, digest_arrays, digest_bytes
from mlopsim.core.errors import LedgerError
from mlopsim.core.files import ensure_writable

#: a row takes a few bytes at least; bounds the search for rows behind damaged pages
ROW_BYTES = 24


@dataclass(kw_only=True)
class Repair:
    """What a repair did: rows kept by table, rows dropped because they disagree with their digest.

    ``kept_file`` is where the damaged file went, None when there was nothing to mend. ``lost_cells``
    counts cells of the stored grids that have no row now; the next run computes them.
    """

    folder: Path
    damage: str = ""
    kept: dict[str, int] = field(default_factory=dict)
    dropped: dict[str, int] = field(default_factory=dict)
    lost_cells: int = 0
    kept_file: Path | None = None

    def text(self) -> str:
        """Return what happened, for people."""
        if self.kept_file is None:
            return f"the ledger in {self.folder} is sound: nothing to repair"
        kept = ", ".join(f"{count} {name}" for name, count in self.kept.items())
        lines = [f"repaired the ledger in {self.folder} ({self.damage})", f"  rows saved: {kept}"]
        dropped = ", ".join(f"{count} {name}" for name, count in self.dropped.items() if count)
        if dropped:
            lines.append(f"  rows dropped because their content had changed: {dropped}")
        lines.append(
            f"  cells of its grids without a result now: {self.lost_cells}; the next run computes them"
        )
        lines.append(f"  the damaged file is kept as {self.kept_file}")
        return "\n".join(lines)


def repair(folder: str | Path) -> Repair:
    """Mend a results folder's ledger.

    Every row that can still be read and agrees with its digest goes into a new ledger, which then
    takes the place of the damaged file; that one is kept as ``ledger.sqlite.damaged-N``. A sound
    ledger is left alone.

    Parameters
    ----------
    folder : str or Path
        The results folder.

    Returns
    -------
    Repair
        What was saved and what was lost.

    Raises
    ------
    LedgerError
        If there is no ledger or another process writes it.
    """
    folder = Path(folder)
    file = folder / FILE_NAME
    if not file.is_file():
        raise LedgerError(f"no ledger in {folder}")
    ensure_writable(folder)
    lock = FolderLock(folder / LOCK_NAME)
    lock.acquire()
    try:
        with tempfile.TemporaryDirectory(prefix=".repair-", dir=folder) as work:
            return _repair(folder, file, Path(work))
    finally:
        lock.release()


def _repair(folder: Path, file: Path, work: Path) -> Repair:
    report = Repair(folder=folder)
    # all reading is done on copies: the damaged file stays as it was found
    copy = work / "copy.sqlite"
    for ending in ("", "-wal"):
        part = file.with_name(file.name + ending)
        if part.exists():
            shutil.copyfile(part, copy.with_name(copy.name + ending))
    new = work / "new.sqlite"
    create(new)
    report.damage = _damage(copy)
    if not report.damage:
        report.damage = _changed_rows(copy)
        if not report.damage:
            return report
    _mend_first_page(copy, new)
    target = sqlite3.connect(new, isolation_level=None)
    try:
        source = _open_loosely(copy)
        try:
            target.execute("BEGIN")
            for name in TABLES:
                report.kept[name], report.dropped[name] = _copy_rows(source, target, name)
            target.execute("COMMIT")
        finally:
            source.close()
        # a curve without its cell would come back beside the numbers of another attempt
        target.execute("DELETE FROM curve WHERE cell NOT IN (SELECT key FROM cell WHERE status='done')")
        report.kept["curve"] = target.execute("SELECT count(*) FROM curve").fetchone()[0]
        report.lost_cells = target.execute(
            "SELECT count(DISTINCT key) FROM member WHERE key NOT IN (SELECT key FROM cell)"
        ).fetchone()[0]
    finally:
        target.close()
    number = 1
    while (aside := folder / f"{FILE_NAME}.damaged-{number}").exists():
        number += 1
    for ending in ("-wal", "-shm"):
        part = file.with_name(file.name + ending)
        if part.exists():
            part.replace(aside.with_name(aside.name + ending))
    file.replace(aside)
    new.replace(file)
    report.kept_file = aside
    return report


def _damage(path: Path) -> str:
    connection = sqlite3.connect(path, isolation_level=None)
    try:
        check(connection, path)
        # beyond the check on opening: indexes that disagree with their tables
        found = str(connection.execute("PRAGMA integrity_check(1)").fetchone()[0])
    except LedgerError as error:
        return error.message.rpartition(" is damaged: ")[2]
    except sqlite3.DatabaseError as error:
        return str(error)
    finally:
        connection.close()
    return "" if found == "ok" else found


def _changed_rows(path: Path) -> str:
    connection = _open_loosely(path)
    try:
        for name in TABLES:
            for _, row in _scan(connection, name):
                if not _sound(name, row):
                    return f"a row of table {name} has changed"
    finally:
        connection.close()
    return ""


def _open_loosely(path: Path) -> sqlite3.Connection:
    """Open so that text which is no UTF-8 any more can be read, and then be found to be wrong."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.text_factory = lambda data: data.decode("utf-8", "surrogateescape")
    return connection


def _mend_first_page(copy: Path, fresh: Path) -> None:
    """Replace a lost first page: every ledger is made by the same statements, so a fresh one has
    its tables at the same places.
    """
    connection = sqlite3.connect(copy)
    try:
        found = connection.execute("SELECT count(*) FROM sqlite_master WHERE type='table'").fetchone()[0]
    except sqlite3.DatabaseError:  # unreadable: that is what is mended here
        found = 0
    finally:
        connection.close()
    if found == SCHEMA.count("CREATE TABLE"):
        return
    page = fresh.read_bytes()
    size = int.from_bytes(page[16:18], "big")
    pages = copy.stat().st_size // size
    if pages < 2:
        # nothing beyond the first page is left
        shutil.copyfile(fresh, copy)
        return
    head = bytearray(page[:size])
    head[28:32] = pages.to_bytes(4, "big")
    head[32:40] = bytes(8)  # no free pages known
    head[92:96] = head[24:28]  # so that the page count above counts
    with copy.open("r+b") as handle:
        handle.write(head)


def _copy_rows(source: sqlite3.Connection, target: sqlite3.Connection, name: str) -> tuple[int, int]:
    kept = dropped = 0
    width = len(target.execute(f"PRAGMA table_info({name})").fetchall())
    marks = ",".join("?" * width)
    for _, row in _scan(source, name):
        if len(row) == width and _sound(name, row):
            try:
                kept += target.execute(f"INSERT OR IGNORE INTO {name} VALUES ({marks})", row).rowcount
            except (
                sqlite3.Error,
                UnicodeEncodeError,
            ):  # a value that the table's rules refuse: not what we wrote
                dropped += 1
        else:
            dropped += 1
    return kept, dropped


def _scan(source: sqlite3.Connection, name: str) -> Iterator[tuple[int, tuple[Any, ...]]]:
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


def _sound(name: str, row: tuple[Any, ...]) -> bool:
    """Whether a row agrees with the digest that was stored with it; tables without one are trusted
    because their content enters keys or is for display only.
    """
    try:
        for value in row:
            if isinstance(value, str):
                value.encode()  # fails for text that was read although it is no UTF-8
        if name == "cell":
            key, status, metrics, reasons, error, seal = row[:6]
            return bool(row_digest(key, status, metrics, reasons, error) == seal)
        if name == "member":
            return bool(member_key(row[3], row[6], row[7], row[8], row[9], row[10], row[11]) == row[2])
        if name == "spec":
            return bool(digest(json.loads(row[2])) == row[0])
        if name == "curve":
            return bool(digest_bytes(row[2]) == row[3])
        if name == "fit" and row[5] == "done":
            return bool(row_digest(row[0], row[6], digest_arrays(unpack_arrays(row[7]))) == row[8])
    except Exception:  # noqa: BLE001 (whatever unreadable content raises, the row is not sound)
        return False
    return True
