"""What a row of a leaderboard pools where something was swept."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from mlopsim.core.text import code_span

if TYPE_CHECKING:
    import polars as pl


def pooled_sweep(
    cells: pl.DataFrame,
    keys: Iterable[str],
    *,
    shown: Callable[[object], str] = code_span,
    subject: str = "Each row",
) -> str:
    """Return a sentence about swept keys over whose values rows pool; empty where none is pooled.

    Parameters
    ----------
    cells : polars.DataFrame
        With the swept keys as columns.
    keys : iterable of str
        The swept keys. One that makes methods of its values is pooled by no row.
    shown : callable
        How names are written: as code in reports.
    subject : str
        What pools.

    Examples
    --------
    >>> import polars as pl
    >>> cells = pl.DataFrame({"method": ["a", "a", "b"], "latency": [1, 2, None], "every": [5, 5, 9]})
    >>> pooled_sweep(cells, ["latency", "every"])
    'Each row pools the swept values of `latency`; the section Sweep of the report has each by itself.'
    >>> pooled_sweep(cells, ["every"])
    ''
    """
    import polars as pl

    present = [key for key in keys if key in cells.columns]
    if not present or not cells.height:
        return ""
    counts = cells.group_by("method").agg(pl.col(key).drop_nulls().n_unique() for key in present)
    pooled = [key for key in present if counts.select((pl.col(key) > 1).any()).item()]
    if not pooled:
        return ""
    names = " and ".join(map(shown, pooled))
    return f"{subject} pools the swept values of {names}; the section Sweep of the report has each by itself."
