"""Facts are columns of their own type, with one owner, and change no number, key or seed."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from bench_kit import frame, go, suite, toy

from mlopsim.bench.attributes import Columns, check_attributes
from mlopsim.bench.grid import Grid, expand
from mlopsim.bench.ledger import Ledger, Provenance
from mlopsim.bench.repair import repair
from mlopsim.bench.rerun import rerun
from mlopsim.bench.runner import run
from mlopsim.bench.schema import COMPUTED
from mlopsim.bench.table import FIRST, export
from mlopsim.core.errors import ConfigError, DataError, LedgerError
from mlopsim.core.spec import make
from mlopsim.core.track import Attribute, Cell, Method, Outcome, Task

BASELINE = "0123456789abcdef01234567"


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("facts") / "r"
    assert go(folder, ["x", "fit-y"], executor="serial", seeds=2).complete
    return folder


def test_facts_are_typed_columns_between_status_and_metrics(finished: Path, tmp_path: Path) -> None:
    table = frame(finished)
    # of the task, the method, the fit, the cell
    facts = ["size", "late", "family", "note", "tries", "of", "rows", "cut"]
    assert table.columns[: len(FIRST) + len(facts) + 1] == [*FIRST, *facts, "value"]
    assert [str(table.schema[name]) for name in facts] == [
        *("Float64", "Boolean", "String", "String", "Int64", "String", "String", "String"),
    ]
    at = {name: table.filter(task=name) for name in "ab"}
    assert at["a"]["size"].to_list() == [3.0] * 4 and at["b"]["size"].to_list() == [0.5] * 4
    assert at["a"]["late"].is_null().all() and at["b"]["late"].all()
    assert table["note"].is_null().all() and table["cut"].is_null().all()
    of = {name: table.filter(method=name) for name in ("x", "fit-y")}
    assert of["x"]["tries"].is_null().all() and of["x"]["of"].is_null().all()
    # of the cell's own fit, not of those that it stands on
    assert of["fit-y"]["tries"].to_list() == [2] * 4 and set(of["fit-y"]["of"]) == {"top"}
    assert of["x"]["rows"].to_list() == of["fit-y"]["rows"].to_list() and of["x"]["rows"].n_unique() == 4
    assert set(table["origin"]) == {COMPUTED}
    with Ledger.read(finished) as ledger:
        stored = pl.read_parquet(export(ledger, tmp_path / "a.parquet"))
        csv = pl.read_csv(export(ledger, tmp_path / "a.csv"))
    assert stored.equals(table.sort("key"))
    assert csv.columns == table.columns and csv["late"].to_list() == stored["late"].to_list()


def test_facts_of_fits_are_there_before_and_those_of_cells_after_a_cell_ran(tmp_path: Path) -> None:
    track = toy()
    grid = expand(suite(track, ["x", "fit-y"], seeds=1), track)
    with Ledger.open(tmp_path) as ledger:
        ledger.register(grid)
        jobs = {job.key: job for job in grid.fits}
        own = next(cell.fit for cell in grid.cells if cell.fit is not None)
        for key in (*jobs[own].needs, own):
            done = {need: ledger.fit_result(need) for need in jobs[key].needs}
            ledger.record_fit(jobs[key], "done", track.fit(jobs[key], done), None, Provenance(run="r"))
        ledger.record_failure(grid.cells[0].key, "failed", "boom", Provenance(run="r"))
    table = frame(tmp_path)
    assert table["tries"].to_list() == [2 if cell.fit == own else None for cell in grid.cells]
    assert "rows" not in table.columns
    assert table["origin"].to_list() == [COMPUTED, None, None, None]


def of_tasks(given: Any, **attributes: Any) -> None:
    given.tasks = [replace(given.tasks[0], attributes=attributes), given.tasks[1]]


def of_methods(given: Any, **attributes: Any) -> None:
    given.methods = [replace(given.methods[0], attributes=attributes), *given.methods[1:]]


@pytest.mark.parametrize(
    ("change", "match"),
    [
        (lambda s: of_tasks(s, seed=1), "task 'a': 'seed' cannot name an attribute, it is a column"),
        (lambda s: of_methods(s, origin="x"), "method 'x': 'origin' cannot name an attribute, it is a col"),
        (lambda s: of_tasks(s, value=0.5), "task 'a': 'value' cannot name an attribute, it is a metric"),
        (lambda s: of_methods(s, size=1), "method 'x': the attribute 'size' is given by task 'a', too"),
        (lambda s: of_tasks(s, size="big"), "task 'b': the attribute 'size' is 0.5, and text for task 'a'"),
        (lambda s: of_tasks(s, late=1), "task 'b': the attribute 'late' is True, and number for task 'a'"),
        (lambda s: of_methods(s, family=["a"]), "method 'x': the attribute 'family' is .* \\(list\\)"),
        (lambda s: of_methods(s, limit=float("nan")), "attribute 'limit' is nan"),
        (lambda s: of_tasks(s, **{"": 1}), "'' cannot name an attribute"),
    ],
)  # fmt: skip
def test_a_name_means_one_thing_before_work_starts(change: Callable[[Any], None], match: str) -> None:
    track = toy()
    given = suite(track, ["x", "y"])
    change(given)
    with pytest.raises(ConfigError, match=match):
        expand(given, track)


@pytest.mark.parametrize("value", [float("inf"), 2**63, "\ud800", b"x", 1j, {"a": 1}, np.zeros(1), Path("a")])
def test_what_is_no_attribute(value: Any) -> None:
    with pytest.raises(ConfigError, match="the attribute 'a' is"):
        check_attributes("cell c", {"a": value})


def test_scalars_of_numpy_are_plain() -> None:
    given: dict[str, Any] = {"a": np.float32(0.5), "b": np.bool_(True), "c": np.str_("x"), "d": np.uint8(3)}
    got = check_attributes("cell c", given)
    assert got == {"a": 0.5, "b": True, "c": "x", "d": 3}
    assert [type(value) for value in got.values()] == [float, bool, str, int]


def test_what_is_wrong_is_not_taken_in() -> None:
    columns = Columns(["value"])
    with pytest.raises(ConfigError):
        columns.add("cell", "cell a", {"good": 1, "value": 2})
    assert columns.names("cell") == []
    columns.add("task", "task a", {"good": "text"})


@pytest.mark.parametrize(
    ("method", "match"),
    [
        ("facts-list", "facts-list / seed 0: the attribute 'rows' is [1] (list)"),
        ("facts-owner", "facts-owner / seed 0: the attribute 'family' is given by method 'x', too"),
        ("facts-metric", "facts-metric / seed 0: 'value' cannot name an attribute, it is a metric"),
        ("facts-type", "facts-type / seed 0: the attribute 'rows' is 7, and text for cell a / x / seed 0"),
    ],
)
def test_wrong_facts_of_a_cell_are_its_failure_alone(method: str, match: str, tmp_path: Path) -> None:
    summary = go(tmp_path, ["x", method], executor="serial", seeds=1, tasks=["a"])
    assert summary.counts.done == 1 and summary.counts.failed == 1
    assert match in summary.failures[0].error, summary.failures[0].error
    assert "remedy" in summary.failures[0].last_line
    table = frame(tmp_path)
    assert table["status"].to_list() == ["done", "failed"] and match in table["error"][1]


def test_wrong_facts_of_a_fit_are_the_failure_of_its_cells(tmp_path: Path) -> None:
    first = go(tmp_path, ["fit-y"], executor="serial", seeds=1)
    assert first.complete
    # the type is known from what is stored: the same grid, in another run
    summary = go(tmp_path, ["fit-y", "fit-facts"], executor="serial", seeds=1)
    assert (summary.counts.cached, summary.counts.done, summary.counts.failed) == (2, 0, 2)
    wrong = summary.failures[0]
    assert "fit fit-facts: the attribute 'tries' is 'two', and number for the stored fit" in wrong.error
    assert frame(tmp_path).filter(method="fit-y")["tries"].to_list() == [2, 2]


def test_a_name_that_stored_cells_give_is_refused_and_nothing_changes(finished: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(finished, tmp_path / "r"))
    before = frame(folder)
    track = toy()
    given = suite(track, ["x", "fit-y"], seeds=2)
    for name, owner in (("rows", "cell"), ("tries", "fit")):
        of_methods(given, **{name: "other"})
        with pytest.raises(
            ConfigError, match=rf"'{name}' is given by method 'x', too, in .*\s+remedy: .*results="
        ):
            run(given, track, folder, executor="serial")
        assert frame(folder).equals(before), owner
    # a grid that shares cells with another one gives what these do not: nothing to read any more, and said so
    with Ledger.open(folder) as ledger:
        of_methods(given)
        ledger.register(expand(given, track))
        key = expand(given, track).cells[0].key
        ledger._db.execute("DELETE FROM cell WHERE key=?", (key,))
        facts: dict[str, Attribute] = {"size": "large"}
        ledger.record_cell(
            key, Outcome(metrics={"value": 1.0, "spread": 1.0}, attributes=facts), Provenance(run="r")
        )
    with pytest.raises(
        LedgerError, match=r"attributes in .* do not agree: .*'size' is given by task 'a', too"
    ):
        frame(folder)


def test_facts_and_names_enter_no_key_and_change_no_number(finished: Path, tmp_path: Path) -> None:
    track = toy()
    given = suite(track, ["x", "fit-y"], seeds=2)
    plain = expand(given, track)
    other = suite(track, ["x", "fit-y"], seeds=2)
    other.tasks = [replace(t, name=f"{t.name}!", attributes={"place": i}) for i, t in enumerate(other.tasks)]
    other.methods = [replace(m, name=f"{m.name}!", attributes={"group": m.name}) for m in other.methods]
    changed = expand(other, track)

    def content(grid: Grid) -> tuple[Any, ...]:
        return (
            grid.digest, [cell.key for cell in grid.cells], [job.key for job in grid.fits],
            [(c.task.digest, c.method.digest) for c in grid.cells],
        )  # fmt: skip

    assert content(changed) == content(plain)
    numbers = ["key", "seed", "status", "rows", "value", "spread", "fit", "tries"]
    assert run(other, track, tmp_path / "r", executor="serial").complete
    table = frame(tmp_path / "r")
    assert table.select(numbers).equals(frame(finished).select(numbers))
    assert table.columns[len(FIRST) : len(FIRST) + 2] == ["place", "group"]
    # what is stored is found under other names and facts, which are refreshed
    folder = Path(shutil.copytree(finished, tmp_path / "known"))
    assert run(other, track, folder, executor="serial").counts.cached == 8
    # of the fits and cells, too: all that a run adds is its time
    assert frame(folder).select(numbers).equals(table.select(numbers))
    assert set(frame(folder)["place"]) == {0, 1} and "size" not in frame(folder).columns


@pytest.mark.parametrize(
    ("name", "method", "fits"),
    [
        ("delivery", "periodic", True),
        ("drift", "cusum", True),
        ("quality", "mahalanobis", False),
        ("fairness", "demographic_parity", True),
    ],
)
def test_the_tracks_put_neither_facts_nor_names_into_parts_and_keys(
    name: str, method: str, fits: bool
) -> None:
    track = make("track", name)
    tasks, methods = track.tasks([{"name": "a"}]), track.methods([method])

    def keys(task: Task, given: Sequence[Method]) -> tuple[list[str], list[str]]:
        cells = [Cell(track=f"{name}/1", task=task, method=one, seed=0) for one in given]
        with_fits, jobs = track.fits(cells)
        return [cell.key for cell in with_fits], [job.key for job in jobs]

    plain = keys(tasks[0], methods)
    assert bool(plain[1]) == fits
    more = {"another": "fact", "count": 3}
    task = replace(tasks[0], name="renamed", attributes={**tasks[0].attributes, **more})
    others = [replace(m, name=f"{m.name}!", attributes={**m.attributes, "of": m.name}) for m in methods]
    assert keys(task, others) == plain


def test_a_fit_s_facts_enter_no_key_of_what_stands_on_it() -> None:
    track = toy()
    grid = expand(suite(track, ["fit-y"], seeds=1, tasks=["a"]), track)
    base, top = grid.fits
    result = track.fit(base, {})
    bare = replace(result, attributes={})
    with_facts = track.fit(top, {base.key: result}), grid.cells[0].key
    without = track.fit(top, {base.key: bare}), grid.cells[0].key
    assert with_facts[0].arrays["w"].tobytes() == without[0].arrays["w"].tobytes()
    assert with_facts[1] == without[1] and top.needs == (base.key,)


def test_equal_tasks_are_one_with_the_facts_of_the_first() -> None:
    track = toy()
    given = suite(track, ["x"], seeds=1)
    given.tasks.append(replace(given.tasks[0], name="also a", attributes={"size": 9}))
    grid = expand(given, track)
    assert grid.notes == ("task 'also a' is the same as 'a', counted once, with its attributes",)
    assert grid.cells[0].task.attributes == {"size": 3}


def test_a_cell_from_a_baseline_is_read_exported_and_kept_by_repair(finished: Path, tmp_path: Path) -> None:
    track = toy()
    grid = expand(suite(track, ["x", "fit-y"], seeds=2), track)
    folder = tmp_path / "r"
    with Ledger.read(finished) as source, Ledger.open(folder) as ledger:
        ledger.register(grid)
        for cell in grid.cells:
            bare = replace(source.outcome(cell.key), curves={})
            ledger.record_cell(cell.key, bare, Provenance(run="r", origin=BASELINE))
    assert set(frame(folder)["origin"]) == {BASELINE}
    with Ledger.read(folder) as ledger:
        assert set(pl.read_parquet(export(ledger, tmp_path / "a.parquet"))["origin"]) == {BASELINE}
    columns = ["key", "value", "spread", "rows"]
    assert frame(folder).select(columns).equals(frame(finished).select(columns))
    # its fits are elsewhere, and not missed
    assert repair(folder).kept_file is None
    with pytest.raises(LedgerError, match=f"was taken from the baseline {BASELINE}, which brings no fits"):
        rerun(folder, frame(folder).filter(method="fit-y")["key"][0])
    (folder / "ledger.sqlite").write_bytes(
        b"".join([(folder / "ledger.sqlite").read_bytes()[:-4096], bytes(4096)])
    )
    repair(folder)
    assert go(folder, ["x", "fit-y"], executor="serial", seeds=2).complete
    assert frame(folder).select(columns).equals(frame(finished).select(columns))
    with pytest.raises(DataError, match=r"'elsewhere\.json' is no origin of a cell"):
        Provenance(run="r", origin="elsewhere.json")
