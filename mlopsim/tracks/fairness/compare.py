"""The paired difference in power of two audits."""

from __future__ import annotations

import polars as pl

from mlopsim.tracks.comparison import comparison, mean_difference
from mlopsim.tracks.fairness.analysis import biased


def compare(table: pl.DataFrame, a: str, b: str) -> pl.DataFrame:
    """Return the power of a less that of b, by task and over the tasks in which something is wrong."""
    wrong = biased(table)
    return comparison(wrong, wrong, lambda tasks: mean_difference(table, a, b, "power", tasks))
