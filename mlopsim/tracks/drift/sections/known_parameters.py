"""Detectors on laws that are known beforehand."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from mlopsim.core.registry import register
from mlopsim.core.section import Results, SectionMaker
from mlopsim.core.track import Section
from mlopsim.tracks.drift.realised_alarms import WORDS


@register("section", "drift-known-parameters")
@dataclass(kw_only=True)
class KnownParameters(SectionMaker):
    """Everything on the tasks in which parameters can be known, those that know the same together."""

    track: ClassVar[str] = "drift"
    title: ClassVar[str] = "Known parameters"
    order: ClassVar[float] = 30.0
    needs: ClassVar[tuple[str, ...]] = ("role", "known", "restricted_delay")

    def make(self, results: Results) -> Section | None:
        """Compare them; nothing where no method knows anything."""
        from mlopsim.tracks.drift.analysis import known_parameters

        frame = known_parameters(results.cells)
        if not len(frame):
            return None
        text = (
            "On independent ticks whose laws are known, ranked within what a detector **knows** beforehand: "
            "p0 is the law before the change (its in-control parameters), p0 and p1 are the laws before and "
            "after it. Means are comparable where the tasks are the same.\n\n"
            f"{WORDS}"
        )
        return Section(title=self.title, text=text, table=frame)
