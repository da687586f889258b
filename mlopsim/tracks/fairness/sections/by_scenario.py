"""Which method finds which bias."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from mlopsim.core.registry import register
from mlopsim.core.section import Results, SectionMaker
from mlopsim.core.text import code_span
from mlopsim.core.track import Section


@register("section", "fairness-by-scenario")
@dataclass(kw_only=True)
class ByScenario(SectionMaker):
    """Share of deployments that each method blocks, by scenario."""

    track: ClassVar[str] = "fairness"
    title: ClassVar[str] = "Power by scenario"
    order: ClassVar[float] = 20.0
    needs: ClassVar[tuple[str, ...]] = ("power", "false_block", "scenario", "strength")

    def make(self, results: Results) -> Section | None:
        """Make a table and a heat map; None without a bias or a difference of groups."""
        import numpy as np
        import polars as pl

        from mlopsim.plots.heatmap import heatmap
        from mlopsim.stats.table import interval_columns
        from mlopsim.tracks.cell_table import mean_of
        from mlopsim.tracks.fairness.analysis import biased, scenarios, unequal
        from mlopsim.tracks.fairness.sections._shared import seeds_text

        table = results.cells
        wrong = biased(table)
        groups = scenarios(table, wrong + unequal(table))
        if not groups:
            return None
        methods, names = results.leaderboard["method"].to_list(), list(groups)
        cells = {
            (method, name): mean_of(table, method, "power" if tasks[0] in wrong else "false_block", tasks)
            for name, tasks in groups.items()
            for method in methods
        }
        figure = heatmap(
            methods,
            names,
            np.array([[cells[m, s].value for s in names] for m in methods]),
            low=0.0,
            high=1.0,
            note="share of deployments blocked, mean over strengths; "
            f"{seeds_text(cells.values())} a scenario",
        )
        keys = [(m, s) for s in names for m in methods]
        frame = pl.DataFrame(
            {
                "scenario": [s for _, s in keys],
                "method": [m for m, _ in keys],
                **interval_columns("blocked", [cells[key] for key in keys]),
            }
        )
        text = (
            "Which method finds which bias. In scenarios in which nothing is wrong a block is a false one: "
            f"{', '.join(code_span(s) for s in names if groups[s][0] not in wrong) or 'there are none'}."
        )
        return Section(title=self.title, text=text, table=frame, figures={self.title: figure})
