"""One changed letter or a row that is gone, in any table: found, mended, and never a wrong number."""

from __future__ import annotations

import shutil
import sqlite3
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from bench_kit import frame, go, suite, toy

from mlopsim.bench.grid import expand
from mlopsim.bench.ledger import Ledger
from mlopsim.bench.ledgerfile import create
from mlopsim.bench.repair import repair
from mlopsim.bench.rerun import rerun
from mlopsim.bench.runner import run
from mlopsim.bench.schema import TABLES, MemberDigest, seal, sealed
from mlopsim.bench.schema1 import TABLES_1, row_digest
from mlopsim.bench.schema2 import TABLES_2
from mlopsim.core.digest import digest_arrays, digest_bytes
from mlopsim.core.errors import LedgerError

METHODS = ["x", "fit-y", "raise"]
#: of the table: what must be right, whatever happened to the ledger
NUMBERS = ["key", "task", "method", "seed", "status", "value", "spread"]
FACTS = ["size", "late", "family", "note", "tries", "of", "rows", "cut"]


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sealed") / "r"
    assert not go(folder, METHODS, executor="serial", seeds=2).complete
    return folder


def change(folder: Path, statement: str, *values: Any) -> None:
    db = sqlite3.connect(folder / "ledger.sqlite")
    with db:
        db.execute(statement, values)
    db.close()


def altered(value: Any, rng: np.random.Generator) -> Any:
    if isinstance(value, str | bytes) and value:
        raw = bytearray(value, "utf-8") if isinstance(value, str) else bytearray(value)
        raw[int(rng.integers(len(raw)))] ^= 1
        return raw.decode("utf-8", "replace") if isinstance(value, str) else bytes(raw)
    return "a" if isinstance(value, str) or value is None else value + 1000


def everything(folder: Path, facts: bool = True) -> tuple[Any, ...]:
    with Ledger.read(folder) as ledger:
        grids = [
            {name: grid[name] for name in ("digest", "title", "config", "notes")} for grid in ledger.grids()
        ]
        cells = frame(folder, order="key")
        curves = {
            key: {name: curve.tobytes() for name, curve in ledger.curves(key).items()} for key in cells["key"]
        }
        return cells.select(NUMBERS + FACTS * facts).rows(), curves, grids


