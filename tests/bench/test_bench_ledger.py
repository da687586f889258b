import os
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from bench_kit import frame, go, suite, toy

from mlopsim.bench.grid import expand
from mlopsim.bench.ledger import Ledger, Provenance
from mlopsim.bench.repair import repair
from mlopsim.bench.rerun import rerun
from mlopsim.bench.table import FIRST, export
from mlopsim.core.errors import ConfigError, LedgerError
from mlopsim.core.registry import find
from mlopsim.core.track import FitResult, Outcome

METHODS = ["x", "fit-y", "undefined"]


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("finished") / "r"
    assert go(folder, METHODS, executor="serial", seeds=40).complete
    return folder


@pytest.fixture
def folder(finished: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(finished, tmp_path / "copy"))


def test_numbers_come_back_to_the_bit(tmp_path: Path) -> None:
    track = toy()
    grid = expand(suite(track, ["x", "fit-y"], seeds=1), track)
    values = {"value": 0.1 + 0.2, "spread": float("nan")}
    curves = {"f": np.array([0.1, np.nan, -0.0], np.float32), "text": np.array(["a", "bc"])}
    provenance = Provenance(run="r", seconds=1.5)
    facts = {"a": "b", "c": 1, "d": 0.1 + 0.2, "e": False, "f": None}
    fit = FitResult(
        arrays={"w": np.linspace(0, 1, 7)},
        info={"threshold": float("inf"), "n": np.int64(3)},
        attributes={"exact": True},
    )
    with Ledger.open(tmp_path) as ledger:
        ledger.register(grid)
        key = grid.cells[0].key
        ledger.record_failure(key, "timeout", "too long", provenance)
        assert ledger.statuses([key]) == {key: "timeout"}
        outcome = Outcome(metrics=values, reasons={"spread": "no rows"}, curves=curves, attributes=facts)
        ledger.record_cell(key, outcome, provenance)
        ledger.record_fit(grid.fits[0], "done", fit, None, provenance)
        # what is done stays as it is
        ledger.record_cell(key, Outcome(metrics={"value": 9.0, "spread": 9.0}), provenance)
        ledger.record_failure(key, "failed", "later", provenance)
    with Ledger.read(tmp_path) as ledger:
        got = ledger.outcome(key)
        assert got.metrics["value"] == 0.1 + 0.2 and np.isnan(got.metrics["spread"])
        assert got.reasons == {"spread": "no rows"} and got.attributes == facts
        assert [type(value) for value in got.attributes.values()] == [type(v) for v in facts.values()]
        for name, curve in curves.items():
            assert got.curves[name].tobytes() == curve.tobytes() and got.curves[name].dtype == curve.dtype
        back = ledger.fit_result(grid.fits[0].key)
        assert back.arrays["w"].tobytes() == fit.arrays["w"].tobytes()
        assert back.info == {"threshold": float("inf"), "n": 3} and back.attributes == {"exact": True}
        assert ledger.find_cell(key[:10]) == grid.cells[0]
        assert ledger.fit_job(grid.fits[0].key) == grid.fits[0]
        with pytest.raises(LedgerError, match="not done"):
            ledger.outcome(grid.cells[1].key)
        with pytest.raises(LedgerError, match="no cell begins"):
            ledger.find_cell("zz")


def test_export_has_the_promised_columns(folder: Path, tmp_path: Path) -> None:
    with Ledger.read(folder) as ledger:
        csv, parquet = export(ledger, tmp_path / "a.csv"), export(ledger, tmp_path / "a.parquet")
        with pytest.raises(ConfigError, match=r"\.parquet or \.csv"):
            export(ledger, tmp_path / "a.xlsx")
    table = pl.read_parquet(parquet)
    facts = ("size", "late", "family", "note", "tries", "of", "rows", "cut")
    assert tuple(table.columns[:16]) == (*FIRST, *facts, "value", "spread") and table["key"].is_sorted()
    assert {"host", "seconds", "versions", "fingerprint", "run", "origin"} <= set(table.columns[16:])
    undefined = table.filter(pl.col("method") == "undefined")
    assert undefined["spread"].is_nan().all() and (undefined["reasons"] == '{"spread":"no rows"}').all()
    assert pl.read_csv(csv)["value"].to_list() == table["value"].to_list()


