"""Real streams through the file route, unchanged: needs the files, whose folder MLOPSIM_DATA names."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

FOLDER = os.environ.get("MLOPSIM_DATA", "")


@pytest.mark.slow
@pytest.mark.skipif(not FOLDER, reason="MLOPSIM_DATA names no folder with elec2, keystroke and adult")
@pytest.mark.parametrize("name", ["elec2", "keystroke", "adult"])
def test_a_real_stream_runs_unchanged(name: str, tmp_path: Path) -> None:
    path = Path(FOLDER) / f"{name}.csv.gz"
    assert path.is_file(), f"MLOPSIM_DATA has no {path.name}"
    words = [
        "bench",
        "suite=quick",
        "stream=file",
        f"stream.path={path}",
        "stream.label=label",
        "learner=tree",
    ]
    words += [
        "methods=never,periodic",
        f"results={tmp_path}/out",
        "workers=2",
        "seeds=1",
        "tasks=[{name: own}]",
    ]
    command = [sys.executable, "-m", "mlopsim.cli.main"]
    subprocess.run([*command, *words], check=True, capture_output=True)
    target = tmp_path / "out.parquet"
    subprocess.run([*command, "export", f"{tmp_path}/out", str(target)], check=True, capture_output=True)
    table = pl.read_parquet(target)
    assert set(table["status"]) == {"done"}
    assert table["return"].is_finite().all()
    accuracy = dict(table.select("method", "accuracy").iter_rows())
    assert 0.3 < accuracy["never"] < 1.0 and 0.3 < accuracy["periodic"] < 1.0
