"""Put the ledgers of several shards together into one.

The new ledger holds what a single run of the grid would hold. It is written beside the target, in an order
of its own, and takes its place when it is complete: the same folders give the same bytes in any order, a
second time gives them again, and whatever goes wrong leaves the target as it was.
"""

from __future__ import annotations

import heapq
import itertools
import json
import sqlite3
from collections import Counter
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mlopsim.bench.ledgerfile import FILE_NAME, LOCK_NAME, connect_to_write, create, damaged
from mlopsim.bench.lock import FolderLock
from mlopsim.bench.members import PAIR, insert_members, insert_pairs
from mlopsim.bench.merge_rows import CELL, FIT, Placed, Row, chosen_cell, chosen_fit, chosen_run
from mlopsim.bench.merge_sources import Source, check_together, checked_members, opened
from mlopsim.bench.schema import is_sealed, sealed
from mlopsim.bench.shards import absent, of_runs
from mlopsim.bench.storage import to_json
from mlopsim.core.errors import ConfigError, LedgerError
from mlopsim.core.files import ensure_writable

#: cells between two looks at the clock
STEP = 500
#: told after so many cells of how many
Told = Callable[[int, int], None]


@dataclass(kw_only=True)
class Part:
    """What one folder holds: its cells by status."""

    folder: str
    by_status: Counter[str] = field(default_factory=Counter)
    #: its last run has not ended: it is running, or was killed
    running: bool = False


@dataclass(kw_only=True)
class Merged:
    """What came out of a merge.

    ``added`` counts cells that are done and were not before, ``missing_by_method`` those without a row;
    ``absent`` names shards that no folder was, ``left_out`` the keys of the config that differ between the
    folders, ``platforms`` the fingerprints of its cells; ``changed`` says whether the target is another now.
    """

    folder: Path
    title: str
    grid: str
    cells: int
    parts: list[Part]
    by_status: Counter[str] = field(default_factory=Counter)
    missing_by_method: Counter[str] = field(default_factory=Counter)
    added: int = 0
    fits: int = 0
    absent: str = ""
    left_out: tuple[str, ...] = ()
    platforms: tuple[str, ...] = ()
    changed: bool = True

    @property
    def missing(self) -> int:
        """Cells that have no row yet."""
        return self.cells - sum(self.by_status.values())

    @property
    def complete(self) -> bool:
        """Whether every cell is done."""
        return self.by_status["done"] == self.cells


def merge(
    folders: Sequence[str | Path], out: str | Path, *, grid: str | None = None, progress: Told | None = None
) -> Merged:
    """Merge results folders that hold parts of one grid.

    Parameters
    ----------
    folders : sequence of paths
        At least one; they are only read. One that is named twice counts once.
    out : str or Path
        Where the merged ledger goes. What it holds of the same grid is kept and added to.
    grid : str, optional
        (Beginning of) the digest of a grid; of each folder the last used by default.
    progress : callable, optional
        Told of the cells that were read, and how many there are.

    Returns
    -------
    Merged
        What is there now, what is missing, and what each folder brought.

    Raises
    ------
    ConfigError
        If a folder is merged into itself, the folders hold no parts of one grid, were computed by different
        code or hold different numbers for one cell, or ``out`` holds other results.
    LedgerError
        If a ledger is missing or damaged, or ``out`` is being written by another process.
    """
    sources = list({Path(folder).resolve(): Path(folder) for folder in folders}.values())
    target = Path(out)
    if not sources:
        raise ConfigError("no folders to merge are given", remedy="mlopsim merge FOLDER... --out ALL")
    for folder in sources:
        if folder.resolve() == target.resolve():
            raise ConfigError(
                f"{folder} would be merged into itself",
                remedy="name another folder with --out; one that was merged before is added to",
            )
    with opened(sources, grid) as found:
        # what does not go together is told before anything is made
        check_together(found)
        with _locked(target) as there:
            new = target / f".{FILE_NAME}.merging"
            new.unlink(missing_ok=True)
            try:
                with opened([target] if there else [], None) as before:
                    for source in before:
                        _check_only(source, found[0])
                    check_together([*found[:1], *before])
                    merged = _Merge(found, before, new, progress).write(target)
                merged.changed = not (there and _is_same(target / FILE_NAME, new))
                if merged.changed:
                    if there:
                        _fold(target / FILE_NAME)
                    new.replace(target / FILE_NAME)
            finally:
                new.unlink(missing_ok=True)
    return merged


