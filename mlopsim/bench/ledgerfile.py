"""The ledger's file: making an empty one, telling a sound one from a damaged one."""

from __future__ import annotations

import shlex
import shutil
import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path

from mlopsim.bench.schema import APPLICATION_ID, SCHEMA, SCHEMA_VERSION, TABLES
from mlopsim.bench.schema1 import SCHEMA_1, TABLES_1
from mlopsim.bench.schema1 import migrate as migrate_1
from mlopsim.bench.schema2 import SCHEMA_2, TABLES_2, ChangedRow
from mlopsim.bench.schema2 import migrate as migrate_2
from mlopsim.core.errors import ConfigError, LedgerError
from mlopsim.core.files import atomic_path

FILE_NAME = "ledger.sqlite"
LOCK_NAME = "ledger.lock"
#: kilobytes of pages that are kept: the index over the keys of a million cells fits in
CACHE_KB = 131072
#: statements that make an empty ledger and names of its tables, by schema version
LAYOUTS = {1: (SCHEMA_1, TABLES_1), 2: (SCHEMA_2, TABLES_2), SCHEMA_VERSION: (SCHEMA, TABLES)}


def create(file: Path, version: int = SCHEMA_VERSION) -> None:
    """Make an empty ledger; it appears complete or not at all."""
    with atomic_path(file) as path:
        connection = sqlite3.connect(path, isolation_level=None)
        try:
            # one transaction: the disk is waited for once
            identity = f"PRAGMA application_id={APPLICATION_ID}; PRAGMA user_version={version};"
            connection.executescript(f"BEGIN; {LAYOUTS[version][0]} {identity} COMMIT;")
        finally:
            connection.close()


def damaged(folder: Path, what: str) -> LedgerError:
    """Return the error for a damaged ledger: what is wrong and the command that mends it."""
    return LedgerError(
        f"the ledger {folder / FILE_NAME} is damaged: {what}",
        remedy=f"mlopsim repair {shlex.quote(str(folder))} (saves every readable row, "
        "keeps the damaged file beside it)",
    )


def check(connection: sqlite3.Connection, file: Path) -> int:
    """Raise unless the file is a sound ledger of a schema version that is known; return that version."""
    try:
        application = connection.execute("PRAGMA application_id").fetchone()[0]
        schema = connection.execute("PRAGMA user_version").fetchone()[0]
        report = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
        found = connection.execute("SELECT name FROM sqlite_master WHERE type='table'").fetchall()
    except sqlite3.DatabaseError as error:
        if "locked" in str(error):
            raise LedgerError(
                f"the ledger {file} is locked by another process", remedy="wait for it"
            ) from error
        raise damaged(file.parent, str(error)) from error
    if report != "ok":
        raise damaged(file.parent, report)
    if application != APPLICATION_ID:
        raise damaged(file.parent, "it is not a ledger or its beginning is lost")
    if schema not in LAYOUTS:
        raise ConfigError(
            f"the ledger {file} has schema version {schema}, this mlopsim writes {SCHEMA_VERSION}",
            remedy="choose another folder with results=DIR, or install the mlopsim that wrote it",
        )
    lost = set(LAYOUTS[schema][1]) - {name for (name,) in found}
    if lost:
        raise damaged(file.parent, f"it has no table {sorted(lost)[0]}")
    return int(schema)


def connect_to_write(file: Path) -> sqlite3.Connection:
    """Open a ledger for writing; an old one is migrated, its file kept as ``ledger.sqlite.schema-N``.

    The new file is made beside the old one in one transaction and takes its place when it is complete.
    The caller holds the lock.
    """
    connection = sqlite3.connect(file, isolation_level=None, timeout=30)
    try:
        if (version := check(connection, file)) != SCHEMA_VERSION:
            # fold the log into the file, so that the copy and what is replaced are whole
            connection.execute("PRAGMA journal_mode=DELETE")
            kept = _free_name(file, f"schema-{version}")
            with atomic_path(kept) as path:
                shutil.copyfile(file, path)
            with atomic_path(file) as path:
                _migrate(connection, file, version, path)
                connection.close()
            connection = sqlite3.connect(file, isolation_level=None, timeout=30)
            check(connection, file)
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=NORMAL")
        connection.execute(f"PRAGMA cache_size=-{CACHE_KB}")
    except BaseException:
        connection.close()
        raise
    return connection


def connect_to_read(file: Path) -> tuple[sqlite3.Connection, tempfile.TemporaryDirectory[str] | None]:
    """Open a ledger for reading; of an old one a migrated copy, in the folder that is returned."""
    uri = file.resolve().as_uri()
    connection = sqlite3.connect(f"{uri}?mode=ro", uri=True, isolation_level=None, timeout=30)
    try:
        try:
            connection.execute("SELECT 1 FROM sqlite_master").fetchone()
        except sqlite3.OperationalError:
            # WAL needs a file beside the ledger; where none can be made nobody writes either
            if file.with_name(f"{file.name}-wal").exists():
                raise
            connection.close()
            connection = sqlite3.connect(f"{uri}?immutable=1", uri=True, isolation_level=None)
        copy = None
        if (version := check(connection, file)) != SCHEMA_VERSION:
            copy = tempfile.TemporaryDirectory(prefix="mlopsim-")
            try:
                _migrate(connection, file, version, Path(copy.name) / FILE_NAME)
                connection.close()
                connection = sqlite3.connect(Path(copy.name) / FILE_NAME, isolation_level=None)
            except BaseException:
                copy.cleanup()
                raise
    except sqlite3.OperationalError as error:
        connection.close()
        if "malformed" in str(error) or "not a database" in str(error):
            raise damaged(file.parent, str(error)) from error
        raise LedgerError(
            f"the ledger {file} cannot be read here: {error}",
            remedy="copy its folder to a disk that can be written to, with its -wal file, and name the copy",
        ) from error
    except sqlite3.DatabaseError as error:
        connection.close()
        raise damaged(file.parent, str(error)) from error
    except BaseException:
        connection.close()
        raise
    connection.execute(f"PRAGMA cache_size=-{CACHE_KB}")
    return connection, copy


def _migrate(old: sqlite3.Connection, file: Path, version: int, target: Path) -> None:
    try:
        migrate(old, version, target)
    except ChangedRow as error:
        raise damaged(file.parent, str(error)) from error


def migrate(old: sqlite3.Connection, version: int, target: Path, *, whole: bool = True) -> None:
    """Make a ledger of today's schema from an old one: schema 1 by way of schema 2.

    Parameters
    ----------
    old : sqlite3.Connection
        With ``isolation_level=None``; it is only read.
    version : int
        Its schema version.
    target : Path
        The new file.
    whole : bool, default True
        Whether a grid that has lost members is an error.

    Raises
    ------
    ChangedRow
        If a row does not agree with its digest.
    """
    with tempfile.TemporaryDirectory(prefix="mlopsim-") as work:
        if version == 1:
            between = Path(work) / FILE_NAME
            create(between, 2)
            with closing(sqlite3.connect(between, isolation_level=None)) as new:
                migrate_1(old, new)
            old = sqlite3.connect(between, isolation_level=None)
        try:
            create(target)
            with closing(sqlite3.connect(target, isolation_level=None)) as new:
                migrate_2(old, new, whole=whole)
        finally:
            if version == 1:
                old.close()


def _free_name(file: Path, ending: str) -> Path:
    path, number = file.with_name(f"{file.name}.{ending}"), 1
    while path.exists():
        number += 1
        path = file.with_name(f"{file.name}.{ending}-{number}")
    return path
