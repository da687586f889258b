"""The same score on each task alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from mlopsim.core.registry import register
from mlopsim.core.section import Results, SectionMaker
from mlopsim.core.track import Section


@register("section", "delivery-tasks")
@dataclass(kw_only=True)
class DeliveryTasks(SectionMaker):
    """NS and regret by task and method."""

    track: ClassVar[str] = "delivery"
    title: ClassVar[str] = "Tasks"
    order: ClassVar[float] = 30
    needs: ClassVar[tuple[str, ...]] = ("return", "upper")

    def make(self, results: Results) -> Section | None:
        """Tabulate them; a single task is in the leaderboard already."""
        from mlopsim.tracks.cell_table import with_task_facts
        from mlopsim.tracks.delivery.analysis import TASK_FACTS, per_task

        if results.cells["task"].n_unique() < 2:
            return None
        text = (
            "The same score on each task alone, with the width of the oracle's bracket. "
            "A real stream is one series: its deployments start at "
            "several times (rolling origins), each with the initial version of its own start, and n counts "
            "these blocks. They overlap and follow one another, so the interval is Student's t with as many "
            "units as blocks lie apart, and says nothing about other streams (see the reason). "
            "`feedback`: whether the labels that train versions also score the stored ones (`full`), or only "
            "what serves is watched (`deployed`)."
        )
        table = with_task_facts(per_task(results.cells), results.cells, TASK_FACTS)
        return Section(title=self.title, text=text, table=table)
