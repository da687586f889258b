"""The heads of the records of all deployments of a table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlopsim.core.track import Section

if TYPE_CHECKING:
    import polars as pl


def record_heads(cells: pl.DataFrame, title: str) -> Section | None:
    """Tabulate number of records and both roots, by cell; None where no cell has any."""
    import polars as pl

    from mlopsim.governance.record.heads import FACTS

    names = list(FACTS.values())
    if not set(names) <= set(cells.columns):
        return None
    table = cells.filter(pl.col(names[0]).is_not_null()).select("key", "task", "method", "seed", *names)
    if table.is_empty():
        return None
    text = (
        "The record of each deployment says what served in each window, what was decided and on what. It "
        "is derived by replay (`mlopsim audit-log`), and these are its heads: number of records, root of "
        "the decisions (the same on every platform) and of the evidence (on one platform). A record that "
        "does not go on from them is another one; a page that was given away can be compared with the "
        "ledger."
    )
    return Section(title=title, text=text, table=table)
