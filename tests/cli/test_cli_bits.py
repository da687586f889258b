"""The same bits for any number of workers, also on another BLAS core; a rerun finds them again."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from pathlib import Path

import numpy as np
import polars as pl
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
OTHER = {"OPENBLAS_CORETYPE": "Prescott", "NPY_DISABLE_CPU_FEATURES": "X86_V3"}
STREAM = "{synthetic: {windows: 16, rows: 20, warmup: 4}}"
METHODS = "[every_step,error_or_shift,linear,{ppo: {n_envs: 4, n_steps: 8, batch_size: 32, hidden: [8]}}]"
SETTINGS = [
    "delivery.steps=2000",
    "delivery.scenarios=4",
    f"delivery.train_stream={STREAM}",
    f"methods={METHODS}",
]


def run(folder: Path, conf: Path, cache: Path, environment: dict[str, str], *words: str) -> pl.DataFrame:
    """Run the suite through the real command with a cache of its own; return the exported cells."""
    env = {**os.environ, **environment, "MLOPSIM_CACHE": str(cache)}
    command = [sys.executable, "-m", "mlopsim.cli.main"]
    bench = [*command, "bench", "suite=tiny", "--no-report", f"results={folder}", "--conf", str(conf)]
    subprocess.run([*bench, *SETTINGS, *words], check=True, capture_output=True, env=env)
    target = folder.with_suffix(".parquet")
    subprocess.run([*command, "export", str(folder), str(target)], check=True, capture_output=True, env=env)
    return pl.read_parquet(target)


@pytest.mark.slow
def test_workers_and_platforms(bench, tmp_path):
    frames = {}
    for name, environment in (("here", {}), ("other", OTHER)):
        serial = run(tmp_path / f"{name}1", bench.conf, tmp_path / f"a{name}", environment, "executor=serial")
        pool = run(tmp_path / f"{name}2", bench.conf, tmp_path / f"b{name}", environment, "workers=2")
        columns = [column for column in serial.columns if column not in PROVENANCE]
        assert set(serial["status"]) == {"done"} and serial.select(columns).equals(pool.select(columns))
        assert serial["fingerprint"].to_list() == pool["fingerprint"].to_list()
        frames[name] = serial
    here, other = frames["here"], frames["other"]
    assert here["key"].to_list() == other["key"].to_list()
    for column in here.columns:
        if here.schema[column] == pl.Float64 and column not in PROVENANCE:
            np.testing.assert_allclose(
                here[column].to_numpy(), other[column].to_numpy(), rtol=1e-9, atol=1e-12
            )


@pytest.mark.slow
def test_rerun_of_twenty_cells_and_of_every_kind_of_fit(bench, tmp_path):
    from mlopsim.bench.rerun import rerun

    folder = tmp_path / "results"
    cells = run(folder, bench.conf, tmp_path / "cache", {}, "seeds=4")
    for key in random.Random(1).sample(cells["key"].to_list(), 20):
        report = rerun(folder, key)
        assert report.identical and report.promise == "bit-identical", report.text()
    for method in ("error_or_shift", "linear", "ppo"):
        key = cells.filter(pl.col("method").str.starts_with(method))["key"][0]
        report = rerun(folder, key, deep=True)
        assert report.identical, report.text()
