"""A few kills of a running sweep, as experiments/kills.py does, and that what goes wrong is counted."""

from __future__ import annotations

import sqlite3
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import polars as pl
import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "experiments"))

import kills  # noqa: E402

SETTINGS = {"seed": 0, "kills_in_a_folder": 2}


@pytest.mark.slow
def test_kills_lose_repeat_and_change_nothing(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    words = ["folders=2", "kills_in_a_folder=3", "seeds=50", "at_once=2", "--results", str(tmp_path)]
    kills.main(words)
    *folders, total = pl.read_csv(tmp_path / "table.csv").iter_rows(named=True)
    assert len(folders) == 2 and total["kills"] == 6 and total["cells"] == 600
    assert not any(row[name] for row in [*folders, total] for name in kills.ASKED)
    assert "killed at random moments" in capfd.readouterr().out


def _step(place: Path, seals: dict[str, str], log: str) -> None:
    """Leave a folder as if a sweep had been there."""
    (place / "results").mkdir(exist_ok=True)
    with closing(sqlite3.connect(place / "results" / "ledger.sqlite")) as db, db:
        db.execute("CREATE TABLE IF NOT EXISTS cell (key TEXT, seal TEXT)")
        db.execute("DELETE FROM cell")
        db.executemany("INSERT INTO cell VALUES (?, ?)", list(seals.items()))
    with (place / "log").open("a") as handle:
        handle.writelines(f"cell {key}\n" for key in log)


@pytest.mark.parametrize(
    ("steps", "lost", "twice", "again"),
    [
        ([({"a": "1"}, "ab"), ({"a": "1", "b": "1"}, "b"), ({"a": "1", "b": "1", "c": "1"}, "c")], 0, 0, 1),
        ([({"a": "1", "b": "1"}, "ab"), ({"b": "1"}, ""), ({"a": "2", "b": "1"}, "a")], 1, 0, 1),
        ([({"a": "1"}, "a"), ({"a": "2"}, ""), ({"a": "2"}, "")], 1, 0, 0),
        ([({"a": "1"}, "a"), ({"a": "1"}, "a"), ({"a": "1"}, "a")], 0, 1, 2),
    ],
    ids=["only in flight", "gone", "changed", "repeated"],
)
def test_what_is_lost_or_repeated_is_counted(
    steps: list[tuple[dict[str, str], str]],
    lost: int,
    twice: int,
    again: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    left = iter(steps)

    def kill_once(settings: Any, place: Path, rng: Any) -> int:
        _step(place, *next(left))
        return 0

    monkeypatch.setattr(kills, "kill_once", kill_once)
    monkeypatch.setattr(kills, "to_the_end", lambda settings, place: _step(place, *next(left)))
    row = kills.disturbed(SETTINGS, tmp_path / "0", 0)
    assert (row["lost"], row["computed_twice"], row["in_flight_again"]) == (lost, twice, again)
