"""What quality costs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from mlopsim.core.registry import register
from mlopsim.core.section import Results, SectionMaker, Unavailable
from mlopsim.core.track import Section

if TYPE_CHECKING:
    import polars as pl


@register("section", "delivery-cost-and-quality")
@dataclass(kw_only=True)
class DeliveryCostAndQuality(SectionMaker):
    """Mean quality of what served against mean cost."""

    track: ClassVar[str] = "delivery"
    title: ClassVar[str] = "Cost against quality"
    order: ClassVar[float] = 50
    needs: ClassVar[tuple[str, ...]] = ("cost", "accuracy")

    def make(self, results: Results) -> Section:
        """Draw one point a method, and those that nobody beats in both."""
        import polars as pl

        from mlopsim.plots.style import marks_for
        from mlopsim.plots.tradeoff import tradeoff
        from mlopsim.tracks.delivery.sections._shared import lines, warning

        board = results.leaderboard
        shown = board.filter(pl.col("accuracy").is_not_nan())
        if shown.is_empty():
            raise Unavailable("no method has a mean quality")
        figure = tradeoff(
            shown["method"].to_list(),
            shown["cost"].to_numpy(),
            shown["accuracy"].to_numpy(),
            xlabel="mean cost (reward a window)",
            ylabel="mean quality of what served",
            cost_ends=(shown["cost_low"].to_numpy(), shown["cost_high"].to_numpy()),
            quality_ends=(shown["accuracy_low"].to_numpy(), shown["accuracy_high"].to_numpy()),
            marks=marks_for(board["method"].to_list()),
            note=lines(
                f"95 % bootstrap over scenario seeds, n = {_range(shown['accuracy_n'])}; "
                "dashed: no row has less cost and more quality",
                warning(results),
            ),
        )
        text = "What the quality of the served versions costs: retrains, switches and shadow evaluation."
        return Section(title=self.title, text=text, figures={"Cost against quality": figure})


def _range(counts: pl.Series) -> str:
    """Write the different counts, e.g. ``10`` or ``8 to 10``."""
    known = sorted(set(counts.to_list()))
    return str(known[0]) if len(known) == 1 else f"{known[0]} to {known[-1]}"
