"""The paired difference in power of two audits."""

from __future__ import annotations

import polars as pl

from mlopsim.tracks.cell_table import mean_of
from mlopsim.tracks.comparison import by_task as tabulated
from mlopsim.tracks.comparison import comparison, mean_difference
from mlopsim.tracks.fairness.analysis import biased, methods_of, usual


def compare(table: pl.DataFrame, a: str, b: str) -> pl.DataFrame:
    """Return the power of a less that of b, by task in which something is wrong and over the usual ones.

    The others are the same deployments under other conditions, which the leaderboard leaves out, too
    (:func:`mlopsim.tracks.fairness.analysis.usual`).
    """
    wrong = biased(table)
    return comparison(wrong, usual(table, wrong), lambda tasks: mean_difference(table, a, b, "power", tasks))


def by_task(table: pl.DataFrame) -> pl.DataFrame:
    """Return the power of each method on each task in which something is wrong."""
    return tabulated(
        biased(table), methods_of(table), "power", lambda task, m: mean_of(table, m, "power", [task])
    )
