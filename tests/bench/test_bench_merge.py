"""Ledgers of several shards as one: the same numbers, the same bytes in any order, and what is refused."""

from __future__ import annotations

import itertools
import os
import shutil
import sqlite3
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from bench_kit import frame, go, suite, toy

from mlopsim.bench.grid import Grid, expand
from mlopsim.bench.ledger import Ledger, Provenance
from mlopsim.bench.made_by import code_of_here
from mlopsim.bench.merge import merge
from mlopsim.bench.numbers import numbers
from mlopsim.bench.provenance import run_record
from mlopsim.bench.repair import repair
from mlopsim.bench.rerun import rerun
from mlopsim.bench.runner import run
from mlopsim.bench.table import write_table
from mlopsim.core.errors import ConfigError, LedgerError
from mlopsim.core.spec import canonical
from mlopsim.core.track import Outcome

METHODS = ["x", "fit-y", "undefined", "facts-row"]
SHARDS = 3


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three shards with fits that were made once, and one run of the whole."""
    place = tmp_path_factory.mktemp("shards")
    go(place / "fits", METHODS, executor="serial", seeds=6, fits_only=True)
    for number in range(1, SHARDS + 1):
        shard = f"{number}/{SHARDS}"
        go(place / str(number), METHODS, executor="serial", seeds=6, shard=shard, fits=place / "fits")
    go(place / "whole", METHODS, executor="serial", seeds=6)
    return place


@pytest.fixture
def shards(made: Path, tmp_path: Path) -> list[Path]:
    return [Path(shutil.copytree(made / str(n), tmp_path / str(n))) for n in range(1, SHARDS + 1)]


def in_bytes(folder: Path, name: str) -> bytes:
    with Ledger.read(folder) as ledger:
        return write_table(numbers(ledger), folder / name).read_bytes()


def ledger_bytes(folder: Path) -> bytes:
    assert sorted(path.name for path in folder.iterdir()) == ["ledger.lock", "ledger.sqlite"]
    return (folder / "ledger.sqlite").read_bytes()


def whole_grid(methods: Any = METHODS, seeds: int = 6) -> Grid:
    track = toy()
    return expand(suite(track, methods, seeds=seeds), track)


def write(
    folder: Path,
    value: float | None,
    *,
    grid: Grid | None = None,
    key: str = "",
    error: str = "",
    **record: Any,
) -> str:
    """Write one cell by hand; return its key."""
    grid = grid or whole_grid(["x"], 2)
    key = key or grid.cells[0].key
    with Ledger.open(folder) as ledger:
        ledger.register(grid)
        about = {**run_record(), "code": code_of_here(), **record}
        number = ledger.begin_run(grid.digest, about)
        if value is None:
            ledger.record_failure(key, "failed", error, Provenance(run=number))
        else:
            outcome = Outcome(metrics={"value": value, "spread": 0.0})
            ledger.record_cell(key, outcome, Provenance(run=number, fingerprint=record.get("platform", "")))
        ledger.end_run(number, "finished")
    return key


def test_shards_give_what_one_run_gives(made: Path, shards: list[Path], tmp_path: Path) -> None:
    whole = shutil.copytree(made / "whole", tmp_path / "whole")
    told: list[tuple[int, int]] = []
    merged = merge(shards, tmp_path / "all", progress=lambda done, total: told.append((done, total)))
    assert merged.complete and merged.added == merged.cells == 48 and not merged.missing and not merged.absent
    assert merged.fits == 4 and told[-1] == (48, 48) and merged.left_out == ()
    assert sum(part.by_status["done"] for part in merged.parts) == 48
    for name in ("numbers.csv", "numbers.parquet"):
        assert in_bytes(tmp_path / "all", name) == in_bytes(Path(whole), name)
    assert repair(tmp_path / "all").kept_file is None, "every row is sealed and nothing is missing"
    # series, fits and provenance are there: a cell is computed again from the merged folder
    table = frame(tmp_path / "all")
    assert set(table["run"]) == {r["id"] for f in shards for r in runs(f) if "shard" in r["record"]}
    fitted = table.filter(table["method"] == "fit-y")["key"][0]
    assert rerun(tmp_path / "all", fitted, deep=True).identical


def runs(folder: Path) -> list[dict[str, Any]]:
    with Ledger.read(folder) as ledger:
        return ledger.runs()


def test_the_numbers_say_nothing_of_who_computed_them_and_all_of_what(made: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(made / "whole", tmp_path / "whole"))
    with Ledger.read(folder) as ledger:
        table = numbers(ledger)
    facts = ["cut", "family", "late", "note", "of", "rows", "size", "tries"]
    ends = ["value", "spread", "reasons", "split", "root", "fit", "curves", "fit_numbers"]
    assert table.columns == ["key", "track", "task", "method", "seed", "status", *facts, *ends]
    assert table["key"].is_sorted() and table["curves"].null_count() == 24
    before = in_bytes(folder, "a.csv")
    key = table.filter(table["curves"].is_not_null())["key"][0]
    # another series under the same metrics is another number
    with Ledger.open(folder) as ledger:
        outcome = ledger.outcome(key)
    with sqlite3.connect(folder / "ledger.sqlite") as db:
        db.execute("DELETE FROM cell WHERE key=?", (key,))
    db.close()
    with Ledger.open(folder) as ledger:
        ledger.record_cell(key, outcome, Provenance(run="other", seconds=9.0, host="elsewhere"))
    assert in_bytes(folder, "b.csv") == before
    outcome.curves["row"][0] += 1e-12
    with sqlite3.connect(folder / "ledger.sqlite") as db:
        db.execute("DELETE FROM cell WHERE key=?", (key,))
    db.close()
    with Ledger.open(folder) as ledger:
        ledger.record_cell(key, outcome, Provenance(run="other"))
    assert in_bytes(folder, "c.csv") != before


def test_the_order_is_irrelevant_to_the_bit_and_again_is_nothing_new(
    shards: list[Path], tmp_path: Path
) -> None:
    found = set()
    for number, order in enumerate(itertools.permutations(shards)):
        merge(order, tmp_path / f"all-{number}")
        found.add(ledger_bytes(tmp_path / f"all-{number}"))
    # one after the other, twice, and some that were merged before
    late = tmp_path / "late"
    merge(shards[2:], late)
    assert merge(shards[:1], late).added > 0
    assert merge([*shards, shards[0]], late).changed
    merge([tmp_path / "all-0", shards[1]], tmp_path / "of-merged")
    found |= {ledger_bytes(late), ledger_bytes(tmp_path / "of-merged")}
    assert len(found) == 1
    again = merge(reversed(shards), late)  # type: ignore[arg-type]
    assert not again.changed and not again.added and again.complete


def test_what_is_missing_is_said_and_computed_by_the_next_run(shards: list[Path], tmp_path: Path) -> None:
    merged = merge([shards[0], shards[2]], tmp_path / "all")
    lost = [cell for cell in frame(shards[1]).iter_rows(named=True) if cell["status"] == "done"]
    assert merged.missing == len(lost) and not merged.complete
    assert sum(merged.missing_by_method.values()) == len(lost)
    assert set(merged.missing_by_method) == {cell["method"] for cell in lost}
    assert merged.absent == "shard 2 of 3"
    summary = go(tmp_path / "all", METHODS, executor="serial", seeds=6)
    assert summary.complete and summary.counts.done == len(lost)
    assert in_bytes(tmp_path / "all", "n.csv") == in_bytes(shards[1].parent / "all", "n.csv")
    late = merge([shards[1]], tmp_path / "all")
    assert late.complete and not late.added


def test_two_numbers_for_one_cell_are_refused_and_nothing_changes(tmp_path: Path) -> None:
    key = write(tmp_path / "a", 0.5)
    assert write(tmp_path / "b", 0.5) == key
    merge([tmp_path / "a", tmp_path / "b"], tmp_path / "all")
    before = ledger_bytes(tmp_path / "all")
    write(tmp_path / "c", 0.625, platform="other")
    said = rf"cell a / x / seed 0 \({key}\) does not have the same numbers everywhere: value is 0\.5 in .*"
    for folders in (["c"], ["c", "a"], ["a", "c"]):
        with pytest.raises(ConfigError, match="same numbers everywhere") as caught:
            merge([tmp_path / name for name in folders], tmp_path / "all")
        assert "value is" in str(caught.value) and "different platforms" in str(caught.value)
        assert "0.5 in" in str(caught.value) and "0.625 in" in str(caught.value)
        assert ledger_bytes(tmp_path / "all") == before
    with pytest.raises(ConfigError, match=said):
        merge([tmp_path / "a", tmp_path / "c"], tmp_path / "new")
    assert not (tmp_path / "new").exists(), "nothing is left of a folder that was made for it"


def test_two_results_of_one_fit_are_refused(made: Path, shards: list[Path], tmp_path: Path) -> None:
    with Ledger.read(made / "fits") as ledger:
        ((key,),) = ledger.rows("SELECT key FROM fit WHERE label='base' LIMIT 1")
        job, result = ledger.fit_job(key), ledger.fit_result(key)
        named = ledger.rows("SELECT key FROM fit WHERE label='fit-y'")
    result.arrays["w"][0] += 1.0
    grid = whole_grid()
    with Ledger.open(tmp_path / "b") as ledger:
        ledger.register(grid)
        run_id = ledger.begin_run(grid.digest, {**run_record(), "code": code_of_here()})
        ledger.record_fit(job, "done", result, None, Provenance(run=run_id))
        ledger.end_run(run_id, "finished")
    assert len(named) == 1 or len(named) == 2
    with pytest.raises(
        ConfigError, match=r"fit base \(\w+\) does not have the same numbers.*array w is float64"
    ):
        merge([*shards, tmp_path / "b"], tmp_path / "all")


def test_what_is_done_replaces_a_failure_and_the_last_failure_stays(tmp_path: Path) -> None:
    grid = whole_grid(["x"], 2)
    first, second = (cell.key for cell in grid.cells[:2])
    write(tmp_path / "a", None, error="early")
    write(tmp_path / "a", None, key=second, error="early")
    write(tmp_path / "b", None, key=second, error="late")
    write(tmp_path / "b", 0.5)
    merged = merge([tmp_path / "a", tmp_path / "b"], tmp_path / "all")
    assert merged.by_status == {"done": 1, "failed": 1} and merged.missing == 2
    rows = {row["key"]: row for row in frame(tmp_path / "all").iter_rows(named=True)}
    assert rows[first]["status"] == "done" and rows[second]["error"] == "late"


def test_a_killed_shard_is_named_and_its_end_is_kept(shards: list[Path], tmp_path: Path) -> None:
    with sqlite3.connect(shards[0] / "ledger.sqlite") as db:
        ((grid,),) = db.execute("SELECT digest FROM grid").fetchall()
    db.close()
    with Ledger.open(shards[0]) as ledger:
        ledger.begin_run(grid, run_record())
    merged = merge(shards, tmp_path / "all")
    assert [part.running for part in merged.parts] == [True, False, False]
    go(shards[0], METHODS, executor="serial", seeds=6, shard="1/3")
    again = merge(shards, tmp_path / "all")
    assert [part.running for part in again.parts] == [False] * 3
    assert {entry["status"] for entry in runs(tmp_path / "all")} == {"finished", "killed"}


def test_the_merged_grid_belongs_to_no_machine(tmp_path: Path) -> None:
    track = toy()
    grid = whole_grid(["x"], 4)
    for number in (1, 2):
        mine = replace(
            grid,
            plugins=({"path": f"/machine{3 - number}/toy.py", "digest": "12"},),
            config={"seeds": 4, "results": f"r{number}", "shard": f"{number}/2"},
        )
        with Ledger.open(tmp_path / str(number)) as ledger:
            ledger.register(mine)
        write(tmp_path / str(number), float(number), grid=mine, key=grid.cells[number].key)
    merged = merge([tmp_path / "1", tmp_path / "2"], tmp_path / "all")
    with Ledger.read(tmp_path / "all") as ledger:
        (entry,) = ledger.grids()
    assert entry["config"] == {"seeds": 4} and merged.left_out == ("results", "shard")
    assert entry["plugins"] == [{"path": "/machine1/toy.py", "digest": "12"}]
    assert run(grid, track, tmp_path / "all", executor="serial").counts.cached == 2


def of(folder: Path, **changes: Any) -> Path:
    """A shard of a suite that differs in something."""
    track = toy()
    methods, seeds, tasks = changes.pop("methods", ["x"]), changes.pop("seeds", 2), ("a", "b")
    part = changes.pop("part", None)
    made = suite(track, methods, tasks, seeds, **changes)
    if part is not None:
        made.tasks[0] = replace(made.tasks[0], part={**made.tasks[0].part, "rule": part})
    run(made, track, folder, executor="serial")
    return folder


PERIODIC = canonical("selector", "periodic")


@pytest.mark.parametrize(
    ("other", "said"),
    [
        (lambda at: of(at, version=2), r"b holds toy-v2 and .*a holds toy-v1: .*no parts of one suite"),
        (lambda at: of(at, modified=True), r"holds toy-v1 \(modified\) and"),
        (lambda at: of(at, methods=["x", "y"]), r"different grids of toy-v1: only .*b has the method 'y'"),
        (lambda at: of(at, seeds=3), r"4 cells in .*a and 6 in .*b"),
        (lambda at: other_code(at, code={**code_of_here(), "drift": "0"}), r"mlopsim/drift is 0, not \w+"),
        (lambda at: other_code(at, versions={"numpy": "1.0"}), r"other code than .*a: cleanlab is missing"),
        (lambda at: other_code(at, code=None), r"b does not say by which code it was computed"),
    ],
)  # fmt: skip
def test_what_is_no_part_of_it_is_refused_by_name(
    other: Callable[[Path], Path], said: str, tmp_path: Path
) -> None:
    a, b = of(tmp_path / "a"), other(tmp_path / "b")
    with pytest.raises(ConfigError, match=said) as caught:
        merge([a, b], tmp_path / "all")
    assert caught.value.remedy and not (tmp_path / "all").exists()
    merge([a], tmp_path / "all")
    before = ledger_bytes(tmp_path / "all")
    with pytest.raises(ConfigError):
        merge([b], tmp_path / "all") if "does not say" not in said else merge([a, b], tmp_path / "all")
    assert ledger_bytes(tmp_path / "all") == before


def other_code(folder: Path, **record: Any) -> Path:
    write(folder, 1.0, **record)
    return folder


def test_another_version_of_a_component_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    a = of(tmp_path / "a", part=PERIODIC)
    stale = {**PERIODIC, "version": "0"}
    grid = expand(suite(toy(), ["x"], seeds=2), toy())
    task = grid.cells[0].task
    older = replace(task, part={**task.part, "rule": stale})
    cells = tuple(replace(c, task=older) if c.task.name == task.name else c for c in grid.cells)
    write(tmp_path / "b", 1.0, grid=replace(grid, cells=cells))
    with pytest.raises(ConfigError, match=r"selector/periodic is version 1 in .*a and 0 in .*b"):
        merge([a, tmp_path / "b"], tmp_path / "all")


def test_a_shard_of_two_states_of_the_code_is_refused(tmp_path: Path) -> None:
    grid = whole_grid(["x"], 2)
    write(tmp_path / "a", 1.0, grid=grid)
    write(tmp_path / "a", 1.0, grid=grid, key=grid.cells[1].key, code={**code_of_here(), "world": "0f"})
    with pytest.raises(ConfigError, match=r"a was computed by two states of the code: code of mlopsim/world"):
        merge([tmp_path / "a"], tmp_path / "all")


def test_a_folder_is_not_merged_into_itself(shards: list[Path], tmp_path: Path) -> None:
    before = (shards[0] / "ledger.sqlite").read_bytes()
    (tmp_path / "link").symlink_to(shards[0])
    for out in (shards[0], tmp_path / "2" / ".." / "1", tmp_path / "link"):
        with pytest.raises(ConfigError, match="would be merged into itself") as caught:
            merge(shards, out)
        assert "--out" in (caught.value.remedy or "")
    assert (shards[0] / "ledger.sqlite").read_bytes() == before
    with pytest.raises(ConfigError, match="no folders"):
        merge([], tmp_path / "all")


def test_missing_and_torn_ledgers_are_told(shards: list[Path], tmp_path: Path) -> None:
    with pytest.raises(LedgerError, match="no ledger in"):
        merge([*shards, tmp_path / "nowhere"], tmp_path / "all")
    with Ledger.open(tmp_path / "empty"):
        pass
    with pytest.raises(LedgerError, match="no grid in"):
        merge([*shards, tmp_path / "empty"], tmp_path / "all")
    file = shards[1] / "ledger.sqlite"
    os.truncate(file, file.stat().st_size * 6 // 10)
    with pytest.raises(LedgerError, match=r"2/ledger\.sqlite is damaged") as caught:
        merge(shards, tmp_path / "all")
    assert f"mlopsim repair {shards[1]}" in (caught.value.remedy or "")
    assert not (tmp_path / "all").exists()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("UPDATE cell SET metrics=replace(metrics, '.', '.1')", r"stored row of cell \w+ has changed"),
        ("DELETE FROM curve", r"curves of cell \w+ are missing"),
        ("UPDATE fit SET arrays=zeroblob(9)", "row of table fit has changed"),
        ("UPDATE member SET seed=seed+1", r"members of grid \w+ have changed"),
        ("UPDATE spec SET content='{}'", "table spec has changed"),
    ],
)
def test_changed_rows_are_not_merged(change: str, said: str, shards: list[Path], tmp_path: Path) -> None:
    with sqlite3.connect(shards[0] / "ledger.sqlite") as db:
        assert db.execute(change).rowcount > 0
    db.close()
    with pytest.raises(LedgerError, match=said):
        merge(shards, tmp_path / "all")
    assert not (tmp_path / "all").exists()


def test_results_of_something_else_are_not_overwritten(shards: list[Path], tmp_path: Path) -> None:
    other = of(tmp_path / "other")
    before = (other / "ledger.sqlite").read_bytes()
    with pytest.raises(
        ConfigError, match=r"other holds other results: toy-v1 \(grid \w+\), and not only"
    ) as caught:
        merge(shards, other)
    assert caught.value.remedy == "name a new folder with --out"
    assert (other / "ledger.sqlite").read_bytes() == before
    (tmp_path / "file").write_text("mine")
    with pytest.raises(Exception, match="cannot write to the folder"):
        merge(shards, tmp_path / "file")
    assert (tmp_path / "file").read_text() == "mine"
    merge(shards[:1], tmp_path / "all")
    # whoever reads the old file keeps it
    with Ledger.read(tmp_path / "all") as reading:
        assert reading.rows("SELECT count(*) FROM cell") == [(len(done(shards[0])),)]
        merge(shards[:2], tmp_path / "all")
        assert reading.rows("SELECT count(*) FROM cell") == [(len(done(shards[0])),)]
    with Ledger.open(tmp_path / "all"), pytest.raises(LedgerError, match="is being written by process"):
        merge(shards, tmp_path / "all")
    # that has been written to, and has a log now: it is not replaced under a reader
    with Ledger.read(tmp_path / "all") as reading:
        assert reading.rows("SELECT count(*) FROM grid") == [(1,)]
        with pytest.raises(LedgerError, match="is being read by another process"):
            merge(shards, tmp_path / "all")
    assert merge(shards, tmp_path / "all").complete
    assert sorted(path.name for path in (tmp_path / "all").iterdir()) == ["ledger.lock", "ledger.sqlite"]


def done(folder: Path) -> list[str]:
    table = frame(folder)
    return list(table.filter(table["status"] == "done")["key"])


def test_one_grid_of_several_in_a_folder(shards: list[Path], tmp_path: Path) -> None:
    digest = whole_grid().digest
    go(shards[0], ["x"], executor="serial", seeds=2)
    with pytest.raises(ConfigError, match="different grids"):
        merge(shards, tmp_path / "all")
    assert merge(shards, tmp_path / "all", grid=digest[:10]).complete
    with Ledger.read(tmp_path / "all") as ledger:
        assert [entry["digest"] for entry in ledger.grids()] == [digest]


def test_a_merge_that_is_broken_off_leaves_what_was_there(shards: list[Path], tmp_path: Path) -> None:
    def stop(done: int, total: int) -> None:
        raise KeyboardInterrupt

    merge(shards[:1], tmp_path / "all")
    before = ledger_bytes(tmp_path / "all")
    for out in ("all", "new"):
        with pytest.raises(KeyboardInterrupt):
            merge(shards, tmp_path / out, progress=stop)
    assert ledger_bytes(tmp_path / "all") == before and not (tmp_path / "new").exists()
    # what a killed process left is in nobody's way
    (tmp_path / "all" / ".ledger.sqlite.merging").write_text("half")
    assert merge(shards, tmp_path / "all").complete
    assert len(ledger_bytes(tmp_path / "all")) > len(before)


def test_other_platforms_are_merged_and_named(tmp_path: Path) -> None:
    grid = whole_grid(["x"], 2)
    for number, platform in enumerate(("avx2", "avx512")):
        write(tmp_path / str(number), 1.0, grid=grid, key=grid.cells[number].key, platform=platform)
    merged = merge([tmp_path / "0", tmp_path / "1"], tmp_path / "all")
    assert merged.platforms == ("avx2", "avx512") and merged.by_status["done"] == 2