@contextmanager
def _locked(target: Path) -> Iterator[bool]:
    """Hold the target's lock; tell whether a ledger is there. A folder made for nothing goes again."""
    made = not target.exists()
    ensure_writable(target)
    lock = FolderLock(target / LOCK_NAME)
    lock.acquire()
    try:
        yield (target / FILE_NAME).exists()
    finally:
        lock.release()
        if made and not (target / FILE_NAME).exists():
            (target / LOCK_NAME).unlink(missing_ok=True)
            target.rmdir()


def _check_only(there: Source, wanted: Source) -> None:
    """Raise if a target has results of another grid: they would be lost."""
    others = [entry for entry in there.ledger.grids() if entry["digest"] != wanted.entry["digest"]]
    if others:
        raise ConfigError(
            f"{there.name} holds other results: {_named(others[0])}, and not only those of {wanted.name}: "
            f"{_named(wanted.entry)}",
            remedy="name a new folder with --out",
        )


def _named(entry: Mapping[str, Any]) -> str:
    return f"{entry['title']} (grid {entry['digest'][:12]})"


def _fold(file: Path) -> None:
    """Fold the log of a ledger into its file, so that no log of the old file is left beside a new one.

    What was merged before has none, and lies on any disk.
    """
    log = file.with_name(f"{file.name}-wal")
    if not log.exists():
        return
    with closing(connect_to_write(file)) as connection:
        try:
            connection.execute("PRAGMA busy_timeout=2000")
            connection.execute("PRAGMA journal_mode=DELETE")
        except sqlite3.OperationalError as error:
            raise LedgerError(
                f"the ledger {file} is being read by another process", remedy="wait for it, then merge again"
            ) from error


def _is_same(there: Path, new: Path) -> bool:
    """Tell whether a ledger is, to the byte, what it would be replaced by."""
    if there.with_name(f"{FILE_NAME}-wal").exists() or there.stat().st_size != new.stat().st_size:
        return False
    with there.open("rb") as one, new.open("rb") as other:
        while block := one.read(1 << 20):
            if block != other.read(1 << 20):
                return False
    return True


def _key(item: tuple[Row, int]) -> str:
    return str(item[0][0])