def test_one_folder_may_hold_several_grids_and_a_table_shows_one(folder: Path) -> None:
    go(folder, ["x"], executor="serial", seeds=2)
    with Ledger.read(folder) as ledger:
        _, second = ledger.grids()
    assert frame(folder).height == 4 and frame(folder, grid=second["digest"][:8]).height == 240
    with pytest.raises(LedgerError, match=r"no grid of .* begins with 'nothing'"):
        frame(folder, grid="nothing")


def overwrite(at: float, count: int) -> Callable[[Path], None]:
    def damage(file: Path) -> None:
        size = file.stat().st_size
        with file.open("r+b") as handle:
            handle.seek(int(at * size) // 4096 * 4096)
            handle.write(np.random.default_rng(1).bytes(min(4096 * count, size)))

    return damage


def truncate(share: float) -> Callable[[Path], None]:
    return lambda file: os.truncate(file, int(file.stat().st_size * share))


@pytest.mark.parametrize(
    ("damage", "something_left"),
    [
        (truncate(0.6), True),
        (truncate(0.97), True),
        (truncate(0.0), False),
        (overwrite(0.0, 1), True),
        (overwrite(0.4, 4), True),
        (overwrite(0.7, 2), True),
        (overwrite(0.0, 10**6), False),
        (lambda file: file.write_text("not a database at all"), False),
    ],
)
def test_damage_is_one_clear_error_and_repair_saves_the_rest(
    folder: Path, damage: Callable[[Path], None], something_left: bool
) -> None:
    before = frame(folder, order="key")
    file = folder / "ledger.sqlite"
    damage(file)
    broken = file.read_bytes()
    for attempt in (lambda: Ledger.read(folder), lambda: go(folder, METHODS, executor="serial", seeds=40)):
        with pytest.raises(LedgerError, match=r"is damaged: [\s\S]*mlopsim repair"):
            attempt()
    assert file.read_bytes() == broken, "an error must leave the file as it was"
    report = repair(folder)
    assert report.kept_file is not None and report.kept_file.name == "ledger.sqlite.damaged-1"
    assert report.kept_file.read_bytes() == broken
    assert (report.kept["cell"] > 0) == something_left
    assert str(report.kept["cell"]) in report.text()
    with Ledger.read(folder) as ledger:
        saved = dict(ledger.rows("SELECT key, metrics FROM cell"))
        assert len(saved) == report.kept["cell"]
    summary = go(folder, METHODS, executor="serial", seeds=40)
    assert summary.complete and summary.counts.cached >= report.kept["cell"]
    after = frame(folder, order="key")
    columns = ["key", "task", "method", "seed", "status", "value", "spread"]
    assert after.select(columns).equals(before.select(columns))
    assert repair(folder).kept_file is None


def test_changed_content_is_noticed_at_reading_and_dropped_by_repair(folder: Path) -> None:
    with sqlite3.connect(folder / "ledger.sqlite") as db:
        key = db.execute("SELECT key FROM cell WHERE status='done' LIMIT 1").fetchone()[0]
        db.execute("UPDATE cell SET metrics=replace(metrics, '.', '.1') WHERE key=?", (key,))
        # one that other fits stand on: a cell that named it would be lost with it
        named = "SELECT fit FROM member WHERE fit IS NOT NULL"
        fit = db.execute(f"SELECT key FROM fit WHERE key NOT IN ({named}) LIMIT 1").fetchone()[0]
        db.execute("UPDATE fit SET arrays=zeroblob(length(arrays)) WHERE key=?", (fit,))
        curve = db.execute("SELECT cell FROM curve WHERE cell <> ? LIMIT 1", (key,)).fetchone()[0]
        db.execute("UPDATE curve SET data=zeroblob(length(data)) WHERE cell=?", (curve,))
    db.close()
    with pytest.raises(LedgerError, match=r"cell .* has changed"):
        frame(folder)
    with Ledger.read(folder) as ledger:
        with pytest.raises(LedgerError, match="row of table fit has changed"):
            ledger.fit_result(fit)
        with pytest.raises(LedgerError, match=r"curves .* have changed"):
            ledger.curves(curve)
    report = repair(folder)
    assert report.dropped["fit"] == 1 and report.dropped["cell"] == 2
    # a cell without all of its curves is not done: it is computed again
    assert set(frame(folder).filter(pl.col("status") == "missing")["key"].to_list()) == {key, curve}
    assert go(folder, METHODS, executor="serial", seeds=40).counts.done == 2


def test_the_table_checks_the_fits_whose_facts_it_shows(folder: Path) -> None:
    with sqlite3.connect(folder / "ledger.sqlite") as db:
        query = "UPDATE fit SET attributes='{\"tries\":3}' WHERE key IN (SELECT fit FROM member)"
        assert db.execute(query).rowcount > 0
    db.close()
    with pytest.raises(LedgerError, match="row of table fit has changed"):
        frame(folder)


def test_other_files_and_versions_are_refused(tmp_path: Path, folder: Path) -> None:
    with pytest.raises(LedgerError, match="no ledger in"):
        Ledger.read(tmp_path)
    with sqlite3.connect(folder / "ledger.sqlite") as db:
        db.execute("PRAGMA user_version=99")
    db.close()
    with pytest.raises(ConfigError, match="schema version 99"):
        Ledger.read(folder)


def test_reading_works_while_another_process_writes(folder: Path) -> None:
    with Ledger.open(folder):
        assert frame(folder).height == 240
        with pytest.raises(LedgerError, match="being written by process"):
            repair(folder)


def test_rerun_compares_exactly(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    table = frame(folder)
    key = table.filter(pl.col("method") == "fit-y")["key"][0]
    report = rerun(folder, key[:12], deep=True)
    assert report.identical and report.kept and report.promise == "bit-identical", report.text()
    names = [item.name for item in report.comparisons]
    assert {"value", "spread", "curve row", "fit base w", "fit fit-y w", "fit base info"} <= set(names)
    assert {"attribute rows", "attribute cut", "fit fit-y attribute tries"} <= set(names)
    # another number under a valid digest: only a recomputation can tell
    with Ledger.open(folder) as ledger:
        stored = ledger.outcome(key)
        ledger._db.execute("DELETE FROM cell WHERE key=?", (key,))
        metrics = {**stored.metrics, "value": float(np.nextafter(stored.metrics["value"], np.inf))}
        facts = {**stored.attributes, "rows": "others"}
        off = Outcome(metrics=metrics, curves=stored.curves, attributes=facts)
        ledger.record_cell(key, off, Provenance(run="r", fingerprint="another machine"))
    report = rerun(folder, key)
    # a fact is the same or it is not: no machine changes it
    assert not report.identical and not report.kept and report.promise == "1e-09 relative"
    assert [item.name for item in report.comparisons if not item.equal] == ["value", "attribute rows"]
    assert "DIFFERENT" in report.text()
    # unless its track says that it depends on the platform
    monkeypatch.setattr(find("track", "bench-toy"), "per_platform", ("rows",), raising=False)
    report = rerun(folder, key)
    assert not report.identical and report.kept, report.text()


def test_whatever_bytes_change_repair_leaves_only_rows_that_are_right(finished: Path, tmp_path: Path) -> None:
    columns = ("key", "task_digest", "method_digest", "seed", "value", "spread")
    right = {row[0]: repr(row) for row in frame(finished).select(columns).rows()}
    rng = np.random.default_rng(4)
    clean = (finished / "ledger.sqlite").read_bytes()
    for number in range(10):
        target = tmp_path / str(number)
        target.mkdir()
        count = int(rng.choice([1, 16, 5000]))
        start = int(rng.integers(len(clean) - count))
        content = clean[:start] + rng.bytes(count) + clean[start + count :]
        (target / "ledger.sqlite").write_bytes(content)
        repair(target)
        with Ledger.read(target) as ledger:
            if ledger.grids():
                done = frame(target).filter(pl.col("status") == "done").select(columns).rows()
                assert all(right[row[0]] == repr(row) for row in done)
