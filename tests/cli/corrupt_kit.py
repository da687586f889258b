"""What the tests of ``mlopsim corrupt`` share: a small file, and the command on it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from cli_kit import Ended, mlopsim

N = 640


def data(folder: Path, name: str = "rows.csv", n: int = N, **changes: Any) -> Path:
    """Thirty-two windows of 20 rows, two numeric and two categorical columns, numbers as labels."""
    rng = np.random.default_rng(5)
    frame = pl.DataFrame(
        {
            "size": [f"{value:.2f}" for value in rng.normal(50.0, 10.0, n)],
            "count": rng.integers(100, 999, n).astype(str),
            "job": [("cook", "nurse", "clerk")[int(i)] for i in rng.integers(0, 3, n)],
            "sex": [("F", "M")[int(i)] for i in rng.integers(0, 2, n)],
            "label": [str(int(i)) for i in rng.integers(0, 2, n)],
        }
    ).with_columns(**changes)
    path = folder / name
    if name.endswith(".parquet"):
        frame.write_parquet(path)
    else:
        frame.write_csv(path)
    return path


def corrupt(path: Path, out: Path | str, *words: str) -> Ended:
    """Run the command in windows of 20 rows, if nothing else is said."""
    rows = () if "--rows" in words else ("--rows", "20")
    return mlopsim("corrupt", path, "--out", path.parent / out, *rows, *words)
