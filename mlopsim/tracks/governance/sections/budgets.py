"""What tuning and training took."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from mlopsim.core.registry import register
from mlopsim.core.section import Results, SectionMaker
from mlopsim.core.track import Section


@register("section", "governance-budgets")
@dataclass(kw_only=True)
class GovernanceBudgets(SectionMaker):
    """Steps of the environment and seconds of the processor, by method."""

    track: ClassVar[str] = "governance"
    title: ClassVar[str] = "Budgets"
    order: ClassVar[float] = 80

    def make(self, results: Results) -> Section | None:
        """Tabulate both (nothing, if nothing was tuned or trained); the seconds are no result."""
        from mlopsim.tracks.fit_budgets import fit_budgets
        from mlopsim.tracks.governance.sections._shared import settings

        return fit_budgets(results.cells, settings(results).steps, self.title)
