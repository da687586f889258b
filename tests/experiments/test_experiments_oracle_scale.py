"""The bracket as it was and as it is, and a pool, on a few short scenarios."""

from __future__ import annotations

import sys
from pathlib import Path

import polars as pl
import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "experiments"))

import oracle_scale  # noqa: E402


@pytest.mark.slow
def test_brackets_are_no_wider_than_they_were(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLOPSIM_CACHE", str(tmp_path / "cache"))
    small = ["lengths=[{windows: 60, scenarios: 2}]", "programs=[60]", "pool_scenarios=3", "pool_envs=4"]
    oracle_scale.main([*small, "pool_steps=5", "--results", str(tmp_path)])
    table, programs, pool = (pl.read_csv(tmp_path / f"{name}.csv") for name in ("table", "programs", "pool"))
    assert (table["bracket"] <= table["bracket_before"] + 1e-9).all()
    assert table.filter(pl.col("deployment") == "K = 2")["exact"].to_list() == [2]
    assert programs["dual_less_program"].abs().max() < 0.01
    # 120 windows, 10 of them before: 6,216 cells of 40 bytes each
    assert pool["note"][0] == f"{3 * 6216 * 40:,} bytes of tables" and pool["met"].all()
