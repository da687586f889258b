"""The embedded database of finished fits and cells with their provenance."""

from __future__ import annotations

import json
import sqlite3
import tempfile
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from mlopsim.bench.attributes import Columns, Owner
from mlopsim.bench.grid import Grid
from mlopsim.bench.ledgerfile import (
    FILE_NAME,
    LOCK_NAME,
    connect_to_read,
    connect_to_write,
    create,
    damaged,
)
from mlopsim.bench.lock import FolderLock
from mlopsim.bench.members import put_specs, store_grid
from mlopsim.bench.provenance import now
from mlopsim.bench.schema import COMPUTED, ELSEWHERE, is_origin, is_sealed, seal, sealed
from mlopsim.bench.storage import pack_array, pack_arrays, to_json, unpack_array, unpack_arrays
from mlopsim.core.digest import digest
from mlopsim.core.errors import ConfigError, DataError, LedgerError
from mlopsim.core.files import ensure_writable
from mlopsim.core.track import Cell, FitJob, FitResult, Method, Metric, Outcome, Task

#: how a computation ended; only ``done`` counts as done, the others are tried again
Status = Literal["done", "failed", "timeout", "crashed"]
#: names and values of the attributes that the fits and the cells of a grid have
STORED: dict[Owner, str] = {
    "fit": "FROM fit x, json_each(x.attributes) j WHERE x.key IN (SELECT fit FROM member WHERE grid=?)",
    "cell": "FROM member m JOIN cell x ON x.key = m.key, json_each(x.attributes) j WHERE m.grid=?",
}


@dataclass(frozen=True, kw_only=True)
class Provenance:
    """Where numbers come from: processor seconds (the share of a bundle), bundle size, host, platform, run.

    ``origin`` is ``computed``, or the digest of the baseline file that a cell was taken from.
    """

    run: str
    seconds: float = 0.0
    bundle: int = 1
    host: str = ""
    fingerprint: str = ""
    origin: str = COMPUTED

    def __post_init__(self) -> None:
        """Check the origin."""
        if not is_origin(self.origin):
            raise DataError(f"{self.origin!r} is no origin of a cell: '{COMPUTED}' or a digest")


#: grids that an error lists, at most
GRIDS_NAMED = 8


