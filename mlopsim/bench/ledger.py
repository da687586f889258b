"""The embedded database of finished fits and cells with their provenance."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from mlopsim.bench.grid import Grid
from mlopsim.bench.ledgerfile import FILE_NAME, LOCK_NAME, check, create, damaged
from mlopsim.bench.lock import FolderLock
from mlopsim.bench.provenance import now
from mlopsim.bench.storage import (
    pack_array,
    pack_arrays,
    row_digest,
    to_json,
    unpack_array,
    unpack_arrays,
)
from mlopsim.core.digest import digest, digest_arrays, digest_bytes
from mlopsim.core.errors import DataError, LedgerError
from mlopsim.core.files import ensure_writable
from mlopsim.core.track import Cell, FitJob, FitResult, Method, Metric, Outcome, Task

#: how a computation ended; only ``done`` counts as done, the others are tried again
Status = Literal["done", "failed", "timeout", "crashed"]


@dataclass(frozen=True, kw_only=True)
class Origin:
    """Provenance of one computation: seconds (its share of a bundle), bundle size, host, platform, run."""

    run: str
    seconds: float = 0.0
    bundle: int = 1
    host: str = ""
    fingerprint: str = ""


class Ledger:
    """A results folder's ``ledger.sqlite``; use :meth:`open` for writing, :meth:`read` for reading.

    Only the coordinator writes, one commit per cell, so a killed process loses the cells in
    flight and nothing else. Readers may come at any time.
    """

    def __init__(self, folder: Path, connection: sqlite3.Connection, lock: FolderLock | None) -> None:
        self.folder = folder
        self._db = connection
        self._lock = lock

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
            connection = sqlite3.connect(file, isolation_level=None, timeout=30)
            try:
                check(connection, file)
                connection.execute("PRAGMA journal_mode=WAL")
                connection.execute("PRAGMA synchronous=NORMAL")
            except BaseException:
                connection.close()
                raise
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
        uri = file.resolve().as_uri()
        connection = sqlite3.connect(f"{uri}?mode=ro", uri=True, isolation_level=None, timeout=30)
        try:
            try:
                connection.execute("SELECT 1 FROM sqlite_master").fetchone()
            except sqlite3.OperationalError:
                # WAL needs a file beside the ledger; where none can be made nobody writes either
                if file.with_name(f"{FILE_NAME}-wal").exists():
                    raise
                connection.close()
                connection = sqlite3.connect(f"{uri}?immutable=1", uri=True, isolation_level=None)
            check(connection, file)
        except sqlite3.DatabaseError as error:
            connection.close()
            raise damaged(folder, str(error)) from error
        except BaseException:
            connection.close()
            raise
        return cls(folder, connection, None)

    def close(self) -> None:
        """Fold the write-ahead log into the file and give the lock back."""
        self._db.close()
        if self._lock is not None:
            self._lock.release()

    def __enter__(self) -> Ledger:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
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

    def register(self, grid: Grid) -> None:
        """Store a grid with its specs and labels, or refresh the labels of one that is known."""
        specs = {
            **{cell.task.digest: ("task", cell.task.part) for cell in grid.cells},
            **{cell.method.digest: ("method", cell.method.part) for cell in grid.cells},
            **{digest(job.part): ("fit", job.part) for job in grid.fits},
        }
        members = [
            (
                *(grid.digest, position, cell.key, cell.track, cell.task.name, cell.method.name),
                *(cell.task.digest, cell.method.digest, cell.split, cell.root, cell.seed, cell.fit),
            )
            for position, cell in enumerate(grid.cells)
        ]
        texts = [
            to_json(v) for v in ([asdict(m) for m in grid.metrics], grid.notes, grid.plugins, grid.config)
        ]
        with self._transaction() as db:
            # a run that is still open lost its process: nobody else can hold the lock
            db.execute("UPDATE run SET status='killed' WHERE status='running'")
            db.execute(
                "INSERT OR REPLACE INTO grid VALUES (?,?,?,?,?,?,?,?,?)",
                (grid.digest, grid.title, to_json(grid.track), *texts, len(grid.cells), now()),
            )
            db.executemany(
                "INSERT OR IGNORE INTO spec VALUES (?,?,?)",
                [(key, kind, to_json(part)) for key, (kind, part) in specs.items()],
            )
            db.executemany("INSERT OR REPLACE INTO member VALUES (?,?,?,?,?,?,?,?,?,?,?,?)", members)

    def grids(self) -> list[dict[str, Any]]:
        """Return the stored grids, the last used first: digest, title, track, metrics, notes, ..."""
        names = ("digest", "title", "track", "metrics", "notes", "plugins", "config", "cells", "used")
        found = []
        for row in self.rows("SELECT * FROM grid ORDER BY used DESC, rowid DESC"):
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
        grids = self.grids()
        if which is not None:
            grids = [entry for entry in grids if entry["digest"].startswith(which)]
            if len(grids) > 1:
                raise LedgerError(f"several grids begin with '{which}'", remedy="give more digits")
        if not grids:
            raise LedgerError(f"no grid{f' {which}' if which else ''} in {self.folder}")
        return grids[0]

    def begin_run(self, grid: str, record: Mapping[str, Any]) -> str:
        """Store the start of a run and return its id."""
        run = digest({"grid": grid, "started": now(), "record": record})[:12]
        with self._transaction() as db:
            db.execute("INSERT INTO run VALUES (?,?,?,NULL,'running',?)", (run, grid, now(), to_json(record)))
        return run

    def end_run(self, run: str, status: str) -> None:
        """Store how a run ended: ``finished``, ``stopped``, ``interrupted`` or ``broken``."""
        with self._transaction() as db:
            db.execute("UPDATE run SET ended=?, status=? WHERE id=?", (now(), status, run))

    def runs(self) -> list[dict[str, Any]]:
        """Return the stored runs in order of their start, with their provenance in ``record``."""
        names = ("id", "grid", "started", "ended", "status", "record")
        rows = self.rows("SELECT * FROM run ORDER BY started, rowid")
        return [{**dict(zip(names, row, strict=True)), "record": json.loads(row[5])} for row in rows]

    # -- cells

    def statuses(self, keys: Iterable[str]) -> dict[str, str]:
        """Return the status of those cells that have one."""
        wanted = set(keys)
        return {key: status for key, status in self.rows("SELECT key, status FROM cell") if key in wanted}

    def record_cell(self, key: str, outcome: Outcome, origin: Origin) -> None:
        """Store a finished cell and its curves in one commit; a done cell is never replaced."""
        curves = [(name, pack_array(array)) for name, array in outcome.curves.items()]
        metrics, reasons = to_json(outcome.metrics), to_json(outcome.reasons)
        with self._transaction() as db:
            if self._put_cell(db, key, "done", metrics, reasons, None, origin):
                db.execute("DELETE FROM curve WHERE cell=?", (key,))
                db.executemany(
                    "INSERT INTO curve VALUES (?,?,?,?)",
                    [(key, name, data, digest_bytes(data)) for name, data in curves],
                )

    def record_failure(self, key: str, status: Status, error: str, origin: Origin) -> None:
        """Store a cell that failed, timed out or crashed, with its traceback."""
        if status == "done":
            raise DataError("a failure cannot have the status 'done'")
        with self._transaction() as db:
            self._put_cell(db, key, status, None, None, error, origin)

    @staticmethod
    def _put_cell(
        db: sqlite3.Connection,
        key: str,
        status: str,
        metrics: str | None,
        reasons: str | None,
        error: str | None,
        o: Origin,
    ) -> bool:
        seal = row_digest(key, status, metrics, reasons, error)
        cursor = db.execute(
            "INSERT INTO cell VALUES (?,?,?,?,?,?,?,?,?,?,?,?,1) ON CONFLICT (key) DO UPDATE SET "
            "status=excluded.status, metrics=excluded.metrics, reasons=excluded.reasons, "
            "error=excluded.error, digest=excluded.digest, seconds=excluded.seconds, bundle=excluded.bundle, "
            "host=excluded.host, fingerprint=excluded.fingerprint, run=excluded.run, "
            "finished=excluded.finished, attempts=cell.attempts+1 WHERE cell.status <> 'done'",
            (
                *(key, status, metrics, reasons, error, seal),
                *(o.seconds, o.bundle, o.host, o.fingerprint, o.run, now()),
            ),
        )
        return cursor.rowcount == 1

    def find_cell(self, key: str) -> Cell:
        """Return a stored cell by (the beginning of) its key, rebuilt from its specs.

        Raises
        ------
        LedgerError
            If there is none, several begin so, or what is stored does not give this key.
        """
        found = self.rows(
            "SELECT key, track, task, method, task_digest, method_digest, split, root, seed, fit "
            "FROM member WHERE substr(key, 1, ?) = ? GROUP BY key",
            (len(key), key),
        )
        if len(found) != 1:
            what = "no cell begins" if not found else f"{len(found)} cells begin"
            raise LedgerError(f"{what} with '{key}' in {self.folder}", remedy="take a key from the export")
        full, track, task, method, task_digest, method_digest, split, root, seed, fit = found[0]
        cell = Cell(
            track=track,
            task=Task(name=task, part=self.spec(task_digest)),
            method=Method(name=method, part=self.spec(method_digest)),
            seed=seed,
            split=split,
            root=root,
            fit=fit,
        )
        if cell.key != full:
            raise damaged(self.folder, f"the specs of cell {full} do not give its key")
        return cell

    def outcome(self, key: str) -> Outcome:
        """Return the stored numbers and curves of a done cell, checked by their digests."""
        rows = self.rows("SELECT status, metrics, reasons, error, digest FROM cell WHERE key=?", (key,))
        if not rows or rows[0][0] != "done":
            raise LedgerError(f"cell {key} is not done" + (f" but {rows[0][0]}" if rows else ""))
        if row_digest(key, *rows[0][:4]) != rows[0][4]:
            raise damaged(self.folder, f"the stored numbers of cell {key} have changed")
        metrics, reasons = json.loads(rows[0][1]), json.loads(rows[0][2])
        return Outcome(metrics=metrics, reasons=reasons, curves=self.curves(key))

    def curves(self, key: str) -> dict[str, np.ndarray]:
        """Return the stored curves of a cell."""
        found = {}
        rows = self.rows("SELECT name, data, digest FROM curve WHERE cell=? ORDER BY rowid", (key,))
        for name, data, seal in rows:
            if digest_bytes(data) != seal:
                raise damaged(self.folder, f"curve {name} of cell {key} has changed")
            found[name] = unpack_array(data)
        return found

    def spec(self, key: str) -> dict[str, Any]:
        """Return the content of a spec by its digest."""
        rows = self.rows("SELECT content FROM spec WHERE digest=?", (key,))
        if not rows:
            raise damaged(self.folder, f"spec {key} is missing")
        content: dict[str, Any] = json.loads(rows[0][0])
        return content

    # -- fits

    def fit_statuses(self) -> dict[str, str]:
        """Return the status of every stored fit."""
        return dict(self.rows("SELECT key, status FROM fit"))

    def record_fit(
        self, job: FitJob, status: Status, result: FitResult | None, error: str | None, origin: Origin
    ) -> None:
        """Store a fit: its arrays (npz) and content when done, else its traceback."""
        info = arrays = seal = None
        if result is not None:
            info, arrays = to_json(result.info), pack_arrays(result.arrays)
            seal = row_digest(job.key, info, digest_arrays(result.arrays))
        with self._transaction() as db:
            spec = digest(job.part)
            db.execute("INSERT OR IGNORE INTO spec VALUES (?,'fit',?)", (spec, to_json(job.part)))
            db.execute(
                "INSERT INTO fit VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,1) ON CONFLICT (key) DO UPDATE SET "
                "status=excluded.status, info=excluded.info, arrays=excluded.arrays, digest=excluded.digest, "
                "error=excluded.error, seconds=excluded.seconds, host=excluded.host, "
                "fingerprint=excluded.fingerprint, run=excluded.run, finished=excluded.finished, "
                "attempts=fit.attempts+1 WHERE fit.status <> 'done'",
                (
                    *(job.key, job.track, job.label, spec, to_json(job.needs), status),
                    *(info, arrays, seal, error),
                    *(origin.seconds, origin.host, origin.fingerprint, origin.run, now()),
                ),
            )

    def fit_job(self, key: str) -> FitJob:
        """Return the job of a stored fit."""
        rows = self.rows("SELECT track, label, spec, needs FROM fit WHERE key=?", (key,))
        if not rows:
            raise LedgerError(f"no fit {key} in {self.folder}")
        track, name, spec, needs = rows[0]
        return FitJob(track=track, label=name, part=self.spec(spec), needs=tuple(json.loads(needs)))

    def fit_result(self, key: str) -> FitResult:
        """Return a finished fit, checked by its digest."""
        rows = self.rows("SELECT status, info, arrays, digest FROM fit WHERE key=?", (key,))
        if not rows or rows[0][0] != "done":
            raise LedgerError(f"fit {key} is not done" + (f" but {rows[0][0]}" if rows else ""))
        _, info, data, seal = rows[0]
        try:
            arrays = unpack_arrays(data)
        except Exception as error:
            raise damaged(self.folder, f"the arrays of fit {key} cannot be read") from error
        if row_digest(key, info, digest_arrays(arrays)) != seal:
            raise damaged(self.folder, f"the stored numbers of fit {key} have changed")
        return FitResult(arrays=arrays, info=json.loads(info))
