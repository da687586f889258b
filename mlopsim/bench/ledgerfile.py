"""The ledger's file: making an empty one, telling a sound one from a damaged one."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from mlopsim.bench.storage import APPLICATION_ID, SCHEMA, SCHEMA_VERSION
from mlopsim.core.errors import ConfigError, LedgerError
from mlopsim.core.files import atomic_path

FILE_NAME = "ledger.sqlite"
LOCK_NAME = "ledger.lock"


def create(file: Path) -> None:
    """Make an empty ledger; it appears complete or not at all."""
    with atomic_path(file) as path:
        connection = sqlite3.connect(path, isolation_level=None)
        try:
            connection.executescript(SCHEMA)
            connection.execute(f"PRAGMA application_id={APPLICATION_ID}")
            connection.execute(f"PRAGMA user_version={SCHEMA_VERSION}")
        finally:
            connection.close()


def damaged(folder: Path, what: str) -> LedgerError:
    """Return the error for a damaged ledger: what is wrong and the command that mends it."""
    return LedgerError(
        f"the ledger {folder / FILE_NAME} is damaged: {what}",
        remedy=f"mlopsim repair {folder} (saves every readable row, keeps the damaged file beside it)",
    )


def check(connection: sqlite3.Connection, file: Path) -> None:
    """Raise unless the file is a sound ledger of this schema version."""
    try:
        application = connection.execute("PRAGMA application_id").fetchone()[0]
        schema = connection.execute("PRAGMA user_version").fetchone()[0]
        report = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
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
    if schema != SCHEMA_VERSION:
        raise ConfigError(
            f"the ledger {file} has schema version {schema}, this mlopsim writes {SCHEMA_VERSION}",
            remedy="choose another folder with results=DIR, or install the mlopsim that wrote it",
        )
