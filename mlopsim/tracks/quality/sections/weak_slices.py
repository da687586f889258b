"""Where versions that were stopped were weak."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from mlopsim.core.registry import register
from mlopsim.core.section import Results, SectionMaker, Unavailable
from mlopsim.core.track import Section

#: features listed for a task
NAMED = 3


@register("section", "quality-weak-slices")
@dataclass(kw_only=True)
class QualityWeakSlices(SectionMaker):
    """The features whose slices release tests named weak, task by task, those named most often first."""

    track: ClassVar[str] = "quality"
    title: ClassVar[str] = "Weak slices"
    order: ClassVar[float] = 70
    needs: ClassVar[tuple[str, ...]] = ("blocked", "role", "stage")

    def make(self, results: Results) -> Section | None:
        """Count the verdicts that named each feature."""
        import numpy as np
        import polars as pl

        from mlopsim.stats.bootstrap import mean_interval
        from mlopsim.stats.interval import Interval
        from mlopsim.stats.table import interval_columns
        from mlopsim.tracks.cell_table import axes_of, done
        from mlopsim.tracks.quality.sections._shared import board_methods, curves_of

        table = done(results.cells)
        tested = table.filter(pl.col("stage") == "release")
        if tested.is_empty():
            return None
        stopped = set(tested.filter(pl.col("blocked") > 0.0)["method"].to_list())
        seeds, tasks = axes_of(results.cells)
        found: list[tuple[str, str, str, Interval]] = []
        for method in (m for m in board_methods(results) if m in stopped):
            cells = curves_of(table.filter(pl.col("method") == method), tasks, results.curves)
            for task in tasks:
                counts = [cells[method, task, s].get("weak") for s in seeds if (method, task, s) in cells]
                known = np.array([values for values in counts if values is not None])
                if not known.size:
                    continue
                means = known.mean(axis=0)
                for place in np.argsort(-means, kind="stable")[:NAMED]:
                    if means[place] > 0.0:
                        name = "group" if place == len(means) - 1 else f"feature {place}"
                        share = mean_interval(known[:, place], np.random.default_rng(0))
                        found.append((task, method, name, share))
        if not found:
            raise Unavailable("no version was stopped for being weak on a slice of the held-out rows")
        frame = pl.DataFrame(
            {
                "task": [row[0] for row in found],
                "method": [row[1] for row in found],
                "slices of": [row[2] for row in found],
                **interval_columns("verdicts", [row[3] for row in found]),
            }
        )
        text = (
            "Where versions were stopped for being worse than what served on a slice of the held-out rows: "
            "verdicts a seed that named a slice of the feature (numbered from 0 as in the stream) or a "
            f"group, the {NAMED} named most often for each task."
        )
        return Section(title=self.title, text=text, table=frame)
