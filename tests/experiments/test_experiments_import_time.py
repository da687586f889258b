"""The import-time experiment: what it writes, not how fast it was."""

from __future__ import annotations

import sys
from pathlib import Path

import polars as pl
import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "experiments"))

import import_time  # noqa: E402


def test_both_imports_are_measured_in_turns(tmp_path: Path) -> None:
    import_time.main(["repeats=1", "asked_more=100.0", "--results", str(tmp_path / "out")])
    table = pl.read_csv(tmp_path / "out" / "table.csv")
    rows = {row["name"]: row for row in table.iter_rows(named=True)}
    assert set(rows) == {"gymnasium", "mlopsim", "more"}
    more = rows["mlopsim"]["seconds"] - rows["gymnasium"]["seconds"]
    assert rows["more"]["seconds"] == pytest.approx(more, abs=1e-6)
    assert rows["more"]["met"] and rows["gymnasium"]["met"] is None
    assert 0.0 < rows["gymnasium"]["low"] <= rows["gymnasium"]["seconds"] <= rows["gymnasium"]["high"]
