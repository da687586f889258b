"""Rows without errors, for checks of what puts errors into them."""

from __future__ import annotations

import numpy as np

from mlopsim.streams.stream import Stream


def clean_stream() -> Stream:
    """Return 40 windows of 60 rows: three numeric, two categorical columns, missing values, two groups."""
    rng = np.random.default_rng(7)
    n = 2400
    X = np.column_stack([rng.normal(10.0, 2.0, size=(n, 3)), rng.integers(0, 4, size=(n, 2))])
    X[rng.random(n) < 0.03, 1] = np.nan
    return Stream(
        X=X,
        y=(X[:, 0] + rng.normal(size=n) > 10.0).astype(np.int64),
        g=rng.integers(0, 2, size=n),
        bounds=np.arange(41, dtype=np.int64) * 60,
        warmup=10,
        classes=("no", "yes"),
        features=("a", "b", "c", "d", "e"),
        groups=("u", "v"),
        categories={3: ("k", "l", "m", "n"), 4: ("r", "s", "t", "w")},
    )
