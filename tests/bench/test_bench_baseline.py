"""A baseline: written, read back to the bit, matched by names, refused by what differs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from bench_kit import PLUGIN, frame, go, suite, toy

from mlopsim.bench.baseline import Baseline, baseline_path, read_baseline
from mlopsim.bench.baseline_columns import HEADER, curve_columns, read_curve, scalar_columns
from mlopsim.bench.baseline_match import join
from mlopsim.bench.baseline_union import write_union
from mlopsim.bench.baseline_verify import verify
from mlopsim.bench.baseline_write import write_baseline
from mlopsim.bench.grid import expand
from mlopsim.bench.ledger import Ledger
from mlopsim.bench.runner import run
from mlopsim.bench.submission import check_submission
from mlopsim.compose.from_baseline import Marks
from mlopsim.core.errors import ConfigError, DataError


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("baseline")
    go(place, ["plain", "fit"], executor="serial", workers=1)
    return place


@pytest.fixture(scope="module")
def file(folder: Path) -> Path:
    with Ledger.read(folder) as ledger:
        return write_baseline(ledger, folder / "base.parquet")


def _grid(methods: list[str], **options: Any) -> Any:
    return expand(suite(toy(), methods, **options), toy())


def _changed(file: Path, target: Path, change: Any) -> Baseline:
    header = json.loads(pl.read_parquet_metadata(file)[HEADER])
    change(header)
    pl.read_parquet(file).write_parquet(target, metadata={HEADER: json.dumps(header)})
    return read_baseline(target)


def test_what_is_read_is_what_was_stored_to_the_bit(folder: Path, file: Path) -> None:
    found = read_baseline(file)
    with Ledger.read(folder) as ledger:
        assert [cell.key for cell in found.cells] == frame(folder)["key"].to_list()
        for place, outcome, where in found.outcomes(range(len(found.cells))):
            stored = ledger.outcome(found.cells[place].key)
            assert json.dumps(outcome.metrics, sort_keys=True) == json.dumps(stored.metrics, sort_keys=True)
            assert {n: type(v) for n, v in outcome.metrics.items()} == {
                n: type(v) for n, v in stored.metrics.items()
            }
            assert (outcome.reasons, outcome.attributes) == (stored.reasons, stored.attributes)
            assert {n: (a.dtype, a.shape, a.tobytes()) for n, a in outcome.curves.items()} == {
                n: (a.dtype, a.shape, a.tobytes()) for n, a in stored.curves.items()
            }
            assert where["run"]
        assert {fit.job.key for fit in found.fits} == set(ledger.fit_statuses())
        for fit in found.fits:
            stored_fit = ledger.fit_result(fit.job.key)
            assert fit.result.arrays["w"].tobytes() == stored_fit.arrays["w"].tobytes()
            assert (fit.result.info, fit.result.attributes) == (stored_fit.info, stored_fit.attributes)


@pytest.mark.parametrize(
    "array",
    [
        np.array([0.1, np.nan, -0.0, np.inf]), np.array([True, False]), np.zeros((0, 2), dtype=np.int64),
        np.arange(6, dtype=np.int16).reshape(2, 3), np.array([0.1], dtype=np.float32),
        np.array(2**64 - 1, dtype=np.uint64),
    ],
)  # fmt: skip
def test_a_series_of_any_type_and_shape_is_kept(tmp_path: Path, array: np.ndarray) -> None:
    columns, told = curve_columns("c", [None, array, np.array([1.5])])
    pl.DataFrame(list(columns.values())).write_parquet(tmp_path / "c.parquet")
    row = pl.read_parquet(tmp_path / "c.parquet").row(1, named=True)
    shape = row[told[0]["shape"]] if "shape" in told[0] else None
    again = read_curve(told[0], row[told[0]["column"]], shape)
    assert (again.dtype, again.shape, again.tobytes()) == (array.dtype, array.shape, array.tobytes())


def test_what_no_column_holds_is_refused() -> None:
    with pytest.raises(DataError, match="type bool"):
        scalar_columns("m", [True])
    with pytest.raises(DataError, match="64 bits"):
        scalar_columns("m", [2**70])
    with pytest.raises(DataError, match="type str"):
        curve_columns("c", [np.array(["a"])])


def test_only_the_new_method_runs_beside_the_baseline(tmp_path: Path, folder: Path, file: Path) -> None:
    log = tmp_path / "log"
    joined = join(_grid(["plain", "new"]), read_baseline(file), suite="toy", version=1)
    summary = run(joined.grid, toy(), tmp_path / "out", executor="serial", workers=1, joined=joined)
    assert (summary.counts.total, summary.counts.cached, summary.counts.done) == (18, 12, 6)
    table = frame(tmp_path / "out")
    assert set(table.filter(pl.col("method") == "new")["origin"]) == {"computed"}
    assert set(table.filter(pl.col("method") != "new")["origin"]) == {joined.baseline.digest}
    both = table.join(frame(folder), on="key", suffix="_there")
    assert len(both) == 12 and (both["value"] == both["value_there"]).all()
    assert not log.exists()
    again = run(joined.grid, toy(), tmp_path / "out", executor="serial", workers=1, joined=joined)
    assert again.counts.cached == 18
    # what was taken is no baseline of ours
    with Ledger.read(tmp_path / "out") as ledger:
        mine = read_baseline(write_baseline(ledger, tmp_path / "mine.parquet"))
    assert {cell.method.name for cell in mine.cells} == {"new"}


def test_fewer_seeds_and_tasks_take_what_pairs_with_them(file: Path) -> None:
    joined = join(_grid(["new"], tasks=("a",), seeds=2), read_baseline(file), suite="toy", version=1)
    assert {(c.task.name, c.seed) for c in joined.grid.cells} == {("a", 0), ("a", 1)}
    assert len(joined.places) == 4


def _of(kind: str, name: str, **part: Any) -> Any:
    def change(header: dict[str, Any]) -> None:
        next(entry for entry in header[kind] if entry["name"] == name)["part"].update(part)

    return change


def _platform(header: dict[str, Any]) -> None:
    for record in header["runs"].values():
        record["platform"]["versions"]["numpy"] = "1.26.4"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda h: h["suite"].update(version=2), "toy has version 2 in the baseline and 1 here"),
        (lambda h: h["suite"].update(name="other"), "suite is other in the baseline and toy here"),
        (lambda h: h.update(track_version="bench-toy/0"), "track is bench-toy/0 in the baseline and"),
        (lambda h: h.update(root=7), "root is 7 in the baseline and 0 here"),
        (lambda h: h["track"]["params"].update(size=9), "params.size is 9 in the baseline and 20 here"),
        (lambda h: h["metrics"][0].update(unit="s"), "metric value is not the same"),
        (_of("tasks", "a", scale=5), "task 'a': scale is 5 in the baseline and 1 here"),
        (_of("methods", "plain", do="x"), "method 'plain': do is 'x' in the baseline and 'plain' here"),
        (
            _of("methods", "fit", part={"kind": "selector", "name": "never", "version": "0", "params": {}}),
            "method 'fit': selector/never version 0 -> 1",
        ),
        (_platform, "numpy is 1.26.4 in the baseline and"),
        (lambda h: [r.pop("platform") for r in h["runs"].values()], "is not recorded in the baseline"),
    ],
)  # fmt: skip
def test_what_cannot_be_compared_is_refused_by_name(
    tmp_path: Path, file: Path, change: Any, said: str
) -> None:
    other = _changed(file, tmp_path / "other.parquet", change)
    with pytest.raises(ConfigError) as error:
        join(_grid(["plain", "new"]), other, suite="toy", version=1)
    assert said in error.value.message


def test_a_torn_or_foreign_file_is_refused(tmp_path: Path, file: Path) -> None:
    torn = tmp_path / "torn.parquet"
    torn.write_bytes(file.read_bytes()[:-200])
    with pytest.raises(DataError, match="is torn"):
        read_baseline(torn)
    pl.DataFrame({"a": [1]}).write_parquet(tmp_path / "foreign.parquet")
    with pytest.raises(DataError, match="no header of a baseline"):
        read_baseline(tmp_path / "foreign.parquet")
    with pytest.raises(DataError, match="no baseline at"):
        read_baseline(tmp_path / "none.parquet")
    with pytest.raises(DataError, match="format 9"):
        _changed(file, tmp_path / "later.parquet", lambda h: h.update(format=9))
    with pytest.raises(DataError, match="rows of 99 cells"):
        _changed(file, tmp_path / "short.parquet", lambda h: h.update(cells=99))
    with pytest.raises(DataError, match="no sound baseline"):
        _changed(file, tmp_path / "named.parquet", lambda h: h["tasks"].pop())


def test_a_grid_that_is_not_done_gives_no_baseline(tmp_path: Path) -> None:
    go(tmp_path, ["plain", "raise"], executor="serial", workers=1)
    with Ledger.read(tmp_path) as ledger, pytest.raises(ConfigError, match="are not done"):
        write_baseline(ledger, tmp_path / "b.parquet")


def test_the_published_file_is_found_by_a_variable(
    tmp_path: Path, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLOPSIM_BASELINES", str(tmp_path))
    with pytest.raises(ConfigError, match="no published baseline of toy"):
        baseline_path("published", "toy")
    (tmp_path / "toy").mkdir()
    (tmp_path / "toy" / "baseline.parquet").write_bytes(file.read_bytes())
    assert baseline_path("published", "toy") == tmp_path / "toy" / "baseline.parquet"
    assert baseline_path("x.parquet", "toy") == Path("x.parquet")


def test_published_files_lie_in_the_checkout_or_beside_an_installed_package(
    tmp_path: Path, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MLOPSIM_BASELINES", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setattr("mlopsim.bench.baseline.ROOT", tmp_path)
    places = tmp_path / "results" / "toy", tmp_path / "home/.local/share/mlopsim/baselines/toy"
    for place in places:
        place.mkdir(parents=True)
        (place / "baseline.parquet").write_bytes(file.read_bytes())
    # as in site-packages: what is called results there is nobody's checkout
    assert baseline_path("published", "toy").parent == places[1]
    (tmp_path / "pyproject.toml").touch()
    (tmp_path / "conf").mkdir()
    assert baseline_path("published", "toy").parent == places[0]


def test_a_changed_number_is_found_by_a_sample(tmp_path: Path, file: Path) -> None:
    plugin = [PLUGIN]
    sound = verify(read_baseline(file), sample=2, seed=1, plugins=plugin)
    assert sound.held and [report.identical for report in sound.reports] == [True, True]
    rows = pl.read_parquet(file)
    forged = tmp_path / "forged.parquet"
    rows.with_columns(pl.col("value") + 1e-6).write_parquet(forged, metadata=pl.read_parquet_metadata(file))
    found = verify(read_baseline(forged), sample=1, seed=1, plugins=plugin)
    assert not found.held and [item.name for item in found.broken[0].comparisons if not item.equal] == [
        "value"
    ]
    with pytest.raises(ConfigError, match="at least one"):
        verify(read_baseline(file), sample=0)


def test_a_submission_is_whole_and_agrees_with_what_is_published(tmp_path: Path, file: Path) -> None:
    go(tmp_path / "mine", ["plain", "new"], executor="serial", workers=1)
    with Ledger.read(tmp_path / "mine") as ledger:
        mine = write_baseline(ledger, tmp_path / "mine.parquet")
    published, rows, head = read_baseline(file), pl.read_parquet(mine), pl.read_parquet_metadata(mine)
    found = check_submission(read_baseline(mine), published)
    assert (found.methods, found.controls, found.problems) == (["new"], 6, [])

    def forged(name: str, frame: pl.DataFrame) -> list[str]:
        header = {**json.loads(head[HEADER]), "cells": len(frame)}
        frame.write_parquet(tmp_path / name, metadata={HEADER: json.dumps(header)})
        return check_submission(read_baseline(tmp_path / name), published).problems

    number = pl.when(pl.col("method") == "plain").then(pl.col("value") * 1.001).otherwise(pl.col("value"))
    assert "value is" in forged("number.parquet", rows.with_columns(value=number))[0]
    left_out = rows.filter(~((pl.col("method") == "new") & (pl.col("task") == "b") & (pl.col("seed") == 1)))
    assert forged("seed.parquet", left_out) == ["'new' lacks: b / seed 1"]
    nothing_new = rows.filter(pl.col("method") == "plain")
    assert forged("old.parquet", nothing_new) == ["it has no method that is not published already"]


def test_what_is_taken_in_stands_beside_what_was_published(tmp_path: Path, file: Path) -> None:
    go(tmp_path / "mine", ["new", "fit-new"], executor="serial", workers=1)
    with Ledger.read(tmp_path / "mine") as ledger:
        mine = read_baseline(write_baseline(ledger, tmp_path / "mine.parquet"))
    published = read_baseline(file)
    names = ["new", "fit-new"]
    target = write_union(published, mine, names, tmp_path / "all.parquet", standing="verified")
    found = read_baseline(target)
    # every cell of both, with its key, its numbers and its fits
    assert {c.key for c in found.cells} == {c.key for c in (*published.cells, *mine.cells)}
    assert {f.job.key for f in found.fits} == {f.job.key for f in (*published.fits, *mine.fits)}
    for part in (published, mine):
        places = {cell.key: place for place, cell in enumerate(found.cells)}
        again = found.outcomes([places[cell.key] for cell in part.cells])
        for (_, a, _), (_, b, _) in zip(again, part.outcomes(range(len(part.cells))), strict=True):
            assert (a.metrics, a.reasons, a.attributes) == (b.metrics, b.reasons, b.attributes)
            assert {n: c.tobytes() for n, c in a.curves.items()} == {
                n: c.tobytes() for n, c in b.curves.items()
            }
    # whose cells are whose is on the record, and shown where they are compared with
    joined = join(_grid(["other"]), found, suite="toy", version=1)
    run(joined.grid, toy(), tmp_path / "r", executor="serial", workers=1, joined=joined)
    with Ledger.read(tmp_path / "r") as ledger:
        marks = Marks.of(frame(tmp_path / "r"), ledger.runs())
    assert dict(marks.sources) == {
        "fit": "baseline", "plain": "baseline", "new": "verified", "fit-new": "verified",
        "other": "computed here",
    }  # fmt: skip
    assert verify(found, sample=2, seed=0, plugins=[PLUGIN]).held
    # nothing is overwritten but the published file itself
    before = target.read_bytes()
    with pytest.raises(ConfigError, match="exists"):
        write_union(published, mine, names, target, standing="submitted")
    assert target.read_bytes() == before
    with pytest.raises(ConfigError, match=r"no \.csv file"):
        write_union(published, mine, names, tmp_path / "all.csv", standing="submitted")
    with pytest.raises(ConfigError, match="is published already"):
        write_union(published, published, ["fit"], tmp_path / "b.parquet", standing="submitted")
