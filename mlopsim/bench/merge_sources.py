"""What is merged: ledgers that hold parts of one grid, computed by the same code."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mlopsim.bench.cells import read_pairs
from mlopsim.bench.ledger import Ledger
from mlopsim.bench.ledgerfile import damaged
from mlopsim.bench.made_by import check_makers, makers_of
from mlopsim.bench.members import PAIR, stored_digest
from mlopsim.bench.schema import is_sealed
from mlopsim.core.errors import ConfigError

#: kilobytes of pages that are kept of each of many open ledgers
CACHE_KB = 8192
SAME_WORDS = (
    "run every shard by the same command (only shard= and results= differ); leave this folder out, or run "
    "it again"
)


@dataclass(frozen=True, kw_only=True)
class Source:
    """One ledger, read as it was when it was opened, and its grid."""

    name: str
    ledger: Ledger
    entry: dict[str, Any]
    #: the row of the grid as it is stored
    row: tuple[Any, ...]

    @property
    def number(self) -> int:
        """Number of the grid in this ledger."""
        return int(self.entry["id"])


@contextmanager
def opened(folders: Sequence[Path], grid: str | None) -> Iterator[list[Source]]:
    """Open the ledgers of folders for reading, each as it is at this moment.

    Parameters
    ----------
    folders : sequence of Path
        Results folders.
    grid : str, optional
        (Beginning of) the digest of a grid; of each folder the last used by default.

    Raises
    ------
    LedgerError
        If a ledger is missing or damaged, or has no such grid.
    """
    with ExitStack() as stack:
        found = []
        for folder in folders:
            ledger = stack.enter_context(Ledger.read(folder))
            ledger.rows(f"PRAGMA cache_size=-{CACHE_KB}")
            # whoever writes meanwhile: all that is read is of one moment
            ledger.rows("BEGIN")
            entry = ledger.grid(grid)
            row = ledger.rows("SELECT * FROM grid WHERE id=?", (entry["id"],))[0]
            found.append(Source(name=str(folder), ledger=ledger, entry=entry, row=row))
        yield found


def check_together(sources: Sequence[Source]) -> None:
    """Raise unless sources hold parts of one grid that were computed by the same code.

    Raises
    ------
    ConfigError
        Names the folders and what differs.
    """
    for source in sources[1:]:
        _check_grid(sources[0], source)
    check_makers(maker for source in sources for maker in makers_of(source.ledger, source.entry["digest"]))


def checked_members(source: Source) -> None:
    """Raise unless pairs and members of a source are those that its grid seals."""
    read_pairs(source.ledger, source.entry)
    query = "SELECT * FROM member WHERE grid=?"
    whole = all(is_sealed("member", row) for row in source.ledger.stream(query, (source.number,)))
    if not whole or stored_digest(source.ledger.connection, source.number) != source.entry["members"]:
        raise damaged(source.ledger.folder, f"the members of grid {source.entry['digest'][:12]} have changed")


def _check_grid(a: Source, b: Source) -> None:
    """Raise unless two sources hold the same grid, and name what is not the same in both."""
    if a.entry["title"] != b.entry["title"]:
        raise ConfigError(
            f"{b.name} holds {b.entry['title']} and {a.name} holds {a.entry['title']}: "
            "they are no parts of one suite",
            remedy=SAME_WORDS,
        )
    if a.entry["digest"] != b.entry["digest"]:
        raise ConfigError(
            f"{b.name} and {a.name} hold different grids of {a.entry['title']}: {_difference(a, b)}",
            remedy=SAME_WORDS,
        )
    if a.row[4] != b.row[4]:
        raise ConfigError(f"the metrics of {b.name} are not those of {a.name}", remedy=SAME_WORDS)
    if a.entry["members"] != b.entry["members"]:
        notes = [note for note in b.entry["notes"] if note not in a.entry["notes"]]
        what = _difference(a, b) if a.entry["cells"] == b.entry["cells"] else "; ".join(notes)
        raise ConfigError(
            f"{b.name} and {a.name} name or order the cells of {a.entry['title']} in other ways: "
            f"{what or 'members were lost'}",
            remedy="run the shard again with the same words (what is done is kept), then merge",
        )


def _difference(a: Source, b: Source) -> str:
    """Say in words how two grids differ: versions of components, else what only one of them has."""
    pairs = [_pairs(source) for source in (a, b)]
    parts = [
        [json.loads(source.row[3]), *_parts(source, found)]
        for source, found in zip((a, b), pairs, strict=True)
    ]
    versions = [_versions(found) for found in parts]
    said = [
        f"{name} is version {versions[0][name]} in {a.name} and {versions[1][name]} in {b.name}"
        for name in sorted({*versions[0]} & {*versions[1]})
        if versions[0][name] != versions[1][name]
    ]
    for axis in ("task", "method"):
        names = [{pair[axis] for pair in found} for found in pairs]
        for source, only in ((a, sorted(names[0] - names[1])), (b, sorted(names[1] - names[0]))):
            if only:
                more = f" and {len(only) - 1} more" if len(only) > 1 else ""
                said.append(f"only {source.name} has the {axis} '{only[0]}'{more}")
    if not said and a.entry["cells"] != b.entry["cells"]:
        said.append(f"{a.entry['cells']} cells in {a.name} and {b.entry['cells']} in {b.name}")
    if not said:
        config = [source.entry["config"] or {} for source in (a, b)]
        said = [
            f"{key} is {config[0].get(key)!r} in {a.name} and {config[1].get(key)!r} in {b.name}"
            for key in sorted({*config[0], *config[1]} - {"results", "shard", "fits"})
            if config[0].get(key) != config[1].get(key)
        ]
    return "; ".join(said[:4]) or "other parameters"


def _pairs(source: Source) -> list[dict[str, Any]]:
    rows = source.ledger.rows(
        f"SELECT {', '.join(PAIR)} FROM pair WHERE grid=? ORDER BY number", (source.number,)
    )
    return [dict(zip(PAIR, row, strict=True)) for row in rows]


def _parts(source: Source, pairs: Sequence[Mapping[str, Any]]) -> list[Any]:
    keys = dict.fromkeys(pair[name] for pair in pairs for name in ("task_digest", "method_digest"))
    fits = "SELECT DISTINCT spec FROM fit"
    return [source.ledger.spec(key) for key in [*keys, *(row[0] for row in source.ledger.rows(fits))]]


def _versions(parts: Sequence[Any]) -> dict[str, str]:
    """Return the versions of all components and engines that parts name, as text."""
    found: dict[str, set[str]] = {}
    stack = list(parts)
    while stack:
        item = stack.pop()
        if isinstance(item, Mapping):
            if {"kind", "name", "version", "params"} <= set(item):
                found.setdefault(f"{item['kind']}/{item['name']}", set()).add(str(item["version"]))
            if isinstance(item.get("versions"), Mapping):
                for name, number in item["versions"].items():
                    found.setdefault(str(name), set()).add(str(number))
            stack.extend(item.values())
        elif isinstance(item, list):
            stack.extend(item)
    return {name: ", ".join(sorted(several)) for name, several in found.items()}
