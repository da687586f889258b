"""Salvage what a damaged ledger still holds into a new one; the damaged file is kept."""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from mlopsim.bench.ledgerfile import FILE_NAME, LAYOUTS, LOCK_NAME, check, create, migrate
from mlopsim.bench.lock import FolderLock
from mlopsim.bench.schema import SCHEMA_VERSION, TABLES
from mlopsim.bench.sound_rows import (
    changed_rows,
    complete_1,
    drop_incomplete,
    is_sound,
    open_loosely,
    scan,
)
from mlopsim.core.errors import LedgerError
from mlopsim.core.files import ensure_writable


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
    report.damage = _damage(copy)
    if not report.damage:
        report.damage = changed_rows(copy, _version(copy) or SCHEMA_VERSION)
        if not report.damage:
            return report
    version = _version(copy)
    saved: dict[int, Path] = {}
    # a file whose beginning is lost does not say its version: what gives more rows is right
    for candidate in sorted(LAYOUTS, reverse=True) if version is None else (version,):
        trial = work / f"trial-{candidate}.sqlite"
        shutil.copyfile(copy, trial)
        if (log := copy.with_name(copy.name + "-wal")).exists():
            shutil.copyfile(log, trial.with_name(trial.name + "-wal"))
        saved[candidate] = work / f"saved-{candidate}.sqlite"
        counts = _save(trial, saved[candidate], candidate)
        if not report.kept or sum(counts[0].values()) > sum(report.kept.values()):
            (report.kept, report.dropped), version = counts, candidate
    assert version is not None
    if version == SCHEMA_VERSION:
        saved[version].replace(new)
    else:
        with _connected(saved[version]) as source:
            migrate(source, version, new, whole=False)
    with _connected(new) as target:
        target.execute("BEGIN")
        drop_incomplete(target, report.dropped)
        target.execute("COMMIT")
        for name in TABLES:
            report.kept[name] = target.execute(f"SELECT count(*) FROM {name}").fetchone()[0]
        report.lost_cells = target.execute(
            "SELECT count(DISTINCT key) FROM member WHERE key NOT IN (SELECT key FROM cell)"
        ).fetchone()[0]
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


@contextmanager
def _connected(path: Path) -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(path, isolation_level=None)
    try:
        yield connection
    finally:
        connection.close()


def _version(path: Path) -> int | None:
    """Return the schema version that a file tells of itself, if it is one that is known."""
    try:
        with _connected(path) as connection:
            found = connection.execute("PRAGMA user_version").fetchone()[0]
    except sqlite3.DatabaseError:  # unreadable: that is what is mended here
        return None
    return int(found) if found in LAYOUTS else None


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


def _save(source: Path, target: Path, version: int) -> tuple[dict[str, int], dict[str, int]]:
    """Copy what can be read and is sound into a new file of the same version; count rows by table."""
    kept: dict[str, int] = {}
    dropped: dict[str, int] = {}
    create(target, version)
    tables = LAYOUTS[version][1]
    _mend_first_page(source, target, len(tables))
    loose = open_loosely(source)
    try:
        with _connected(target) as new:
            new.execute("BEGIN")
            for name in tables:
                kept[name], dropped[name] = _copy_rows(loose, new, name, version)
            if version == 1:
                complete_1(new)
            new.execute("COMMIT")
    finally:
        loose.close()
    return kept, dropped


def _mend_first_page(copy: Path, fresh: Path, tables: int) -> None:
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
    if found == tables:
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


def _copy_rows(
    source: sqlite3.Connection, target: sqlite3.Connection, name: str, version: int
) -> tuple[int, int]:
    kept = dropped = 0
    width = len(target.execute(f"PRAGMA table_info({name})").fetchall())
    marks = ",".join("?" * width)
    for _, row in scan(source, name):
        if len(row) == width and is_sound(name, row, version):
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
