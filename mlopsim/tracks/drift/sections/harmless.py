"""Alarms on changes that need no answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from mlopsim.core.registry import register
from mlopsim.core.section import Results, SectionMaker
from mlopsim.core.track import Section


@register("section", "drift-harmless")
@dataclass(kw_only=True)
class Harmless(SectionMaker):
    """How often changes that leave the model's risk as it was are answered."""

    track: ClassVar[str] = "drift"
    title: ClassVar[str] = "Harmless changes"
    order: ClassVar[float] = 110.0
    needs: ClassVar[tuple[str, ...]] = ("role", "channel", "harmless_alarmed")

    def make(self, results: Results) -> Section | None:
        """Count them; nothing where no change is harmless."""
        from mlopsim.tracks.drift.analysis import harmless

        frame = harmless(results.cells)
        if not len(frame):
            return None
        text = (
            "Share of the changes of P(x) that leave the model's risk as it was, with an alarm in their "
            "window. A detector of inputs is right to see them and of no use to the deployment; what is left "
            "to chance is the share that the asked rate gives."
        )
        return Section(title=self.title, text=text, table=frame)
