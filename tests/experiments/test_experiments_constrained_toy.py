"""The toy under a limit in short."""

from __future__ import annotations

import sys
from pathlib import Path

import polars as pl
import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "experiments"))

import constrained_toy  # noqa: E402


@pytest.mark.slow
def test_the_toy_writes_what_it_found(tmp_path: Path) -> None:
    small = ["steps=4000", "seeds=2", "sweep_seeds=1", "prices=[0.5,2.0]", "deployments=20"]
    constrained_toy.main([*small, "exact.updates=400", "--results", str(tmp_path)])
    table, sweep, seeds = (pl.read_csv(tmp_path / f"{name}.csv") for name in ("table", "sweep", "seeds"))
    assert table["steps"].max() <= 4000 and len(table) == 7 and len(seeds) == 2 * 7 + 2
    assert sweep["price"].to_list() == [0.5, 2.0]
    assert (tmp_path / "figure.svg").is_file() and (tmp_path / "config.yaml").is_file()
