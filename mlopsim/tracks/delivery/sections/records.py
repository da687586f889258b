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
        from mlopsim.tracks.record_heads import record_heads

        return record_heads(results.cells, self.title)
