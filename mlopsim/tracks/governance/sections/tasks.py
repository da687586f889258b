"""Each method on each task alone, with the limits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from mlopsim.core.registry import register
from mlopsim.core.section import Results, SectionMaker
from mlopsim.core.track import Section


@register("section", "governance-tasks")
@dataclass(kw_only=True)
class GovernanceTasks(SectionMaker):
    """Front score, return, cost and every limit, by task and method."""

    track: ClassVar[str] = "governance"
    title: ClassVar[str] = "Tasks"
    order: ClassVar[float] = 20
    needs: ClassVar[tuple[str, ...]] = ("return", "cost")

    def make(self, results: Results) -> Section:
        """Tabulate them."""
        from mlopsim.tracks.cell_table import with_task_facts
        from mlopsim.tracks.governance.analysis import TASK_FACTS, per_task

        table = per_task(results.cells, results.curves)
        text = (
            "One row a task, method and limit. `spent` is what the limit is on: the mean cost of a window; "
            "of limits on each window or on the longest run (`on`), the share of deployments that broke it. "
            "`met`: the upper end of its 95 % interval is at most the limit (no deployment broke it); "
            "`beyond`: by how much it is not. No fit aims at the limits of one family: see *Limits over the "
            "mixture*."
        )
        return Section(title=self.title, text=text, table=with_task_facts(table, results.cells, TASK_FACTS))
