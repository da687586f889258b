"""What gates find where all of them flag the same share of right rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from mlopsim.core.registry import register
from mlopsim.core.section import Results, SectionMaker, Unavailable
from mlopsim.core.track import Section


@register("section", "quality-equal-rates")
@dataclass(kw_only=True)
class QualityEqualRates(SectionMaker):
    """Recall at equal attained false-alarm rates, those that need the same together."""

    track: ClassVar[str] = "quality"
    title: ClassVar[str] = "At equal false-alarm rates"
    order: ClassVar[float] = 45
    needs: ClassVar[tuple[str, ...]] = ("recall_at_5pct", "attained", "role", "stage", "needs", "known")

    def make(self, results: Results) -> Section:
        """Tabulate recall where 5 % of the right rows are flagged, beside recall at the gate's own limit."""
        import polars as pl

        from mlopsim.stats.table import interval_columns
        from mlopsim.tracks.cell_table import done, facts, mean_of
        from mlopsim.tracks.quality.analysis import BASE, with_errors
        from mlopsim.tracks.quality.sections._shared import board_methods

        table = results.cells
        tasks = with_errors(table)
        rows = done(table).filter(
            pl.col("recall_at_5pct").is_finite()
            & pl.col("stage").is_in(["entry", "training"])
            & (pl.col("known") == "nothing")
        )
        scored = set(rows["method"].to_list())
        methods = [m for m in board_methods(results, BASE) if m in scored]
        if not methods or not tasks:
            raise Unavailable("no gate scores rows here, or no task has errors")
        needs = facts(table, "needs")
        columns = {"method": methods, "needs": [needs[m] for m in methods]}
        for name in ("recall_at_5pct", "recall", "false_alarm"):
            columns |= interval_columns(name, [mean_of(table, m, name, tasks) for m in methods])
        frame = pl.DataFrame(columns).sort(
            "needs", "recall_at_5pct", descending=[False, True], nulls_last=True
        )
        text = (
            f"Means over the {len(tasks)} tasks with errors. **recall at 5 %**: wrong rows flagged where the "
            "limit is put so that 5 % of the right rows are, in each task and seed, rows that tie at it at "
            "random: limits with hindsight, the same rate for all. Beside it recall and false-alarm rate at "
            "the limits that the gates have. Gates that look at labels (**needs**) stand apart from those "
            "that do not. A score of whole batches has no such rate."
        )
        return Section(title=self.title, text=text, table=frame)
