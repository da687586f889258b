"""A clock that is set back changes no order: what was used last is what is shown."""

from __future__ import annotations

from pathlib import Path

import pytest
from bench_kit import suite, toy

from mlopsim.bench import members, provenance
from mlopsim.bench.grid import expand
from mlopsim.bench.ledger import Ledger


def test_the_order_of_grids_and_runs_does_not_hang_on_the_clock(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    track = toy()
    grids = [expand(suite(track, [name], seeds=1), track) for name in ("plain", "fitted")]
    times = iter(["2030-01-01T00:00:00.000+00:00", "2020-01-01T00:00:00.000+00:00"] + 9 * ["2010-01-01"])
    monkeypatch.setattr(provenance, "now", lambda: next(times))
    assert members.after is provenance.after
    with Ledger.open(tmp_path) as ledger:
        for number, grid in enumerate((*grids, grids[0], grids[1])):
            ledger.register(grid)
            assert ledger.grid()["digest"] == grid.digest, number
        stamps = ["2030-01-01", "2029-01-01", "2031-01-01"]
        monkeypatch.setattr("mlopsim.bench.ledger.now", lambda: stamps[0])
        for number in range(3):
            ledger.end_run(ledger.begin_run(grids[0].digest, {"number": number}), "finished")
            stamps.pop(0) if len(stamps) > 1 else None
        assert [run["record"]["number"] for run in ledger.runs()] == [0, 1, 2]
