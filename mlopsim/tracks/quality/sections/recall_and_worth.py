"""Whether finding more errors means gaining more."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from mlopsim.core.registry import register
from mlopsim.core.section import Results, SectionMaker, Unavailable
from mlopsim.core.track import Section

if TYPE_CHECKING:
    import polars as pl
    from matplotlib.figure import Figure


@register("section", "quality-recall-and-worth")
@dataclass(kw_only=True)
class QualityRecallAndWorth(SectionMaker):
    """Recall of the wrong rows beside what is recovered, and where the two disagree."""

    track: ClassVar[str] = "quality"
    title: ClassVar[str] = "Recall and worth"
    order: ClassVar[float] = 50
    needs: ClassVar[tuple[str, ...]] = ("recall", "score", "role", "stage", "action", "known")

    def make(self, results: Results) -> Section:
        """Draw and tabulate both, and name the clearest disagreement."""
        import polars as pl

        from mlopsim.stats.table import interval_columns
        from mlopsim.tracks.cell_table import mean_of
        from mlopsim.tracks.quality.analysis import BASE, TOP, cleaning, disagreements, recovered
        from mlopsim.tracks.quality.sections._shared import board_methods, nothing_lost, tasks_with_losses

        tasks = tasks_with_losses(results)
        if not tasks:
            raise Unavailable(nothing_lost(results))
        rows = []
        for task in tasks:
            for method in board_methods(results, BASE, TOP):
                recall = mean_of(results.cells, method, "recall", [task])
                worth = recovered(results.cells, method, [task])
                if math.isfinite(recall.value) and math.isfinite(worth.value):
                    rows.append((task, method, recall, worth))
        if len(rows) < 2:
            raise Unavailable("fewer than two gates have both a recall and a share recovered")
        changing = set(cleaning(results.cells))
        shown = [method for method in board_methods(results) if method in changing]
        frame = pl.DataFrame(
            {
                "task": [row[0] for row in rows],
                "method": [row[1] for row in rows],
                **interval_columns("recall", [row[2] for row in rows]),
                **interval_columns("recovered", [row[3] for row in rows]),
            }
        )
        against = disagreements([row for row in rows if row[1] in changing])
        text = (
            "Finding errors is not yet a gain: recall of the wrong rows beside what is recovered. Pairs of "
            "gates that drop or repair rows and whose intervals order them one way by recall and the other "
            f"way by worth on a task: {len(against)}"
        )
        text += f"; the clearest: {against[0].text}." if against else "."
        figure = _scatter(results.cells, shown, tasks)
        return Section(title=self.title, text=text, table=frame, figures={"Recall and worth": figure})


def _scatter(table: pl.DataFrame, methods: list[str], tasks: list[str]) -> Figure:
    """Draw gates at the stages where rows are dropped or repaired."""
    from mlopsim.plots.style import marks_for
    from mlopsim.plots.tradeoff import tradeoff
    from mlopsim.tracks.cell_table import axes_of, mean_of
    from mlopsim.tracks.quality.analysis import recovered

    known, recalls, shares = [], [], []
    for method in methods:
        recall, share = mean_of(table, method, "recall", tasks).value, recovered(table, method, tasks).value
        if math.isfinite(recall) and math.isfinite(share):
            known.append(method)
            recalls.append(recall)
            shares.append(share)
    return tradeoff(
        known,
        recalls,
        shares,
        xlabel="recall of the wrong rows",
        ylabel="share of the lost accuracy recovered",
        pareto=False,
        marks=marks_for(known),
        note=f"gates before and at training; pooled over {len(tasks)} tasks in which something is lost; "
        f"n = {len(axes_of(table)[0])} seeds",
    )
