"""Means by task."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from mlopsim.core.registry import register
from mlopsim.core.section import Results, SectionMaker
from mlopsim.core.track import Section


@register("section", "drift-tasks")
@dataclass(kw_only=True)
class Tasks(SectionMaker):
    """The main metrics of each method on each task."""

    track: ClassVar[str] = "drift"
    title: ClassVar[str] = "Tasks"
    order: ClassVar[float] = 130.0
    needs: ClassVar[tuple[str, ...]] = ("restricted_delay",)

    def make(self, results: Results) -> Section:
        """List them."""
        from mlopsim.tracks.drift.analysis import per_task

        text = "Means over seeds by task; n: seeds. `channel`: what the method read there."
        return Section(title=self.title, text=text, table=per_task(results.cells))
