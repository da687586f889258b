"""Whether the right feature is blamed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from mlopsim.core.registry import register
from mlopsim.core.section import Results, SectionMaker
from mlopsim.core.track import Section


@register("section", "fairness-blame")
@dataclass(kw_only=True)
class Blame(SectionMaker):
    """How often the blame at the first alarm is right, and how stable it is."""

    track: ClassVar[str] = "fairness"
    title: ClassVar[str] = "Blame"
    order: ClassVar[float] = 70.0
    needs: ClassVar[tuple[str, ...]] = ("blamed", "stable", "power", "scenario", "strength")

    def make(self, results: Results) -> Section | None:
        """Make a table and a heat map; None where nothing is blamed."""
        import math

        import numpy as np
        import polars as pl

        from mlopsim.plots.heatmap import heatmap
        from mlopsim.stats.table import interval_columns
        from mlopsim.tracks.cell_table import mean_of
        from mlopsim.tracks.fairness.analysis import biased, scenarios
        from mlopsim.tracks.fairness.sections._shared import seeds_text

        table = results.cells
        rows = []
        for name, tasks in scenarios(table, biased(table)).items():
            for method in results.leaderboard["method"].to_list():
                right = mean_of(table, method, "blamed", tasks)
                if math.isfinite(right.value):
                    rows.append((name, method, right, mean_of(table, method, "stable", tasks)))
        if not rows:
            return None
        frame = pl.DataFrame(
            {
                "scenario": [row[0] for row in rows],
                "method": [row[1] for row in rows],
                **interval_columns("blamed", [row[2] for row in rows]),
                **interval_columns("stable", [row[3] for row in rows]),
            }
        )
        text = (
            "**blamed**: how often the feature that is blamed most at the first alarm is one through which "
            "the bias came. **stable**: windows in which the same feature is blamed most if the explanation "
            "is drawn once more (other background rows for SHAP, other perturbations for LIME)."
        )
        found = {(row[1], row[0]): row[2].value for row in rows}
        methods = list(dict.fromkeys(row[1] for row in rows))
        names = list(dict.fromkeys(row[0] for row in rows))
        figure = heatmap(
            methods,
            names,
            np.array([[found.get((m, s), math.nan) for s in names] for m in methods]),
            low=0.0,
            high=1.0,
            note=f"share of first alarms that blame rightly; {seeds_text(row[2] for row in rows)} "
            "with an alarm",
        )
        return Section(title=self.title, text=text, table=frame, figures={self.title: figure})
