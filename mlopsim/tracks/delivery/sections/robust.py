"""Numbers that a few extreme scenarios cannot rule."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from mlopsim.core.registry import register
from mlopsim.core.section import Results, SectionMaker
from mlopsim.core.text import code_span
from mlopsim.core.track import Section


@register("section", "delivery-robust")
@dataclass(kw_only=True)
class DeliveryRobust(SectionMaker):
    """Interquartile means, and probabilities of improvement over the best rule."""

    track: ClassVar[str] = "delivery"
    title: ClassVar[str] = "Robust comparison"
    order: ClassVar[float] = 20
    needs: ClassVar[tuple[str, ...]] = ("return", "upper", "family")

    def make(self, results: Results) -> Section:
        """Tabulate both."""
        import polars as pl

        from mlopsim.tracks.delivery.analysis import FLOOR, NO_REFERENCE

        board = results.leaderboard
        reference = board["p_improvement_reference"][0]
        shown = code_span(reference or "")
        compared = (
            f"share of scenarios in which a method's return exceeds that of {shown}, averaged over "
            f"tasks; equal returns count half. {shown} is the rule (no agent, no control, no hindsight) with "
            "the highest NS of this table. It was chosen on these very scenarios, which flatters it: the "
            "others are judged rather too harshly than too kindly."
        )
        text = (
            "**IQM**: interquartile mean of (R - R_never) / (U - R_never) over the scenarios of all tasks "
            f"with U - R_never above {FLOOR} (reward a window); `left out` counts the others and those with "
            "an undefined return. A quarter of the scenarios is cut at each end, so that a few extreme ones "
            "cannot rule it.\n\n"
            f"**P(improvement)**: {compared if reference else NO_REFERENCE}\n\n"
            "95 % bootstrap intervals that resample seeds jointly over all tasks; n counts seeds. An "
            "interval of no width means that no resample disagreed, not that no scenario could."
        )
        columns = [
            pl.col("method"),
            pl.col("^iqm.*$"),
            pl.col("iqm_cells").alias("scenarios"),
            pl.col("^p_improvement.*$").exclude("p_improvement_reference"),
            pl.col("p_improvement_cells").alias("pairs"),
        ]
        return Section(title=self.title, text=text, table=board.select(columns))
