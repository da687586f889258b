"""What each part of the loop is worth, by family."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from mlopsim.core.registry import register
from mlopsim.core.section import Results, SectionMaker, Unavailable
from mlopsim.core.track import Section


def trained(results: Results) -> str:
    """Say what the intervals of arms that learn hold: one training seed, or several that are resampled."""
    from mlopsim.tracks.governance.sections._shared import settings

    track = settings(results)
    agents = "one agent serves all arms that learn" if track.agents == "one" else "each has its own agent"
    if track.train_seeds == 1:
        return (
            f"Of the arms that learn there is one training seed ({agents}), and the intervals hold it fixed: "
            "they say how these agents do in other scenarios, not how others, trained anew, would. What is "
            "said of `learned` is said of these."
        )
    return (
        f"Arms that learn are trained with {track.train_seeds} seeds ({agents} for each seed), which are "
        "resampled, too, independently of the scenarios: so few seeds show the luck of training roughly."
    )


@register("section", "governance-worth")
@dataclass(kw_only=True)
class GovernanceWorth(SectionMaker):
    """Shapley values of the parts in return and cost, with their sum."""

    track: ClassVar[str] = "governance"
    title: ClassVar[str] = "Worth of the parts"
    order: ClassVar[float] = 30
    needs: ClassVar[tuple[str, ...]] = ("return", "cost", "upper", "gate", "learned")

    def make(self, results: Results) -> Section:
        """Tabulate and draw them."""
        from mlopsim.core.errors import ConfigError
        from mlopsim.tracks.governance.analysis import families
        from mlopsim.tracks.governance.pictures import worth_figure
        from mlopsim.tracks.governance.sections._shared import warning
        from mlopsim.tracks.governance.worth import FLOOR, SUM, worth_table

        try:
            table = worth_table(families(results.cells), results.cells)
        except ConfigError as error:
            raise Unavailable(f"{error.message}: worths need all combinations") from error
        text = (
            "Exact Shapley values over all combinations of the parts, paired over scenarios: what a part "
            "adds to the return and to the cost of a window, averaged over the orders in which the parts can "
            f"be switched on. They add up to the row `{SUM}`. `share` is the same in units of U - R_never of "
            f"the family, one denominator for all combinations; undefined where that is below {FLOOR}: where "
            "nothing happens, the worth in the return is the price of a part. `alone` is what a part adds to "
            "the loop that has none, `last` to the one that has all others: the two differ where parts stand "
            "in for each other, or need each other.\n\n"
            "Below 0 in the return a part harms; below 0 in the cost it keeps limits. 95 % bootstrap "
            "intervals, seeds resampled, one at a time: of many intervals that hold 0 in truth one in twenty "
            f"does not show it.\n\n{trained(results)}"
        )
        if warned := warning(results):
            text = f"**{warned[0].upper()}{warned[1:]}.**\n\n{text}"
        figures = {
            f"Worth in the {name}": worth_figure(table, name, f"{name} a window")
            for name in ("return", "cost")
        }
        return Section(title=self.title, text=text, table=table, figures=figures)
