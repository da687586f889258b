"""The heads of the records of all deployments."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from mlopsim.core.registry import register
from mlopsim.core.section import Results, SectionMaker
from mlopsim.core.track import Section


@register("section", "delivery-records")
@dataclass(kw_only=True)
class DeliveryRecords(SectionMaker):
    """Number of records and both roots, by cell."""

    track: ClassVar[str] = "delivery"
    title: ClassVar[str] = "Records"
    order: ClassVar[float] = 90

    def make(self, results: Results) -> Section | None:
        """Tabulate them (nothing, if no cell has any)."""
        import polars as pl

        from mlopsim.governance.record.heads import FACTS

        cells = results.cells
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
        return Section(title=self.title, text=text, table=table)
