"""What is missing in the results of a part of a grid, in words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from mlopsim.bench.shards import absent, of_runs
from mlopsim.core.text import code_span

if TYPE_CHECKING:
    import polars as pl

#: tasks and methods that are named before the rest is counted
SHOWN = 8


def missing_notes(cells: pl.DataFrame, runs: Iterable[Mapping[str, Any]], grid: str) -> list[str]:
    """Say how many cells have not run, of which tasks and methods, and which shards were not merged.

    Parameters
    ----------
    cells : polars.DataFrame
        From :func:`mlopsim.bench.table.table`.
    runs : iterable of mapping
        From :meth:`mlopsim.bench.ledger.Ledger.runs`.
    grid : str
        Digest of the grid.

    Returns
    -------
    list of str
        Nothing where every cell has run.
    """
    lost = cells.filter(cells["status"] == "missing")
    if lost.is_empty():
        return []
    said = [f"{len(lost)} of {len(cells)} cells have not run yet: the numbers are preliminary."]
    if shards := absent(of_runs(runs, grid)):
        said[0] = f"{said[0]} Not among what was merged: {shards}."
    for axis in ("task", "method"):
        whole = dict(cells[axis].value_counts().iter_rows())
        counts = lost[axis].value_counts(sort=True)
        # those of equal counts by name: the same page from the same cells
        rows = sorted(counts.iter_rows(), key=lambda row: (-row[1], row[0]))
        named = ", ".join(f"{code_span(name)} {count} of {whole[name]}" for name, count in rows[:SHOWN])
        more = f" and {len(rows) - SHOWN} more" if len(rows) > SHOWN else ""
        said.append(f"Missing by {axis} ({len(rows)} of {len(whole)}): {named}{more}.")
    return said
