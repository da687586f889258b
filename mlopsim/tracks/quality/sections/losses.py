"""What the errors of each task cost without a gate."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from mlopsim.core.registry import register
from mlopsim.core.section import Results, SectionMaker
from mlopsim.core.track import Section


@register("section", "quality-losses")
@dataclass(kw_only=True)
class QualityLosses(SectionMaker):
    """One row a task with errors, the most costly first."""

    track: ClassVar[str] = "quality"
    title: ClassVar[str] = "What errors cost"
    order: ClassVar[float] = 20
    needs: ClassVar[tuple[str, ...]] = ("score", "recall")

    def make(self, results: Results) -> Section:
        """Tabulate the losses."""
        import polars as pl

        from mlopsim.stats.table import interval_columns
        from mlopsim.tracks.cell_table import with_task_facts
        from mlopsim.tracks.quality.analysis import TASK_FACTS, loss, with_errors
        from mlopsim.tracks.quality.sections._shared import tasks_with_losses

        tasks, lost = with_errors(results.cells), tasks_with_losses(results)
        found = [loss(results.cells, task) for task in tasks]
        counts = pl.Series("counts", [task in lost for task in tasks])
        frame = pl.DataFrame({"task": tasks, **interval_columns("loss", found), "counts": counts})
        frame = with_task_facts(frame, results.cells, TASK_FACTS)
        text = (
            "Accuracy of what serves on clean data less that without a gate. Where it does not count (see "
            "the leaderboard) there is nothing to recover, whatever a gate finds."
        )
        return Section(title=self.title, text=text, table=frame.sort("loss", descending=True))
