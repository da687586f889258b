"""``mlopsim diff``: which numbers differ, each with its cause, and an exit status."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from cli_kit import Bench, mlopsim

from mlopsim.bench.diff import diff
from mlopsim.bench.grid import Grid
from mlopsim.bench.ledger import Ledger, Provenance
from mlopsim.core.track import Cell, Method, Metric, Outcome, Task

RECORD = {
    "git": "1" * 40,
    "code": {"drift": "0f", "world": "1e"},
    "versions": {"mlopsim": "0.2", "numpy": "2.4"},
    "platform": {"cpu": ["avx2"], "machine": "x86_64"},
}
ARM = {"cpu": ["avx2"], "machine": "arm64"}
OTHER = {"drift": "1f", "world": "1e"}


def results(
    folder: Path,
    values: tuple[float | None, ...] = (1.0, 2.0),
    every: int = 5,
    version: str = "1",
    record: dict[str, Any] | None = None,
    method: str = "periodic",
) -> Path:
    """Results of a toy suite: a value a seed, None for a cell that failed."""
    task = Task(name="t", part={"windows": 10})
    part = {"kind": "selector", "name": "periodic", "version": version, "params": {"every": every}}
    cells = [
        Cell(track="track/x", task=task, method=Method(name=method, part=part), seed=seed)
        for seed in range(len(values))
    ]
    metric = Metric(name="ns", unit="", direction="max", primary=True, text="score")
    grid = Grid(title="toy-v1", track={"name": "x"}, metrics=(metric,), cells=tuple(cells))
    with Ledger.open(folder) as ledger:
        ledger.register(grid)
        run = ledger.begin_run(grid.digest, record or RECORD)
        for cell, value in zip(cells, values, strict=True):
            if value is None:
                ledger.record_failure(cell.key, "failed", "boom", Provenance(run=run))
            else:
                ledger.record_cell(cell.key, Outcome(metrics={"ns": value}), Provenance(run=run))
        ledger.end_run(run, "finished")
    return folder


def test_equal_results_are_equal_wherever_they_were_made(tmp_path: Path) -> None:
    a, b = results(tmp_path / "a"), results(tmp_path / "b")
    ended = mlopsim("diff", a, b)
    assert ended.code == 0 and ended.out.splitlines()[-1] == "equal"
    other = results(
        tmp_path / "c", record={**RECORD, "code": {"drift": "1f", "world": "1e"}, "git": "2" * 40}
    )
    ended = mlopsim("diff", a, other)
    assert ended.code == 0
    assert "changed no number of some cells: code: drift (1111111111 → 2222222222)" in ended.out


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"every": 7}, "config: method.params.every 5 → 7"),
        ({"version": "2"}, "version: method.version 1 → 2"),
        ({"record": {**RECORD, "code": OTHER}}, "code: drift (1111111111 → 1111111111)"),
        (
            {"record": {**RECORD, "versions": {"mlopsim": "0.2", "numpy": "2.3"}}},
            "libraries: numpy 2.4 → 2.3",
        ),
        ({"record": {**RECORD, "platform": ARM}}, "platform: machine x86_64 → arm64"),
        ({}, None),
    ],
)
def test_each_cause_is_named(changed: dict[str, Any], why: str | None, tmp_path: Path) -> None:
    a, b = results(tmp_path / "a"), results(tmp_path / "b", (1.0, 2.5), **changed)
    ended = mlopsim("diff", a, b, "--json")
    assert ended.code == 1
    told = json.loads(ended.out)
    (row,) = told["differences"]
    assert (row["method"], row["number"], row["cells"], row["of"]) == ("periodic", "ns", 1, 2)
    assert row["largest"] == pytest.approx(0.2) and row["example"] == "t / seed 1"
    assert told["equal"] == 1 and not told["same"]
    if why is None:
        assert row["why"] == []
        shown = mlopsim("diff", a, b).out
        assert "nothing that is recorded differs" in shown and "a promise seems broken" in shown
    else:
        assert row["why"] == [why]


def test_what_failed_and_what_is_missing_differ(tmp_path: Path) -> None:
    a, b = results(tmp_path / "a", (1.0, None, 3.0)), results(tmp_path / "b", (1.0, 2.0))
    ended = mlopsim("diff", a, b)
    assert ended.code == 1 and "only in A: 1 cells: periodic 1" in ended.out
    with Ledger.read(a) as one, Ledger.read(b) as other:
        found = diff(one, other)
    assert {row.number for row in found.differences} == {"status", "ns"} and found.only[1].total() == 0
    other_names = results(tmp_path / "c", method="ks")
    with Ledger.read(b) as one, Ledger.read(other_names) as other:
        found = diff(one, other)
    assert found.compared == 0 and not found.same and found.only[0] == {"periodic": 2}


def test_a_real_run_equals_itself(done: Bench) -> None:
    ended = mlopsim("diff", done.results, done.results)
    assert ended.code == 0 and "6 cells in both, 6 of them equal" in ended.out


def test_what_is_no_results_folder_is_refused(done: Bench) -> None:
    ended = mlopsim("diff", done.results, "nowhere")
    assert ended.code == 2 and "no ledger in nowhere" in ended.err and "remedy: " in ended.err
    ended = mlopsim("diff", done.results, done.results, "--other-grid", "zz")
    assert ended.code == 2 and "begins with 'zz'" in ended.err
