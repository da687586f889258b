"""What tables and pages say of cells that were taken from a baseline."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlopsim.bench.schema import COMPUTED

if TYPE_CHECKING:
    import polars as pl

#: column of a leaderboard that says where the numbers of a row come from
COLUMN = "from"
HERE, TAKEN, BOTH = "computed here", "baseline", "both"


def origins(cells: pl.DataFrame) -> dict[str, str]:
    """Return where the finished cells of each method come from, if any come from a baseline; else nothing.

    Examples
    --------
    >>> import polars as pl
    >>> origins(pl.DataFrame({"method": ["a", "b", "b"], "origin": ["0f", "0f", "computed"]}))
    {'a': 'baseline', 'b': 'both'}
    >>> origins(pl.DataFrame({"method": ["a"], "origin": ["computed"]}))
    {}
    """
    found: dict[str, set[bool]] = {}
    for method, origin in cells.select("method", "origin").drop_nulls().unique().sort("method").iter_rows():
        found.setdefault(method, set()).add(origin != COMPUTED)
    if not any(True in several for several in found.values()):
        return {}
    return {
        method: BOTH if len(several) == 2 else TAKEN if True in several else HERE
        for method, several in found.items()
    }


def marked(board: pl.DataFrame, cells: pl.DataFrame) -> pl.DataFrame:
    """Return a leaderboard with a column ``from`` after the method where cells come from a baseline.

    Examples
    --------
    >>> import polars as pl
    >>> cells = pl.DataFrame({"method": ["a", "b"], "origin": ["0f", "computed"]})
    >>> marked(pl.DataFrame({"method": ["b", "a"], "score": [2.0, 1.0]}), cells)["from"].to_list()
    ['computed here', 'baseline']
    """
    import polars as pl

    found = origins(cells)
    if not found or "method" not in board.columns:
        return board
    column = pl.Series(COLUMN, [found.get(name) for name in board["method"].to_list()], dtype=pl.String)
    return board.insert_column(board.columns.index("method") + 1, column)


def baseline_notes(cells: pl.DataFrame) -> list[str]:
    """Return what a page says of cells from baselines: how many of which file and which methods.

    Examples
    --------
    >>> import polars as pl
    >>> baseline_notes(pl.DataFrame({"method": ["a", "b"], "origin": ["0f", "computed"]}))
    ['1 of 2 finished cells were not computed here but taken from the baseline file 0f: a.']
    """
    done = cells.select("method", "origin").drop_nulls()
    said = []
    for origin in sorted(set(done["origin"].to_list()) - {COMPUTED}):
        taken = done.filter(done["origin"] == origin)
        methods = ", ".join(dict.fromkeys(taken["method"].to_list()))
        said.append(
            f"{len(taken)} of {len(done)} finished cells were not computed here but taken from the baseline "
            f"file {origin}: {methods}."
        )
    return said
