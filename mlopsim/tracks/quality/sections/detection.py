"""Which kinds of error a gate's scores see."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from mlopsim.core.registry import register
from mlopsim.core.section import Results, SectionMaker, Unavailable
from mlopsim.core.text import code_span
from mlopsim.core.track import Section


@register("section", "quality-detection")
@dataclass(kw_only=True)
class QualityDetection(SectionMaker):
    """A heat map of the area under the ROC curve, gates and tasks with errors."""

    track: ClassVar[str] = "quality"
    title: ClassVar[str] = "Detection by kind of error"
    order: ClassVar[float] = 40
    needs: ClassVar[tuple[str, ...]] = ("auroc", "role", "stage", "known")

    def make(self, results: Results) -> Section:
        """Draw and tabulate what the scores of rows tell."""
        import numpy as np
        import polars as pl

        from mlopsim.plots.heatmap import heatmap
        from mlopsim.stats.table import interval_columns
        from mlopsim.tracks.cell_table import axes_of, done, mean_of
        from mlopsim.tracks.quality.analysis import BASE, with_errors
        from mlopsim.tracks.quality.sections._shared import board_methods

        table = results.cells
        tasks = with_errors(table)
        rows = done(table).filter(
            pl.col("auroc").is_finite()
            & pl.col("stage").is_in(["entry", "training"])
            & (pl.col("known") == "nothing")
        )
        scored = set(rows["method"].to_list())
        methods = [m for m in board_methods(results, BASE) if m in scored]
        if not methods or not tasks:
            raise Unavailable("no gate scores rows here, or no task has errors")
        values = np.array([[mean_of(table, m, "auroc", [t]).value for t in tasks] for m in methods])
        # one row a score: what is then done with it makes no difference here
        own = [i for i, row in enumerate(values) if not any(_same(row, values[j]) for j in range(i))]
        methods, values = [methods[i] for i in own], values[own]
        seeds = len(axes_of(table)[0])
        figure = heatmap(
            methods,
            tasks,
            values,
            low=0.0,
            high=1.0,
            middle=0.5,
            note=f"area under the ROC curve of the rows' scores, ties as halves; mean of {seeds} seeds",
        )
        constant = sorted(set(done(table).filter(pl.col("constant") == 1.0)["method"].to_list()) - {BASE})
        text = (
            "Which type of error a gate sees: AUROC of its scores of rows. The kind of error decides the "
            "winner. Gates at training look at labels, those before it mostly do not: what they can see "
            "differs."
        )
        if constant:
            named = ", ".join(map(code_span, constant))
            text += f" All but constant scores somewhere, which tell nothing: {named}."
        keys = [(m, t) for t in tasks for m in methods]
        shown = (
            "auroc",
            "auprc",
            "f1_at_contamination",
            "recall",
            "recall_at_5pct",
            "batch_recall",
            "batch_delay",
        )
        # cells of an earlier version lack some
        known = [name for name in shown if name in table.columns]
        frame = pl.DataFrame(
            {"task": [t for _, t in keys], "method": [m for m, _ in keys]}
            | {
                column: numbers
                for name in known
                for column, numbers in interval_columns(
                    name, [mean_of(table, m, name, [t]) for m, t in keys]
                ).items()
            }
        )
        return Section(title=self.title, text=text, table=frame, figures={"AUROC by kind of error": figure})


def _same(one: object, other: object) -> bool:
    import numpy as np

    return bool(np.array_equal(np.asarray(one), np.asarray(other), equal_nan=True))
