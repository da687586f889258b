"""Which way the error goes in each task."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from mlopsim.core.registry import register
from mlopsim.core.section import Results, SectionMaker
from mlopsim.core.track import Section


@register("section", "drift-directions")
@dataclass(kw_only=True)
class Directions(SectionMaker):
    """Rises and falls of the error of a frozen model by task, as measured."""

    track: ClassVar[str] = "drift"
    title: ClassVar[str] = "Rises and falls"
    order: ClassVar[float] = 12.0
    needs: ClassVar[tuple[str, ...]] = ("direction", "rises", "falls")

    def make(self, results: Results) -> Section | None:
        """Count them; nothing where nothing harmful changes."""
        from mlopsim.tracks.drift.rises_falls import by_task

        frame = by_task(results.cells)
        if not len(frame):
            return None
        text = (
            "What the harmful changes of each task do to the error of the model that was trained on the "
            "warm-up "
            "and is left alone: measured in each scenario on the rows before and after each change, a "
            "difference of less than 1.96 standard errors counting as none. `rises` and `falls`: how many a "
            "scenario holds, mean over seeds. The leaderboard and all tables of delays are of rises; a task "
            "with falls only is in none of them."
        )
        return Section(title=self.title, text=text, table=frame)
