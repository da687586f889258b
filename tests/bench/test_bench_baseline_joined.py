"""Cells of a baseline in a ledger: shards, merging, mending, series that are published, and by which code."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from bench_kit import PLUGIN, frame, go, suite, toy

from mlopsim.bench import made_by
from mlopsim.bench.baseline import read_baseline
from mlopsim.bench.baseline_match import Joined, join
from mlopsim.bench.baseline_verify import verify
from mlopsim.bench.baseline_write import write_baseline
from mlopsim.bench.grid import expand
from mlopsim.bench.ledger import Ledger
from mlopsim.bench.merge import merge
from mlopsim.bench.numbers import numbers
from mlopsim.bench.repair import repair
from mlopsim.bench.rerun import rerun
from mlopsim.bench.runner import run
from mlopsim.compose.folder_status import standing
from mlopsim.core.errors import ConfigError
from mlopsim.core.registry import find


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("joined")
    go(place, ["plain", "fit"], executor="serial", workers=1)
    return place


def _written(folder: Path, target: Path) -> Path:
    with Ledger.read(folder) as ledger:
        return write_baseline(ledger, target)


def _joined(file: Path, methods: Any = ("new",)) -> Joined:
    return join(expand(suite(toy(), methods), toy()), read_baseline(file), suite="toy", version=1)


def _numbers(folder: Path) -> pl.DataFrame:
    with Ledger.read(folder) as ledger:
        return numbers(ledger)


def test_shards_beside_a_baseline_merge_to_what_one_run_gives(tmp_path: Path, folder: Path) -> None:
    joined = _joined(_written(folder, tmp_path / "b.parquet"), ["new", "fit-new"])
    one, many = tmp_path / "one", [tmp_path / f"{n}-of-3" for n in (1, 2, 3)]
    run(joined.grid, toy(), one, executor="serial", workers=1, joined=joined)
    for number, place in enumerate(many, start=1):
        held = run(
            joined.grid, toy(), place, executor="serial", workers=1, joined=joined, shard=f"{number}/3"
        )
        # those of the baseline that are dealt to it and no others
        assert held.complete and held.counts.total == len(frame(place).filter(pl.col("status") == "done"))
    merged = merge(many, tmp_path / "all")
    assert merged.complete and merged.by_status == {"done": 24}
    assert _numbers(tmp_path / "all").equals(_numbers(one))
    taken = frame(tmp_path / "all").filter(pl.col("origin") != "computed")
    assert set(taken["method"]) == {"plain", "fit"} and len(taken) == 12
    again = merge([*many, one], tmp_path / "all")
    assert again.added == 0 and again.complete


def test_what_was_taken_is_counted_and_its_runs_are_no_runs_of_here(tmp_path: Path, folder: Path) -> None:
    file = _written(folder, tmp_path / "b.parquet")
    joined = _joined(file)
    run(joined.grid, toy(), tmp_path / "r", executor="serial", workers=1, joined=joined)
    found = standing(tmp_path / "r")
    assert dict(found.taken) == {joined.baseline.digest: 12} and found.by_status == {"done": 18}
    assert found.last_run is not None and found.last_run["status"] == "finished"
    # a grid of which nothing was to be run has no run of its own
    old = _joined(file, ["plain"])
    run(old.grid, toy(), tmp_path / "old", executor="serial", workers=1, joined=old)
    assert standing(tmp_path / "old").last_run is None


def test_a_damaged_ledger_with_cells_of_a_baseline_is_mended(tmp_path: Path, folder: Path) -> None:
    joined = _joined(_written(folder, tmp_path / "b.parquet"))
    place = tmp_path / "r"
    run(joined.grid, toy(), place, executor="serial", workers=1, joined=joined)
    before = _numbers(place)
    taken = frame(place).filter(pl.col("origin") != "computed")["key"][0]
    with closing(sqlite3.connect(place / "ledger.sqlite", isolation_level=None)) as db:
        db.execute("UPDATE cell SET metrics='{}' WHERE key=?", (taken,))
    done = repair(place)
    assert done.lost_cells == 1 and done.kept["run"] == 2
    # what is lost is taken again, and nothing is run
    again = run(joined.grid, toy(), place, executor="serial", workers=1, joined=joined)
    assert again.counts.cached == 18 and _numbers(place).equals(before)


def test_fits_of_a_baseline_may_be_given(tmp_path: Path, folder: Path) -> None:
    joined = _joined(_written(folder, tmp_path / "b.parquet"), ["fit", "new"])
    run(joined.grid, toy(), tmp_path / "fits", executor="serial", joined=joined, fits_only=True, workers=1)
    log = tmp_path / "log"
    held = run(
        joined.grid, toy(), tmp_path / "r", executor="serial", workers=1, joined=joined,
        fits=tmp_path / "fits", shard="1/1",
    )  # fmt: skip
    assert held.complete and held.counts.done == 6 and not log.exists()


def test_cells_of_two_states_of_the_code_are_no_baseline(
    tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = tmp_path / "r"
    go(place, ["plain"], executor="serial", workers=1)
    monkeypatch.setattr(made_by, "proof", lambda: {"code of mlopsim/drift": "0f"})
    go(place, ["plain", "other"], executor="serial", workers=1)
    with pytest.raises(ConfigError, match="two states of the code: code of mlopsim/") as error:
        _written(place, tmp_path / "b.parquet")
    assert "in a new folder" in str(error.value) and not (tmp_path / "b.parquet").exists()
    monkeypatch.undo()
    # but what is beside a baseline of other code is one's own, and of one state
    joined = _joined(_written(folder, tmp_path / "b.parquet"), ["new", "fit-new"])
    monkeypatch.setattr(made_by, "proof", lambda: {"code of mlopsim/drift": "0f"})
    monkeypatch.setattr("mlopsim.bench.runner.code_of_here", made_by.code_of_here)
    run(joined.grid, toy(), tmp_path / "beside", executor="serial", workers=1, joined=joined)
    mine = read_baseline(_written(tmp_path / "beside", tmp_path / "mine.parquet"))
    assert set(mine.methods) == {"new", "fit-new"}


def test_a_track_names_the_series_that_are_published(
    tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = read_baseline(_written(folder, tmp_path / "whole.parquet"))
    assert {entry["name"] for entry in whole.header["curves"]} == {"row", "ids"}
    toy()
    monkeypatch.setattr(find("track", "bench-toy"), "compared_curves", ("ids",), raising=False)
    file = _written(folder, tmp_path / "b.parquet")
    assert {entry["name"] for entry in read_baseline(file).header["curves"]} == {"ids"}
    joined = _joined(file, ["new", "plain"])
    run(joined.grid, toy(), tmp_path / "r", executor="serial", workers=1, joined=joined)
    taken = frame(tmp_path / "r").filter(pl.col("method") == "plain")["key"][0]
    with Ledger.read(tmp_path / "r") as ledger:
        # the seals hold: the row names the series that it has
        assert set(ledger.curves(taken)) == {"ids"}
    # what is not published is not compared, and the promise holds
    assert rerun(tmp_path / "r", taken, plugins=[PLUGIN]).identical
    assert verify(read_baseline(file), sample=1, seed=0, plugins=[PLUGIN]).held
    # the same cell with all of its series takes the place of the published one
    with pytest.raises(ConfigError, match="different grids"):
        merge([tmp_path / "r", folder], tmp_path / "no")
    run(joined.grid, toy(), tmp_path / "own", executor="serial", workers=1)
    merged = merge([tmp_path / "r", tmp_path / "own"], tmp_path / "all")
    assert merged.complete and set(frame(tmp_path / "all")["origin"]) == {"computed"}
    with Ledger.read(tmp_path / "all") as ledger:
        assert set(ledger.curves(taken)) == {"row", "ids"}
