"""`kill -9` of the real command: no cell is lost, none computed twice, no worker lives on."""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import polars as pl
import psutil
import pytest

PROVENANCE = (
    *(
        "host",
        "seconds",
        "fit_seconds",
        "bundle",
        "attempts",
        "finished",
        "run",
        "fingerprint",
        "git",
        "versions",
    ),
)


def command(folder: Path, conf: Path) -> list[str]:
    words = ["bench", "suite=tiny", "seeds=150", "workers=2", f"results={folder}", "--no-report"]
    return [sys.executable, "-m", "mlopsim.cli.main", *words, "--conf", str(conf)]


def finished(folder: Path) -> dict[str, tuple[str, str]]:
    """Cells on record: when they ended, and how."""
    file = folder / "ledger.sqlite"
    if not file.is_file():
        return {}
    with sqlite3.connect(f"file:{file}?mode=ro", uri=True) as db:
        try:
            return {
                key: (at, status) for key, at, status in db.execute("SELECT key, finished, status FROM cell")
            }
        except sqlite3.OperationalError:
            return {}  # killed before the tables were made


def exported(folder: Path, target: Path) -> pl.DataFrame:
    words = [sys.executable, "-m", "mlopsim.cli.main", "export", str(folder), str(target)]
    subprocess.run(words, check=True, capture_output=True)
    frame = pl.read_parquet(target)
    return frame.select([name for name in frame.columns if name not in PROVENANCE])


@pytest.mark.slow
def test_five_kills_at_random_moments(bench, tmp_path):
    folder, conf = tmp_path / "killed", bench.conf
    rng = random.Random(20)
    before: dict[str, tuple[str, str]] = {}
    kills = 0
    while kills < 5:
        process = subprocess.Popen(
            command(folder, conf), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        # some kills while the command starts, most while cells come in
        deadline = time.monotonic() + 120
        while rng.random() < 0.97 and len(finished(folder)) <= len(before) and process.poll() is None:
            assert time.monotonic() < deadline, "no progress in two minutes"
            time.sleep(0.05)
        time.sleep(rng.uniform(0, 0.4))
        assert process.poll() is None, "the sweep ended before the fifth kill: give it more seeds"
        children = psutil.Process(process.pid).children(recursive=True)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        kills += 1
        _, alive = psutil.wait_procs(children, timeout=20)
        assert not alive, f"workers live on: {alive}"
        now = finished(folder)
        assert all(now.get(key) == value for key, value in before.items()), "a cell was lost or repeated"
        before = now
    subprocess.run(command(folder, conf), check=True, capture_output=True)
    end = finished(folder)
    assert all(end[key] == value for key, value in before.items())
    undisturbed = tmp_path / "undisturbed"
    subprocess.run(command(undisturbed, conf), check=True, capture_output=True)
    mine, other = (exported(f, tmp_path / f"{f.name}.parquet") for f in (folder, undisturbed))
    assert mine.equals(other) and set(mine["status"]) == {"done"}
