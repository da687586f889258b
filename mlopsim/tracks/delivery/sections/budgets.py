"""What tuning and training took."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from mlopsim.core.registry import register
from mlopsim.core.section import Results, SectionMaker
from mlopsim.core.track import Section


@register("section", "delivery-budgets")
@dataclass(kw_only=True)
class DeliveryBudgets(SectionMaker):
    """Steps of the environment and seconds of the processor, by method."""

    track: ClassVar[str] = "delivery"
    title: ClassVar[str] = "Budgets"
    order: ClassVar[float] = 60

    def make(self, results: Results) -> Section | None:
        """Tabulate both (nothing, if nothing was tuned or trained); the seconds are no result."""
        from mlopsim.tracks.delivery.sections._shared import settings
        from mlopsim.tracks.fit_budgets import fit_budgets

        return fit_budgets(results.cells, settings(results).steps, self.title)
