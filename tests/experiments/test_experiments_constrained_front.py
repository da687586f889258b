"""The brackets of the constrained optimum, on a small scale."""

from __future__ import annotations

import sys
from pathlib import Path

import polars as pl
import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "experiments"))

import constrained_front  # noqa: E402


@pytest.mark.slow
def test_both_ends_of_the_front(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLOPSIM_CACHE", str(tmp_path / "cache"))
    stream = "{procedural: {schedules: [recurring], windows: 60}}"
    task = f"{{name: a floor, stream: {stream}, limits: [{{accuracy_floor: {{floor: 0.8}}}}]}}"
    alike = (
        task[:-1].replace("a floor", "one slot") + ", deployment: {slots: 1, fallback: null}, exact: true}"
    )
    small = ["scenarios=2", "counts=[1,3]", "rounds=4", f"tasks=[{task},{alike}]"]
    constrained_front.main([*small, "--results", str(tmp_path)])
    table, alone, front = (
        pl.read_csv(tmp_path / f"{name}.csv") for name in ("table", "deployments", "front_a_floor")
    )
    exact, table = table.filter(pl.col("solver") == "exact"), table.filter(pl.col("solver") == "bracket")
    # the first scenario alone has no cheaper plan than its best one: nothing to be cut in shares
    assert exact["scenarios"].to_list() == [1] + [3] * 5 and exact["share"][0] is None
    assert exact["reason"][0].startswith("no limit binds") and exact["between_found"][1:].all()
    assert (exact["bracket"] <= 1e-5).all() and (exact["pure"] >= exact["bracket"] - 1e-9).all()
    assert table["share"].to_list() == [0.1, 0.3, 0.5, 0.7, 0.9] and table["between"].all()
    assert (table["lower"] <= table["upper"]).all() and (table["baseline"] <= table["upper"]).all()
    assert table["price"].is_sorted(descending=True) and (table["bracket"] < 0.05).all()
    assert (alone["lower"] <= alone["upper"]).all()
    # who has to keep the limit alone cannot trade
    middle = table.filter(pl.col("share") == 0.5)
    assert alone["lower"][0] <= middle["upper"][0] + 1e-6
    assert front["upper"].is_sorted() and (tmp_path / "figure_a_floor.svg").exists()
