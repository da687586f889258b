"""A study beside a baseline: only the new method is run, and tables and page say what is not from here."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from mlopsim.bench.baseline_write import write_baseline
from mlopsim.bench.ledger import Ledger
from mlopsim.compose.study import Study
from mlopsim.core.errors import ConfigError

SMALL = {"synthetic": {"windows": 16, "rows": 20, "warmup": 4}}


def _study(methods: list[Any], **more: Any) -> Study:
    tasks = [{"stream": SMALL, "learner": "ridge"}]
    return Study(track={"delivery": {"steps": 0}}, tasks=tasks, methods=methods, seeds=2, **more)


def test_a_new_method_stands_beside_the_baseline_and_is_told_from_it(tmp_path: Path) -> None:
    whole = _study(["ks", {"periodic": {"every": 5}}])
    expected = whole.run(tmp_path / "whole", executor="serial", progress=False)
    _study(["ks"]).run(tmp_path / "old", executor="serial", progress=False)
    with Ledger.read(tmp_path / "old") as ledger:
        file = write_baseline(ledger, tmp_path / "old.parquet")
    study = _study([{"periodic": {"every": 5}}], baseline=file)
    assert {cell.key for cell in study.grid.cells} == {cell.key for cell in whole.grid.cells}
    found = study.run(tmp_path / "new", executor="serial", progress=False)
    assert found.summary is not None
    assert (found.summary.counts.cached, found.summary.counts.done) == (6, 2)
    # paired by seed: the same as if all had been run here
    board = found.leaderboard
    assert board.drop("from").sort("method").equals(expected.leaderboard.sort("method"), null_equal=True)
    told = dict(board.select("method", "from").iter_rows())
    assert told == {
        "never": "baseline", "oracle": "baseline", "ks": "baseline", "periodic(every=5)": "computed here",
    }  # fmt: skip
    page = found.report().read_text(encoding="utf-8")
    assert "6 of 8 finished cells were not computed here but taken from the baseline file" in page
    with pytest.raises(ConfigError, match="not of a sweep"):
        study.sweep("deployment.latency", [1, 2])