class _Merge:
    """One merge while it is written."""

    def __init__(
        self, sources: Sequence[Source], before: Sequence[Source], file: Path, progress: Told | None
    ) -> None:
        self.sources = [*sources, *before]
        self.parts = [Part(folder=source.name) for source in sources]
        self.first, self.file, self.progress = sources[0], file, progress

    def write(self, target: Path) -> Merged:
        """Write the new ledger in one transaction."""
        checked_members(self.first)
        create(self.file)
        with closing(sqlite3.connect(self.file, isolation_level=None)) as db:
            # the file takes its place when it is whole: it needs no journal
            db.execute("PRAGMA journal_mode=OFF")
            db.execute("BEGIN")
            left_out = self._grid(db)
            methods = self._members(db)
            fits = self._fits(db)
            merged = Merged(
                folder=target,
                title=self.first.entry["title"],
                grid=self.first.entry["digest"],
                cells=self.first.entry["cells"],
                parts=self.parts,
                left_out=left_out,
                fits=len(fits),
            )
            runs = {row[FIT["run"]] for row in fits} | self._cells(db, merged, methods)
            merged.absent = absent(of_runs(self._runs(db, runs), merged.grid))
            self._specs(db, fits)
            db.execute("COMMIT")
        return merged

    def _grid(self, db: sqlite3.Connection) -> tuple[str, ...]:
        """Write the row of the grid; return the keys of the config that are not the same everywhere."""
        rows = [source.row for source in self.sources]
        configs = [source.entry["config"] or {} for source in self.sources]
        shared = {
            key: configs[0][key]
            for key in sorted(set(configs[0]).intersection(*configs))
            if len({to_json(config[key]) for config in configs}) == 1
        }
        plugins = {to_json(source.entry["plugins"]): source.entry["plugins"] for source in self.sources}
        if len(plugins) > 1:
            # the same files lie at other places
            places: dict[str, str] = {}
            for entry in sorted(
                (entry for several in plugins.values() for entry in several), key=lambda e: str(e["path"])
            ):
                places.setdefault(entry["digest"], entry["path"])
            plugins = {"": [{"path": path, "digest": digest} for digest, path in sorted(places.items())]}
        notes = {to_json(source.entry["notes"]): source.entry["notes"] for source in self.sources}
        if len(notes) > 1:
            notes = {"": sorted({note for several in notes.values() for note in several})}
        number, digest, title = 1, rows[0][1], rows[0][2]
        track, metrics, cells, members = min(row[3] for row in rows), rows[0][4], rows[0][8], rows[0][9]
        texts = (to_json(next(iter(notes.values()))), to_json(next(iter(plugins.values()))), to_json(shared))
        row = (number, digest, title, track, metrics, *texts, cells, members, max(row[10] for row in rows))
        db.execute(f"INSERT INTO grid VALUES ({','.join('?' * 12)})", sealed("grid", *row))
        return tuple(sorted(set().union(*configs) - set(shared)))

    def _members(self, db: sqlite3.Connection) -> list[str]:
        """Write pairs and members; return the method of each pair."""
        ledger, number = self.first.ledger, self.first.number
        names = ", ".join(("number", *PAIR))
        pairs = ledger.rows(f"SELECT {names} FROM pair WHERE grid=? ORDER BY number", (number,))
        insert_pairs(db, 1, pairs)
        query = "SELECT key, pair, seed, fit FROM member WHERE grid=? ORDER BY position"
        members = ledger.rows(query, (number,))
        insert_members(db, 1, members)
        self._pair_of = {key: pair for key, pair, _, _ in members}
        self._named = {fit for _, _, _, fit in members if fit is not None}
        return [pair[1 + PAIR.index("method")] for pair in pairs]

    def _fits(self, db: sqlite3.Connection) -> list[Row]:
        """Write the fits that members name and those that they stand on; return their rows, no arrays."""
        light: dict[str, dict[str, Source]] = {}
        for source in self.sources:
            for key, seal in source.ledger.rows("SELECT key, seal FROM fit"):
                # most were taken from one folder, and are the same row
                light.setdefault(key, {}).setdefault(seal, source)
        kept: dict[str, Row] = {}
        stack = sorted(self._named, reverse=True)
        while stack:
            key = stack.pop()
            if key in kept or key not in light:
                continue
            rows: list[Placed] = []
            for source in light[key].values():
                row = source.ledger.sealed_rows("fit", "WHERE key=?", (key,))[0]
                rows.append((sealed("fit", *row), source.name))
            chosen = chosen_fit(rows)
            db.execute(f"INSERT INTO fit VALUES ({','.join('?' * len(chosen))})", chosen)
            kept[key] = (*chosen[: FIT["arrays"]], None, *chosen[FIT["arrays"] + 1 :])
            stack.extend(sorted(json.loads(chosen[FIT["needs"]]), reverse=True))
        return list(kept.values())

    def _cells(self, db: sqlite3.Connection, merged: Merged, methods: Sequence[str]) -> set[str]:
        """Write cells and curves in the order of their keys; return the runs that they name."""
        runs: set[str] = set()
        platforms: set[str] = set()
        total = sum(source.ledger.rows("SELECT count(*) FROM cell")[0][0] for source in self.sources)
        seen = told = 0
        merged.missing_by_method.update(methods[pair] for pair in self._pair_of.values())
        with ExitStack() as stack:
            # closed before their ledgers are, whatever happens
            streams = [stack.enter_context(closing(self._stream(n))) for n in range(len(self.sources))]
            everything = heapq.merge(*streams, key=_key)
            for key, group in itertools.groupby(everything, key=_key):
                several = list(group)
                seen += len(several)
                if self.progress is not None and seen - told >= STEP:
                    self.progress(seen, total)
                    told = seen
                if (pair := self._pair_of.get(key)) is None:
                    continue
                chosen = self._cell(db, merged, key, several)
                merged.missing_by_method[methods[pair]] -= 1
                runs.add(chosen[CELL["run"]])
                if chosen[CELL["status"]] == "done":
                    platforms.add(chosen[CELL["fingerprint"]])
        if self.progress is not None:
            self.progress(total, total)
        merged.missing_by_method = +merged.missing_by_method
        merged.platforms = tuple(sorted(platforms))
        return runs

    def _cell(
        self, db: sqlite3.Connection, merged: Merged, key: str, several: Sequence[tuple[Row, int]]
    ) -> Row:
        """Write the row that stands for a cell, with its curves, and count it."""
        placed = [(row, self.sources[place].name) for row, place in several]
        chosen = chosen_cell(placed, lambda: self._label(key))
        db.execute(f"INSERT INTO cell VALUES ({','.join('?' * len(chosen))})", chosen)
        if chosen[CELL["curves"]] not in (None, "[]"):
            origin = next(place for row, place in several if row[-1] == chosen[-1])
            self._curves(db, self.sources[origin], chosen)
        status = chosen[CELL["status"]]
        merged.by_status[status] += 1
        done_before = False
        for row, place in several:
            if place < len(self.parts):
                self.parts[place].by_status[row[CELL["status"]]] += 1
            else:
                done_before |= row[CELL["status"]] == "done"
        merged.added += status == "done" and not done_before
        return chosen

    def _stream(self, place: int) -> Generator[tuple[Row, int], None, None]:
        source = self.sources[place]
        for row in source.ledger.stream("SELECT * FROM cell ORDER BY key"):
            if not is_sealed("cell", row):
                raise damaged(source.ledger.folder, f"the stored row of cell {row[0]} has changed")
            yield row, place

    @staticmethod
    def _curves(db: sqlite3.Connection, source: Source, cell: Row) -> None:
        key = cell[CELL["key"]]
        rows = {row[1]: row for row in source.ledger.rows("SELECT * FROM curve WHERE cell=?", (key,))}
        for name, seal in json.loads(cell[CELL["curves"]]):
            row = rows.get(name)
            if row is None or row[-1] != seal or not is_sealed("curve", row):
                raise damaged(source.ledger.folder, f"curves of cell {key} are missing or have changed")
            db.execute("INSERT INTO curve VALUES (?,?,?,?)", row)

    def _label(self, key: str) -> str:
        cell = self.first.ledger.find_cell(key)
        return f"{cell.task.name} / {cell.method.name} / seed {cell.seed} ({key})"

    def _runs(self, db: sqlite3.Connection, named: set[str]) -> list[dict[str, Any]]:
        """Write the runs of the grid and those that rows name; return them."""
        found: dict[str, list[Row]] = {}
        for place, source in enumerate(self.sources):
            last = ""
            for run in source.ledger.sealed_rows("run", "ORDER BY rowid"):
                if run[1] == self.first.entry["digest"] or run[0] in named:
                    found.setdefault(run[0], []).append(sealed("run", *run))
                    last = run[4]
            if place < len(self.parts):
                self.parts[place].running = last == "running"
        rows = sorted((chosen_run(several) for several in found.values()), key=lambda row: (row[2], row[0]))
        db.executemany("INSERT INTO run VALUES (?,?,?,?,?,?,?)", rows)
        return [{"id": row[0], "grid": row[1], "record": json.loads(row[5])} for row in rows]

    def _specs(self, db: sqlite3.Connection, fits: Sequence[Row]) -> None:
        """Write the parts that pairs and fits name; of one at several places the first by its text."""
        pairs = db.execute("SELECT task_digest FROM pair UNION SELECT method_digest FROM pair").fetchall()
        for key in sorted({row[0] for row in pairs} | {row[FIT["spec"]] for row in fits}):
            rows = [
                sealed("spec", *row)
                for source in self.sources
                for row in source.ledger.sealed_rows("spec", "WHERE digest=?", (key,))
            ]
            if not rows:
                raise damaged(self.first.ledger.folder, f"spec {key} is missing")
            db.execute("INSERT INTO spec VALUES (?,?,?,?)", min(rows))
