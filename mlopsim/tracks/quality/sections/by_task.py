"""What each gate recovers on each task."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from mlopsim.core.registry import register
from mlopsim.core.section import Results, SectionMaker, Unavailable
from mlopsim.core.track import Section


@register("section", "quality-by-task")
@dataclass(kw_only=True)
class QualityByTask(SectionMaker):
    """A heat map of methods and tasks in which something is lost."""

    track: ClassVar[str] = "quality"
    title: ClassVar[str] = "Recovered by task"
    order: ClassVar[float] = 30
    needs: ClassVar[tuple[str, ...]] = ("score",)

    def make(self, results: Results) -> Section:
        """Draw and tabulate the shares."""
        import numpy as np
        import polars as pl

        from mlopsim.plots.heatmap import heatmap
        from mlopsim.stats.table import interval_columns
        from mlopsim.tracks.cell_table import axes_of
        from mlopsim.tracks.quality.analysis import BASE, TOP, recovered
        from mlopsim.tracks.quality.sections._shared import board_methods, nothing_lost, tasks_with_losses

        tasks, methods = tasks_with_losses(results), board_methods(results, BASE, TOP)
        if not tasks:
            raise Unavailable(nothing_lost(results))
        cells = {(m, t): recovered(results.cells, m, [t]) for m in methods for t in tasks}
        seeds = len(axes_of(results.cells)[0])
        figure = heatmap(
            methods,
            tasks,
            np.array([[cells[m, t].value for t in tasks] for m in methods]),
            low=-1.0,
            high=1.0,
            middle=0.0,
            note=f"share recovered; {seeds} seeds a cell",
        )
        keys = [(m, t) for t in tasks for m in methods]
        frame = pl.DataFrame(
            {
                "task": [t for _, t in keys],
                "method": [m for m, _ in keys],
                **interval_columns("recovered", [cells[key] for key in keys]),
            }
        )
        return Section(
            title=self.title,
            text="Where something is lost: what each gate brings back.",
            table=frame,
            figures={"Recovered by task": figure},
        )