class Ledger:
    """A results folder's ``ledger.sqlite``; use :meth:`open` for writing, :meth:`read` for reading.

    Only the coordinator writes, one commit per cell, so a killed process loses the cells in
    flight and nothing else. Readers may come at any time.
    """

    def __init__(
        self,
        folder: Path,
        connection: sqlite3.Connection,
        lock: FolderLock | None,
        copy: tempfile.TemporaryDirectory[str] | None = None,
    ) -> None:
        self.folder = folder
        self._db = connection
        self._lock = lock
        self._copy = copy
        self._nested = False

    @classmethod
    def open(cls, folder: str | Path) -> Ledger:
        """Open for writing; the folder and the ledger are created if they do not exist.

        Raises
        ------
        MlopsimError
            If the folder cannot be written to.
        LedgerError
            If another process writes, or the file is damaged or of another schema version.
        """
        folder = ensure_writable(folder)
        lock = FolderLock(folder / LOCK_NAME)
        lock.acquire()
        try:
            file = folder / FILE_NAME
            if not file.exists():
                create(file)
            connection = connect_to_write(file)
        except BaseException:
            lock.release()
            raise
        return cls(folder, connection, lock)

    @classmethod
    def read(cls, folder: str | Path) -> Ledger:
        """Open for reading, also while another process writes or the folder is read-only.

        Raises
        ------
        LedgerError
            If there is no ledger, or it is damaged or of another schema version.
        """
        folder = Path(folder)
        file = folder / FILE_NAME
        if not file.is_file():
            raise LedgerError(
                f"no ledger in {folder}", remedy="name a results folder that a bench has written"
            )
        connection, copy = connect_to_read(file)
        return cls(folder, connection, None, copy)

    def close(self) -> None:
        """Fold the write-ahead log into the file and give the lock back."""
        self._db.close()
        if self._copy is not None:
            self._copy.cleanup()
        if self._lock is not None:
            self._lock.release()

    def __enter__(self) -> Ledger:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def connection(self) -> sqlite3.Connection:
        """The open database, for those that read whole tables."""
        return self._db

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        if self._nested:
            yield self._db
            return
        with self._guard():
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield self._db
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")

    @contextmanager
    def _guard(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.OperationalError as error:
            if "malformed" in str(error) or "decode" in str(error):
                raise damaged(self.folder, str(error)) from error
            raise LedgerError(f"the ledger in {self.folder} cannot be used: {error}") from error
        except sqlite3.DatabaseError as error:
            raise damaged(self.folder, str(error)) from error

    def rows(self, query: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Return the rows of a query."""
        with self._guard():
            return self._db.execute(query, parameters).fetchall()

    def stream(self, query: str, parameters: Sequence[Any] = ()) -> Iterator[tuple[Any, ...]]:
        """Yield the rows of a query one by one."""
        with self._guard():
            yield from self._db.execute(query, parameters)

    def sealed_rows(self, name: str, rest: str = "", parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Return whole rows of a table without their seals, each checked by its seal."""
        rows = self.rows(f"SELECT * FROM {name} {rest}", parameters)
        for row in rows:
            if not is_sealed(name, row):
                raise damaged(self.folder, f"a row of table {name} has changed ({str(row[0])[:24]})")
        return [row[:-1] for row in rows]

    def register(self, grid: Grid) -> None:
        """Store a grid with its specs, labels and attributes, or refresh the latter of one that is known.

        Raises
        ------
        ConfigError
            If a name means something else in cells or fits that are stored; then nothing changes.
        """
        with self._transaction() as db:
            # a run that is still open lost its process: nobody else can hold the lock
            for row in self.sealed_rows("run", "WHERE status='running'"):
                self._end(db, row, row[3], "killed")
            if store_grid(db, grid):
                self.columns(grid)

    def columns(self, grid: Grid) -> Columns:
        """Return the attribute columns of a registered grid: of its tasks and methods, and what is stored.

        Raises
        ------
        ConfigError
            If a name is given twice, or in values of two types.
        """
        columns = grid.columns()
        number = self.grid(grid.digest)["id"]
        for owner, rows in STORED.items():
            # one row a name and type: the values of a million cells stay where they are
            query = f"SELECT j.key, j.type, min(x.key), j.value {rows} GROUP BY j.key, j.type"
            for name, kind, key, value in self.rows(query, (number,)):
                stored = bool(value) if kind in ("true", "false") else value
                try:
                    columns.add(owner, f"the stored {owner} {key[:12]}", {name: stored})
                except ConfigError as error:
                    raise ConfigError(
                        f"{error.message}, in {self.folder}",
                        remedy="run the suite in another folder: results=DIR",
                    ) from error
        return columns

    def grids(self) -> list[dict[str, Any]]:
        """Return the stored grids, the last used first: digest, title, track, metrics, notes, ..."""
        names = (
            *("id", "digest", "title", "track", "metrics", "notes", "plugins", "config"),
            *("cells", "members", "used"),
        )
        found = []
        for row in self.sealed_rows("grid", "ORDER BY used DESC, id DESC"):
            entry = dict(zip(names, row, strict=True))
            for name in ("track", "metrics", "notes", "plugins", "config"):
                entry[name] = json.loads(entry[name])
            entry["metrics"] = [Metric(**metric) for metric in entry["metrics"]]
            found.append(entry)
        return found

    def grid(self, which: str | None = None) -> dict[str, Any]:
        """Return one stored grid: the last used, or by (the beginning of) its digest.

        Raises
        ------
        LedgerError
            If there is none, or several begin so.
        """
        known = self.grids()
        if not known:
            raise LedgerError(
                f"no grid in {self.folder}", remedy="run a suite into it: mlopsim bench results=DIR"
            )
        found = [entry for entry in known if which is None or entry["digest"].startswith(which)]
        if which is not None and len(found) != 1:
            shown = found or known
            listed = ", ".join(f"{entry['digest'][:12]} ({entry['title']})" for entry in shown[:GRIDS_NAMED])
            more = f" and {len(shown) - GRIDS_NAMED} more" if len(shown) > GRIDS_NAMED else ""
            what = f"several grids of {self.folder} begin" if found else f"no grid of {self.folder} begins"
            raise LedgerError(
                f"{what} with '{which}'",
                remedy=f"{'more digits' if found else 'the beginning'} of one of: {listed}{more}",
            )
        return found[0]

    def begin_run(self, grid: str, record: Mapping[str, Any]) -> str:
        """Store the start of a run and return its id."""
        run = digest({"grid": grid, "started": now(), "record": record})[:12]
        with self._transaction() as db:
            row = sealed("run", run, grid, now(), None, "running", to_json(record))
            db.execute("INSERT INTO run VALUES (?,?,?,?,?,?,?)", row)
        return run

    def end_run(self, run: str, status: str) -> None:
        """Store how a run ended: ``finished``, ``stopped``, ``interrupted`` or ``broken``."""
        with self._transaction() as db:
            for row in self.sealed_rows("run", "WHERE id=?", (run,)):
                self._end(db, row, now(), status)

    @staticmethod
    def _end(db: sqlite3.Connection, row: tuple[Any, ...], ended: str | None, status: str) -> None:
        new = sealed("run", *row[:3], ended, status, row[5])
        db.execute("UPDATE run SET ended=?, status=?, seal=? WHERE id=?", (ended, status, new[-1], row[0]))

    def runs(self) -> list[dict[str, Any]]:
        """Return the stored runs as they began, whatever the clock said; provenance is in ``record``."""
        names = ("id", "grid", "started", "ended", "status", "record")
        rows = self.sealed_rows("run", "ORDER BY rowid")
        return [{**dict(zip(names, row, strict=True)), "record": json.loads(row[5])} for row in rows]

    # -- cells

    def statuses(self, keys: Iterable[str]) -> dict[str, str]:
        """Return the status of those cells that have one."""
        with self._guard():
            self._db.execute("CREATE TEMP TABLE wanted (key TEXT PRIMARY KEY) WITHOUT ROWID")
            try:
                self._db.executemany("INSERT OR IGNORE INTO wanted VALUES (?)", ((key,) for key in keys))
                query = "SELECT key, status FROM wanted JOIN cell USING (key)"
                return dict(self._db.execute(query))
            finally:
                self._db.execute("DROP TABLE wanted")

    def states(self, grid: str) -> list[str | None]:
        """Return the status of each cell of a stored grid, in its order; None for those not run yet.

        Raises
        ------
        LedgerError
            If a cell that is done has lost some of its curves: done means complete.
        """
        entry = self.grid(grid)
        found: list[str | None] = [None] * entry["cells"]
        # status and curves stand at the front of a row, so the numbers behind them are not read
        query = (
            "SELECT m.position, c.status, c.key, CASE WHEN c.curves IS NULL OR c.curves = '[]' THEN 0 ELSE "
            "json_array_length(c.curves) - (SELECT count(*) FROM curve WHERE cell = c.key) END "
            "FROM member m JOIN cell c ON c.key = m.key WHERE m.grid = ?"
        )
        known: dict[str, str] = {}
        for position, status, key, lacking in self.stream(query, (entry["id"],)):
            if lacking:
                raise damaged(self.folder, f"curves of cell {key} are missing")
            found[position] = known.setdefault(status, status)
        return found

    def record_cell(self, key: str, outcome: Outcome, provenance: Provenance) -> None:
        """Store a finished cell and its curves in one commit; a done cell is never replaced."""
        packed = [(name, pack_array(array)) for name, array in outcome.curves.items()]
        curves = [sealed("curve", key, name, data) for name, data in packed]
        names = to_json([(row[1], row[-1]) for row in curves])
        texts = [to_json(value) for value in (outcome.attributes, outcome.metrics, outcome.reasons)]
        with self._transaction() as db:
            if self._put_cell(db, provenance, key, "done", names, *texts, None):
                db.execute("DELETE FROM curve WHERE cell=?", (key,))
                db.executemany("INSERT INTO curve VALUES (?,?,?,?)", curves)

    @contextmanager
    def at_once(self) -> Iterator[None]:
        """Store everything that is recorded inside in one commit, or nothing of it."""
        with self._transaction():
            self._nested = True
            try:
                yield
            finally:
                self._nested = False

    def adopt_run(self, run: str, grid: str, record: Mapping[str, Any]) -> None:
        """Store a run that took place elsewhere, of which a baseline tells; one that is known stays."""
        row = sealed("run", run, grid, "", None, ELSEWHERE, to_json(record))
        with self._transaction() as db:
            db.execute("INSERT OR IGNORE INTO run VALUES (?,?,?,?,?,?,?)", row)

    def record_failure(self, key: str, status: Status, error: str, provenance: Provenance) -> None:
        """Store a cell that failed, timed out or crashed, with its traceback."""
        if status == "done":
            raise DataError("a failure cannot have the status 'done'")
        with self._transaction() as db:
            self._put_cell(db, provenance, key, status, None, None, None, None, error)

    @staticmethod
    def _put_cell(db: sqlite3.Connection, p: Provenance, key: str, status: str, *content: str | None) -> bool:
        before = db.execute("SELECT status, attempts FROM cell WHERE key=?", (key,)).fetchone()
        if before is not None and before[0] == "done":
            return False
        attempts = 1 if before is None else before[1] + 1
        rest = (p.origin, float(p.seconds), p.bundle, p.host, p.fingerprint, p.run, now())
        row = sealed("cell", key, status, *content, *rest, attempts)
        db.execute(f"INSERT OR REPLACE INTO cell VALUES ({','.join('?' * len(row))})", row)
        return True

    def find_cell(self, key: str) -> Cell:
        """Return a stored cell by (the beginning of) its key, rebuilt from its specs.

        Raises
        ------
        LedgerError
            If there is none, several begin so, or what is stored does not give this key.
        """
        found = self.rows(
            # the labels and attributes that were used last
            "SELECT key, p.track, task, method, task_digest, method_digest, split, root, seed, fit, "
            "task_attributes, method_attributes, max(g.used) "
            "FROM member m JOIN pair p ON p.grid = m.grid AND p.number = m.pair "
            "JOIN grid g ON g.id = m.grid WHERE substr(key, 1, ?) = ? GROUP BY key",
            (len(key), key),
        )
        if len(found) != 1:
            what = "no cell begins" if not found else f"{len(found)} cells begin"
            raise LedgerError(f"{what} with '{key}' in {self.folder}", remedy="take a key from the export")
        full, track, task, method, task_digest, method_digest, split, root, seed, fit, *facts, _ = found[0]
        cell = Cell(
            track=track,
            task=Task(name=task, part=self.spec(task_digest), attributes=json.loads(facts[0])),
            method=Method(name=method, part=self.spec(method_digest), attributes=json.loads(facts[1])),
            seed=seed,
            split=split,
            root=root,
            fit=fit,
        )
        if cell.key != full:
            raise damaged(self.folder, f"the specs of cell {full} do not give its key")
        return cell

    def grid_of(self, key: str) -> dict[str, Any]:
        """Return the stored grid in which a cell of this ledger was used last."""
        query = (
            "SELECT g.digest FROM member m JOIN grid g ON g.id = m.grid WHERE m.key=? ORDER BY g.used DESC"
        )
        return self.grid(self.rows(query, (key,))[0][0])

    def outcome(self, key: str) -> Outcome:
        """Return the stored numbers and curves of a done cell, checked by their digests."""
        rows = self.sealed_rows("cell", "WHERE key=?", (key,))
        if not rows or rows[0][1] != "done":
            raise LedgerError(
                f"cell {key} is not done" + (f" but {rows[0][1]}" if rows else ""),
                remedy=f"mlopsim status {self.folder} says why; running the suite again tries it again",
            )
        attributes, metrics, reasons = (json.loads(text or "{}") for text in rows[0][3:6])
        return Outcome(metrics=metrics, reasons=reasons, curves=self.curves(key), attributes=attributes)

    def knows_attributes(self, table: Literal["cell", "fit"], key: str) -> bool:
        """Tell whether the attributes of a done cell or fit are known: rows of old schemas have none."""
        return bool(self.rows(f"SELECT attributes IS NOT NULL FROM {table} WHERE key=?", (key,))[0][0])

    def curves(self, key: str, only: Container[str] | None = None) -> dict[str, np.ndarray]:
        """Return the stored curves of a cell: all that its row names, each checked by its seal; or some."""
        expected = self.rows("SELECT curves FROM cell WHERE key=?", (key,))
        rows = self.rows("SELECT name, data FROM curve WHERE cell=? ORDER BY rowid", (key,))
        seals = {name: seal("curve", key, name, data) for name, data in rows}
        if seals != dict(json.loads(expected[0][0] or "[]") if expected else []):
            raise damaged(self.folder, f"curves of cell {key} are missing or have changed")
        return {name: unpack_array(data) for name, data in rows if only is None or name in only}

    def spec(self, key: str) -> dict[str, Any]:
        """Return the content of a spec by its digest."""
        rows = self.sealed_rows("spec", "WHERE digest=?", (key,))
        if not rows:
            raise damaged(self.folder, f"spec {key} is missing")
        content: dict[str, Any] = json.loads(rows[0][2])
        return content

    # -- fits

    def fit_statuses(self) -> dict[str, str]:
        """Return the status of every stored fit."""
        return dict(self.rows("SELECT key, status FROM fit"))

    def record_fit(
        self, job: FitJob, status: Status, result: FitResult | None, error: str | None, provenance: Provenance
    ) -> None:
        """Store a fit: its arrays (npz) and content when done, else its traceback."""
        attributes = info = arrays = None
        if result is not None:
            attributes, info = to_json(result.attributes), to_json(result.info)
            arrays = pack_arrays(result.arrays)
        with self._transaction() as db:
            spec = digest(job.part)
            put_specs(db, {spec: ("fit", job.part)})
            before = db.execute("SELECT status, attempts FROM fit WHERE key=?", (job.key,)).fetchone()
            if before is not None and before[0] == "done":
                return
            row = sealed(
                "fit",
                *(job.key, job.track, job.label, spec, to_json(job.needs), status),
                *(attributes, info, arrays, error, float(provenance.seconds), provenance.host),
                *(provenance.fingerprint, provenance.run, now()),
                1 if before is None else before[1] + 1,
            )
            db.execute(f"INSERT OR REPLACE INTO fit VALUES ({','.join('?' * len(row))})", row)

    def adopt_fit(self, source: Ledger, key: str) -> None:
        """Store a fit of another ledger as it is, with the run that made it; one that is done stays."""
        row = source.sealed_rows("fit", "WHERE key=?", (key,))[0]
        spec = source.spec(row[3])
        runs = source.sealed_rows("run", "WHERE id=?", (row[13],))
        with self._transaction() as db:
            before = db.execute("SELECT status FROM fit WHERE key=?", (key,)).fetchone()
            if before is not None and before[0] == "done":
                return
            put_specs(db, {row[3]: ("fit", spec)})
            db.executemany(
                "INSERT OR IGNORE INTO run VALUES (?,?,?,?,?,?,?)", [sealed("run", *run) for run in runs]
            )
            whole = sealed("fit", *row)
            db.execute(f"INSERT OR REPLACE INTO fit VALUES ({','.join('?' * len(whole))})", whole)

    def fit_job(self, key: str) -> FitJob:
        """Return the job of a stored fit."""
        rows = self.sealed_rows("fit", "WHERE key=?", (key,))
        if not rows:
            raise LedgerError(f"no fit {key} in {self.folder}")
        _, track, name, spec, needs = rows[0][:5]
        return FitJob(track=track, label=name, part=self.spec(spec), needs=tuple(json.loads(needs)))

    def fit_result(self, key: str) -> FitResult:
        """Return a finished fit, checked by its seal."""
        rows = self.sealed_rows("fit", "WHERE key=?", (key,))
        if not rows or rows[0][5] != "done":
            raise LedgerError(f"fit {key} is not done" + (f" but {rows[0][5]}" if rows else ""))
        attributes, info, data = rows[0][6:9]
        try:
            arrays = unpack_arrays(data)
        except Exception as error:
            raise damaged(self.folder, f"the arrays of fit {key} cannot be read") from error
        return FitResult(arrays=arrays, info=json.loads(info), attributes=json.loads(attributes or "{}"))
