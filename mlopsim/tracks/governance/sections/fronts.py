"""Return against cost: the exact front and every method's place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from mlopsim.core.registry import register
from mlopsim.core.section import Results, SectionMaker, Unavailable
from mlopsim.core.track import Section

#: tasks that are drawn, at most
SHOWN = 12


@register("section", "governance-fronts")
@dataclass(kw_only=True)
class GovernanceFronts(SectionMaker):
    """A figure a task, and the bounds and plans that the front is made of."""

    track: ClassVar[str] = "governance"
    title: ClassVar[str] = "Return against cost"
    order: ClassVar[float] = 40
    needs: ClassVar[tuple[str, ...]] = ("return", "cost", "gate")

    def make(self, results: Results) -> Section:
        """Draw the fronts."""
        from mlopsim.tracks.governance.analysis import pool
        from mlopsim.tracks.governance.fronts import Fronts, front_table
        from mlopsim.tracks.governance.pictures import front_figure
        from mlopsim.tracks.governance.sections._shared import named

        tasks = pool(results.cells)
        fronts = Fronts.of(results.cells, results.curves, tasks)
        bounds = fronts.bounds
        if not bounds:
            raise Unavailable("; ".join(dict.fromkeys(fronts.without.values())))
        figures = {
            f"Front: {one.task}": front_figure(results.cells, one, results.leaderboard["method"].to_list())
            for one in bounds[:SHOWN]
        }
        text = (
            "The optimum's cells hold, for each price of cost, a bound of the return less price times cost "
            "that nobody exceeds, and a plan. U(C) (upper line) is the least over the prices of mean bound + "
            "price x C; the lower line is the best mixture, over scenarios, of plans, never and suspending; "
            "the exact front lies between (shaded). Dashed: never and suspended, mixed, which is where the "
            "front score is 0. All of them with all parts on; small dots: arms with two to four parts. Where "
            "a task has several limits, the line is at their sum by weight: whoever is right of it breaks "
            "one at least, whoever is left of it may break one all the same (section Tasks). "
            "Table: means a window, `gap` is the width of the bracket at a price."
        )
        if len(bounds) > SHOWN:
            text += f" Drawn are the first {SHOWN} of {len(bounds)} tasks."
        if fronts.without:
            text += f"\n\nWithout a front: {named(fronts.without)}."
        return Section(title=self.title, text=text, table=front_table(bounds), figures=figures)
