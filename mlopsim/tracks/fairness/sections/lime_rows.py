"""What LIME finds by how many rows it explains."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from mlopsim.core.registry import register
from mlopsim.core.section import Results, SectionMaker
from mlopsim.core.track import Section


@register("section", "fairness-lime-rows")
@dataclass(kw_only=True)
class LimeRows(SectionMaker):
    """Audits of explanations where LIME explains few rows, and where it explains as many as SHAP."""

    track: ClassVar[str] = "fairness"
    title: ClassVar[str] = "Explained rows"
    order: ClassVar[float] = 75.0
    needs: ClassVar[tuple[str, ...]] = ("power", "scenario", "lime_rows", "conditions", "reads")

    def make(self, results: Results) -> Section | None:
        """Make a table; None where no bias is met with several numbers of rows."""
        import polars as pl

        from mlopsim.stats.table import interval_columns
        from mlopsim.tracks.cell_table import facts, mean_of
        from mlopsim.tracks.fairness.analysis import biased, shifted, under_conditions

        table = results.cells
        groups = under_conditions(table, "lime_rows", biased(table))
        reads = facts(table, "reads")
        methods = [m for m in results.leaderboard["method"].to_list() if "explanations" in (reads[m] or "")]
        if not groups or not methods:
            return None
        keys = [(s, m, rows) for s, by in groups.items() for m in methods for rows in by]
        least = {s: by[min(by)] for s, by in groups.items()}
        gains = [shifted(table, m, "power", groups[s][rows], least[s]) for s, m, rows in keys]
        frame = pl.DataFrame(
            {
                "scenario": [s for s, *_ in keys],
                "method": [m for _, m, _ in keys],
                "lime_rows": [rows for *_, rows in keys],
                **interval_columns("power", [mean_of(table, m, "power", groups[s][n]) for s, m, n in keys]),
                **interval_columns("gain", gains),
            }
        )
        text = (
            "Shapley values are computed of all rows of a window. LIME is dear: it explains **lime_rows** of "
            "them, and what it then misses says nothing of LIME. Only where it explains as many rows as "
            "there are can the two be compared. **gain**: power less that with the fewest rows, in the same "
            "deployments, paired over seeds and strengths."
        )
        return Section(title=self.title, text=text, table=frame)
