"""The limits over all families together, which is what fits aim at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from mlopsim.core.registry import register
from mlopsim.core.section import Results, SectionMaker
from mlopsim.core.track import Section


@register("section", "governance-mixture")
@dataclass(kw_only=True)
class GovernanceMixture(SectionMaker):
    """Mean cost over all families, beside the number of families in which the limit is met."""

    track: ClassVar[str] = "governance"
    title: ClassVar[str] = "Limits over the mixture"
    order: ClassVar[float] = 25
    needs: ClassVar[tuple[str, ...]] = ("return", "cost")

    def make(self, results: Results) -> Section | None:
        """Tabulate them (nothing, where the pooled tasks are one, or have no limit in common)."""
        from mlopsim.tracks.governance.mixture import common_limits, mixture_table

        tasks, limits = common_limits(results.cells)
        if len(tasks) < 2 or not limits:
            return None
        text = (
            f"`spent`: the mean over the {len(tasks)} tasks that the leaderboard pools, each as much, of "
            "what a limit is on. **This is what fits aim at**: rules are tuned and agents trained to keep "
            "the limits on the mean over their training scenarios (`train_stream`), a mixture of families, "
            "in each combination of parts by itself (**Budgets** says how many fits were shown to). "
            "Where something is deployed its family is not "
            "observed, so no limit of a family is aimed at: `families_met` says in how many of the tasks "
            "the limit is met there (see **Tasks**), and may be fewer than all where the mean is kept. Where "
            "this table mixes other families than training did, the two means differ. 95 % intervals, "
            "seeds resampled jointly over tasks."
        )
        table = mixture_table(results.cells, results.curves)
        return Section(title=self.title, text=text, table=table)
