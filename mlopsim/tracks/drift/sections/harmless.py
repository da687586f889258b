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
    """How often changes that are declared harmless are answered, by what they do to the error."""

    track: ClassVar[str] = "drift"
    title: ClassVar[str] = "Harmless changes"
    order: ClassVar[float] = 110.0
    needs: ClassVar[tuple[str, ...]] = ("role", "channel", "harmless_alarmed")

    def make(self, results: Results) -> Section | None:
        """Count them; nothing where no change is harmless."""
        from mlopsim.tracks.drift.harmless_changes import harmless

        frame = harmless(results.cells)
        if not len(frame):
            return None
        text = (
            "Share of the changes that a task declares to need no answer (changes of P(x), say) with an "
            "alarm in that part of their window that belongs to no other change. What such a change does to "
            "the error of the model is measured and not assumed: `harmless_risk` is the error rate after "
            "less that before, and tasks in which the error rises, falls, or is not seen to change (the 95 % "
            "interval over seeds holds 0) stand apart. A detector of inputs is right to see any of them; "
            "only where no change of the error is seen is it of no use to the deployment. An alarm on a fall "
            "asks for a retrain of a model that has become better. What is left to chance is the share that "
            "the asked rate gives."
        )
        return Section(title=self.title, text=text, table=frame)