def test_one_changed_letter_in_any_column_is_found_and_mended(finished: Path, tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    right = everything(finished)
    db = sqlite3.connect(finished / "ledger.sqlite")
    places = [
        (table, row[1], [r[0] for r in db.execute(f"SELECT rowid FROM {table}")])
        for table in TABLES
        for row in db.execute(f"PRAGMA table_info({table})")
    ]
    db.close()
    assert all(rowids for _, _, rowids in places)
    for number, (table, column, rowids) in enumerate(places):
        folder = Path(shutil.copytree(finished, tmp_path / str(number)))
        at = int(rng.choice(rowids))
        db = sqlite3.connect(folder / "ledger.sqlite")
        old = db.execute(f"SELECT {column} FROM {table} WHERE rowid=?", (at,)).fetchone()[0]
        db.close()
        change(folder, f"UPDATE {table} SET {column}=? WHERE rowid=?", altered(old, rng), at)
        report = repair(folder)
        assert report.kept_file is not None, f"a changed {table}.{column} was not found"
        assert go(folder, METHODS, executor="serial", seeds=2).counts.total == 12
        assert everything(folder) == right, f"{table}.{column}"
        assert repair(folder).kept_file is None


@pytest.mark.parametrize("table", ["grid", "pair", "member", "cell", "curve"])
def test_a_row_that_is_gone_is_found_and_comes_back(finished: Path, tmp_path: Path, table: str) -> None:
    folder = Path(shutil.copytree(finished, tmp_path / "r"))
    right = everything(finished)
    # cells without a row are cells that have not run: everything else is an error on reading, too
    change(folder, f"DELETE FROM {table} WHERE rowid = (SELECT max(rowid) FROM {table})")
    if table == "cell":
        change(folder, "DELETE FROM cell WHERE status='done'")
    else:
        with pytest.raises(LedgerError, match=r"mlopsim repair|no grid"):
            frame(folder)
        if table == "curve":
            with pytest.raises(LedgerError, match=r"curves of cell .* are missing"):
                go(folder, METHODS, executor="serial", seeds=2)
    assert repair(folder).kept_file is not None
    assert go(folder, METHODS, executor="serial", seeds=2).counts.done == {"cell": 8, "curve": 1}.get(
        table, 0
    )
    assert everything(folder) == right


@pytest.mark.parametrize(
    ("rows", "done"), [("spec WHERE kind='method'", 0), ("spec WHERE kind='fit'", 4), ("fit", 4)]
)
def test_what_a_cell_was_made_from_is_missed(finished: Path, tmp_path: Path, rows: str, done: int) -> None:
    folder = Path(shutil.copytree(finished, tmp_path / "r"))
    right = everything(finished)
    key = frame(folder).filter(status="done", method="fit-y")["key"][0]
    change(folder, f"DELETE FROM {rows}")
    with pytest.raises(LedgerError):
        rerun(folder, key, deep=True)
    assert repair(folder).kept_file is not None and repair(folder).kept_file is None
    assert go(folder, METHODS, executor="serial", seeds=2).counts.done == done
    assert everything(folder) == right
    assert rerun(folder, key, deep=True).identical and repair(folder).kept_file is None


def test_a_plain_run_stores_lost_members_again(finished: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(finished, tmp_path / "r"))
    change(folder, "DELETE FROM member WHERE position=3")
    go(folder, METHODS, executor="serial", seeds=2)
    assert everything(folder) == everything(finished)


def as_schema_1(folder: Path, target: Path) -> Path:
    """Write a ledger as it was written before, by plain SQL."""
    target.mkdir()
    create(target / "ledger.sqlite", 1)
    new = sqlite3.connect(target / "ledger.sqlite")
    new.execute("ATTACH ? AS now", (str(folder / "ledger.sqlite"),))
    with new:
        new.execute(
            "INSERT INTO grid SELECT digest, title, track, metrics, notes, "
            "(SELECT json_group_array(json_extract(value, '$.path')) FROM json_each(plugins)), config, "
            "cells, used FROM now.grid"
        )
        new.execute(
            "INSERT INTO member SELECT g.digest, position, m.key, p.track, task, method, task_digest, "
            "method_digest, split, root, seed, fit FROM now.member m JOIN now.grid g ON g.id = m.grid "
            "JOIN now.pair p ON p.grid = m.grid AND p.number = m.pair"
        )
        new.execute("INSERT INTO run SELECT id, grid, started, ended, status, record FROM now.run")
        new.execute("INSERT INTO spec SELECT digest, kind, content FROM now.spec")
        new.create_function("row_digest", -1, row_digest)
        new.create_function("bytes_digest", 1, digest_bytes)
        new.create_function("arrays_digest", 1, lambda data: digest_arrays(_arrays(data)))
        new.execute(
            "INSERT INTO fit SELECT key, track, label, spec, needs, status, info, arrays, "
            "row_digest(key, info, arrays_digest(arrays)), error, seconds, host, fingerprint, run, finished, "
            "attempts FROM now.fit"
        )
        new.execute(
            "INSERT INTO cell SELECT key, status, metrics, reasons, error, "
            "row_digest(key, status, metrics, reasons, error), seconds, bundle, host, fingerprint, run, "
            "finished, attempts FROM now.cell"
        )
        new.execute("INSERT INTO curve SELECT cell, name, data, bytes_digest(data) FROM now.curve")
    new.close()
    return target


def _arrays(data: bytes) -> dict[str, np.ndarray]:
    from mlopsim.bench.storage import unpack_arrays

    return unpack_arrays(data)


def as_schema_2(folder: Path, target: Path) -> Path:
    """Write a ledger as it was written before there were attributes, by plain SQL."""
    target.mkdir()
    create(target / "ledger.sqlite", 2)
    new = sqlite3.connect(target / "ledger.sqlite")
    new.execute("ATTACH ? AS now", (str(folder / "ledger.sqlite"),))
    new.create_function("seal", -1, seal)
    with new:
        for table in ("member", "run", "spec", "curve"):
            new.execute(f"INSERT INTO {table} SELECT * FROM now.{table}")
        pair = "grid, number, track, task, method, task_digest, method_digest, split, root"
        fit = (
            "key, track, label, spec, needs, status, info, arrays, error, seconds, host, fingerprint, run, "
            "finished, attempts"
        )
        cell = (
            "key, status, curves, metrics, reasons, error, seconds, bundle, host, fingerprint, run, "
            "finished, attempts"
        )
        for table, names in (("pair", pair), ("fit", fit), ("cell", cell)):
            new.execute(f"INSERT INTO {table} SELECT {names}, seal('{table}', {names}) FROM now.{table}")
        for row in new.execute("SELECT * FROM now.grid").fetchall():
            query = f"SELECT {pair.removeprefix('grid, ')} FROM pair WHERE grid=? ORDER BY number"
            state = MemberDigest(new.execute(query, row[:1]).fetchall())
            query = "SELECT key, pair, seed, fit FROM member WHERE grid=? ORDER BY position"
            state.add(new.execute(query, row[:1]))
            values = sealed("grid", *row[:9], state.result(), row[10])
            new.execute(f"INSERT INTO grid VALUES ({','.join('?' * 12)})", values)
    new.close()
    return target


@pytest.fixture(params=[1, 2])
def old(request: pytest.FixtureRequest, finished: Path, tmp_path: Path) -> tuple[int, Path]:
    write = {1: as_schema_1, 2: as_schema_2}[request.param]
    return request.param, write(finished, tmp_path / "old")


def test_a_ledger_of_an_old_schema_is_read_and_left_as_it_is(finished: Path, old: tuple[int, Path]) -> None:
    version, folder = old
    before = (folder / "ledger.sqlite").read_bytes()
    assert everything(folder, facts=False) == everything(finished, facts=False)
    assert not set(FACTS) & set(frame(folder).columns)
    assert set(frame(folder)["origin"]) == {"computed"}
    key = frame(folder).filter(status="done", method="fit-y")["key"][0]
    # what was not known then is not missed now
    report = rerun(folder, key, deep=True)
    assert report.identical and not [i.name for i in report.comparisons if "attribute" in i.name]
    with Ledger.read(folder) as ledger:
        assert [set(item) for item in ledger.grid()["plugins"]] == [{"path", "digest"}]
        assert (ledger.grid()["plugins"][0]["digest"] is None) == (version == 1)
    assert repair(folder).kept_file is None
    assert (folder / "ledger.sqlite").read_bytes() == before
    assert {path.name for path in folder.iterdir()} <= {"ledger.sqlite", "ledger.lock"}


def test_writing_migrates_it_and_keeps_a_copy(finished: Path, old: tuple[int, Path]) -> None:
    version, folder = old
    before = (folder / "ledger.sqlite").read_bytes()
    track = toy()
    grid = expand(suite(track, METHODS, seeds=2), track)
    summary = run(grid, track, folder, executor="serial", retry_failed=False)
    assert (summary.counts.cached, summary.counts.kept, summary.counts.done) == (8, 4, 0)
    assert (folder / f"ledger.sqlite.schema-{version}").read_bytes() == before
    assert everything(folder, facts=False) == everything(finished, facts=False)
    assert repair(folder).kept_file is None
    # the run gave what is known of tasks and methods; of fits and cells nothing is invented
    known = ["key", "size", "late", "family", "note"]
    assert frame(folder).select(known).equals(frame(finished).select(known))
    assert not {"tries", "of", "rows", "cut"} & set(frame(folder).columns)
    with Ledger.read(folder) as ledger:
        assert ledger.rows("PRAGMA user_version") == [(3,)] and ledger.grid()["plugins"][0]["digest"]


@pytest.mark.parametrize("table", TABLES_2)
def test_a_damaged_ledger_of_an_old_schema_is_repaired(
    finished: Path, old: tuple[int, Path], table: str
) -> None:
    version, folder = old
    if version == 1 and table not in TABLES_1:
        return
    column = {"cell": "metrics", "curve": "data", "member": "seed", "fit": "info", "spec": "content"}
    name = column.get(table, {"run": "record", "pair": "task"}.get(table, "notes"))
    value = 7 if name == "seed" else "["
    change(folder, f"UPDATE {table} SET {name}=? WHERE rowid = (SELECT min(rowid) FROM {table})", value)
    for attempt in (lambda: Ledger.read(folder), lambda: Ledger.open(folder)):
        with pytest.raises(LedgerError, match="mlopsim repair"):
            attempt()
    assert repair(folder).kept_file is not None
    go(folder, METHODS, executor="serial", seeds=2)
    assert everything(folder, facts=False) == everything(finished, facts=False)
    assert repair(folder).kept_file is None


@pytest.mark.parametrize("table", ["pair", "member", "curve", "fit"])
def test_a_row_that_is_gone_from_a_ledger_of_schema_2_is_found(
    finished: Path, tmp_path: Path, table: str
) -> None:
    folder = as_schema_2(finished, tmp_path / "old")
    change(folder, f"DELETE FROM {table} WHERE rowid = (SELECT max(rowid) FROM {table})")
    assert repair(folder).kept_file is not None
    go(folder, METHODS, executor="serial", seeds=2)
    assert everything(folder, facts=False) == everything(finished, facts=False)
    assert repair(folder).kept_file is None


def test_an_old_ledger_without_its_first_page_is_known_by_its_rows(
    finished: Path, old: tuple[int, Path]
) -> None:
    version, folder = old
    file = folder / "ledger.sqlite"
    file.write_bytes(bytes(4096) + file.read_bytes()[4096:])
    report = repair(folder)
    assert report.kept["cell"] == 12 and report.kept["fit"] == 4, version
    go(folder, METHODS, executor="serial", seeds=2)
    assert everything(folder, facts=False) == everything(finished, facts=False)
