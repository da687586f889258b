"""A sweep in shards, as experiments/many_machines.py measures it, at a small size."""

import csv
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "experiments"))
import many_machines  # noqa: E402


@pytest.mark.slow
def test_shards_give_the_bytes_of_one_process(tmp_path: Path) -> None:
    many_machines.main(["seeds=[10,20]", "shards=3", "--results", str(tmp_path)])
    with (tmp_path / "table.csv").open(encoding="utf-8") as handle:
        rows = list(csv.DictReader(handle))
    assert [row["cells"] for row in rows] == ["100"] * 6 + ["200"] * 6
    whole = [row for row in rows if row["what"] == "one process instead"]
    assert all(row["note"].endswith("its numbers are the same bytes") for row in whole)
    again = [row["note"] for row in rows if row["what"] == "merge again"]
    assert again == ["0 new; nothing changed"] * 2
