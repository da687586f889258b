"""Published heads, ``heads.csv``: for a place that the writer of records cannot rewrite (git)."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mlopsim.core.errors import DataError
from mlopsim.governance.record.anchored import Anchor
from mlopsim.governance.record.checkpoint import Checkpoint, encoded, hash_of
from mlopsim.governance.record.log import TREES, Record, origin_of

COLUMNS = ("cell", "records", "decisions", "evidence")
#: names of the facts about a cell that hold its heads in a ledger: the evidence depends on the platform
FACTS = {"records": "record_size", "decisions": "decisions_root", "evidence": "evidence_root"}


@dataclass(frozen=True, kw_only=True)
class Heads:
    """The heads of both logs of a record at one moment.

    Parameters
    ----------
    cell : str
    records : int
        Number of records.
    decisions, evidence : bytes
        The roots.
    """

    cell: str
    records: int
    decisions: bytes
    evidence: bytes

    def anchors(self, source: str) -> list[Anchor]:
        """Return them as anchors that were published in a place."""
        roots = {"decisions": self.decisions, "evidence": self.evidence}
        return [
            Anchor(
                head=Checkpoint(origin=origin_of(self.cell, tree), size=self.records, root=roots[tree]),
                source=source,
            )
            for tree in TREES
        ]

    def facts(self) -> dict[str, int | str]:
        """Return them as facts about the cell, for a ledger."""
        values: dict[str, int | str] = {
            "records": self.records,
            "decisions": encoded(self.decisions),
            "evidence": encoded(self.evidence),
        }
        return {FACTS[name]: value for name, value in values.items()}


def heads_of(record: Record) -> Heads:
    """Return the heads of a record."""
    roots = {tree: record.head(tree).root for tree in TREES}
    return Heads(cell=record.cell, records=len(record), **roots)


def heads_from_facts(cell: str, facts: Mapping[str, Any]) -> Heads | None:
    """Return the heads that a ledger's facts about a cell hold; None if they hold none.

    Raises
    ------
    DataError
        If they hold what is none.

    Examples
    --------
    >>> heads_from_facts("3fa9", {"stream_id": "a"}) is None
    True
    """
    values = {name: facts.get(fact) for name, fact in FACTS.items()}
    if all(value is None for value in values.values()):
        return None
    return _read({**{name: str(value) for name, value in values.items()}, "cell": cell}, "the ledger")


def write_heads(heads: Iterable[Heads]) -> str:
    """Return heads as CSV, by cell and size, each once.

    Examples
    --------
    >>> print(write_heads([Heads(cell="3fa9", records=1, decisions=bytes(32), evidence=bytes(32))]), end="")
    cell,records,decisions,evidence
    3fa9,1,AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=,AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    rows = {(h.cell, h.records, encoded(h.decisions), encoded(h.evidence)) for h in heads}
    writer.writerows(sorted(rows))
    return text.getvalue()


def read_heads(path: str | Path) -> list[Heads]:
    """Read a file of heads.

    Raises
    ------
    DataError
        If it is not there, or no such file.
    """
    path = Path(path)
    remedy = "name a file that `mlopsim audit-log heads` wrote"
    if not path.is_file():
        raise DataError(f"no heads at {path}", remedy=remedy)
    try:
        with path.open(encoding="utf-8", newline="") as file:
            reader = csv.DictReader(file, strict=True)
            if tuple(reader.fieldnames or ()) != COLUMNS:
                raise DataError(
                    f"{path.name} is no file of heads: columns {reader.fieldnames}", remedy=remedy
                )
            return [_read(row, f"{path.name}, line {reader.line_num}") for row in reader]
    except (csv.Error, UnicodeDecodeError) as error:
        raise DataError(f"{path.name} is no file of heads: {error}", remedy=remedy) from error


def _read(row: Mapping[str, Any], where: str) -> Heads:
    remedy = "take the heads as they were published"
    if set(row) != set(COLUMNS) or any(value is None for value in row.values()):
        raise DataError(f"{where} has another number of values", remedy=remedy)
    size = str(row["records"])
    if not (size.isascii() and size.isdigit() and len(size) < 19):
        raise DataError(f"{where}: '{size[:40]}' is no number of records", remedy=remedy)
    try:
        roots: Sequence[bytes] = [hash_of(str(row[tree])) for tree in TREES]
    except DataError as error:
        raise DataError(f"{where}: {error.message}", remedy=remedy) from error
    return Heads(cell=str(row["cell"]), records=int(size), decisions=roots[0], evidence=roots[1])
