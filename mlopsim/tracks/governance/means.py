"""The leaderboard of the governance track: means over tasks and scenarios."""

from __future__ import annotations

from typing import Any

import polars as pl

from mlopsim.stats.table import best_first, interval_columns
from mlopsim.tracks.cell_table import axes_of, done, fact_columns, mean_of
from mlopsim.tracks.governance.arms import PARTS

#: metrics of the table, in its order
MEANS = (
    *("return", "accuracy", "cost", "over", "out", "longest", "suspended", "retrains", "switches"),
    *("rollbacks", "denied", "refused", "alarms"),
)
#: attributes of methods
FACTS = ("family", "role", "reads", "needs", "known", *PARTS)


def leaderboard(table: pl.DataFrame) -> pl.DataFrame:
    """Aggregate the cell table to one row a method, the largest return first.

    Returns
    -------
    polars.DataFrame
        method, the means of :data:`MEANS` over tasks and scenarios, each with ``_low``, ``_high``, ``_n``,
        ``_reason``; ``cells``: done; the attributes :data:`FACTS`.
    """
    _, tasks = axes_of(table)
    methods = list(dict.fromkeys(table["method"].to_list()))
    columns: dict[str, Any] = {"method": methods}
    for name in MEANS:
        columns |= interval_columns(name, [mean_of(table, method, name, tasks) for method in methods])
    counts = dict(done(table).group_by("method").len().iter_rows())
    columns["cells"] = [int(counts.get(method, 0)) for method in methods]
    columns |= fact_columns(table, methods, FACTS)
    return best_first(pl.DataFrame(columns), "return", "max")
