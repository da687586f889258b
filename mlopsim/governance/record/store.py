"""A record on disk: two logs and their heads in the folder ``records/CELL`` of a results folder."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from mlopsim.core.errors import DataError
from mlopsim.core.files import write_bytes, write_text
from mlopsim.governance.record.checkpoint import LARGEST
from mlopsim.governance.record.log import TREES, Record, split_lines

#: largest log that is read, in bytes
LARGEST_LOG = 1 << 30


@dataclass(frozen=True, kw_only=True)
class Stored:
    """What lies in the folder of a record: bytes and texts as they are, None for a file that is not there.

    Parameters
    ----------
    logs : dict of str to bytes or None
        By tree.
    heads : dict of str to str or None
        By tree.
    place : str
        What it is called in errors.
    """

    logs: dict[str, bytes | None]
    heads: dict[str, str | None]
    place: str = "the record"

    @property
    def there(self) -> bool:
        """Whether anything lies there, be it an empty file."""
        return any(part is not None for part in [*self.logs.values(), *self.heads.values()])

    def record(self, cell: str) -> Record:
        """Return its lines, whatever they hold; of a log that is not there none."""
        lines = {tree: split_lines(self.logs[tree] or b"") for tree in TREES}
        return Record(cell=cell, **lines)


def place_of(results: str | Path, cell: str) -> Path:
    """Return the folder of a cell's record in a results folder.

    Raises
    ------
    DataError
        If that is no key of a cell: it comes from a ledger, which comes from anybody.
    """
    if not re.fullmatch("[0-9a-f]{8,64}", cell):
        raise DataError(f"'{cell[:60]}' is no key of a cell", remedy="take a key from the export")
    return Path(results) / "records" / cell


def stored_of(record: Record) -> Stored:
    """Return what would lie in a record's folder."""
    return Stored(
        logs={tree: b"".join(record.lines(tree)) for tree in TREES},
        heads={tree: record.head(tree).text() for tree in TREES},
    )


def write_record(folder: Path, record: Record) -> Path:
    """Write a record into its folder: each log, then its head."""
    for tree in TREES:
        write_bytes(folder / f"{tree}.jsonl", b"".join(record.lines(tree)))
        write_text(folder / f"{tree}.head", record.head(tree).text())
    return folder


def read_record(folder: Path) -> Stored:
    """Read what lies in the folder of a record; what is missing is None.

    Raises
    ------
    DataError
        If a head is no text, or a file larger than any record.
    """
    logs = {tree: _read(folder / f"{tree}.jsonl", LARGEST_LOG) for tree in TREES}
    heads: dict[str, str | None] = {}
    for tree in TREES:
        data = _read(folder / f"{tree}.head", LARGEST)
        try:
            heads[tree] = None if data is None else data.decode("utf-8")
        except UnicodeDecodeError as error:
            raise DataError(
                f"the head {tree}.head is no text",
                remedy="write the record anew, or take the head as it was published",
            ) from error
    return Stored(logs=logs, heads=heads, place=f"records/{folder.name}")


def _read(path: Path, largest: int) -> bytes | None:
    if not path.is_file():
        return None
    if path.stat().st_size > largest:
        raise DataError(f"{path.name} has more than {largest:,} bytes", remedy="no record is that large")
    return path.read_bytes()
