"""What it is worth that stored versions are scored, too."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from mlopsim.core.registry import register
from mlopsim.core.section import Results, SectionMaker
from mlopsim.core.track import Section


@register("section", "delivery-feedback")
@dataclass(kw_only=True)
class DeliveryFeedback(SectionMaker):
    """NS under each feedback on the same scenarios, and the paired difference."""

    track: ClassVar[str] = "delivery"
    title: ClassVar[str] = "Feedback"
    order: ClassVar[float] = 32
    needs: ClassVar[tuple[str, ...]] = ("return", "upper")

    def make(self, results: Results) -> Section | None:
        """Tabulate them; there is nothing to compare where no two tasks differ in their feedback only."""
        from mlopsim.core.text import code_span
        from mlopsim.tracks.delivery.analysis import feedback_pairs, feedback_table

        pairs = feedback_pairs(results.cells)
        if len(pairs) < 2:
            return None
        first, *others = pairs
        tasks = len(pairs[first])
        text = (
            "Labels of all rows train versions, in each of them. With `full` feedback the same labels also "
            "score the versions in the registry, on all labelled windows after those that they were trained "
            "on (a backtest); with `deployed` only what served a window is scored; with `shadow` what was in "
            "the registry then, at a cost. Nothing else differs between the columns: the same "
            f"{tasks} task{'s' if tasks > 1 else ''} and scenarios, each method tuned or trained under the "
            "feedback that it is rolled out with. "
            + " ".join(
                f"{code_span(f'{name}_gain')} is NS under {code_span(first)} less NS under {code_span(name)}"
                ", paired by scenario."
                for name in others
            )
            + " `bracket` is how far the optimum may lie below the bound that NS is 1 at, in units of NS. "
            "A method that reads no scores of stored versions is tuned and rolled out alike in both, with "
            "the same seeds: it gains 0. Of the others, the gain includes the luck of two searches or "
            "trainings, which the interval does not. 95 % intervals over scenario seeds."
        )
        return Section(title=self.title, text=text, table=feedback_table(results.cells))
