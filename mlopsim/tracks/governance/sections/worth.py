"""What each part of the loop is worth, by family."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from mlopsim.core.registry import register
from mlopsim.core.section import Results, SectionMaker, Unavailable
from mlopsim.core.track import Section


def fitted(results: Results) -> str:
    """Say what the intervals hold fixed: one fit of each arm, or that several are resampled."""
    from mlopsim.tracks.governance.sections._shared import settings

    track = settings(results)
    agents = "one agent serves all arms that learn" if track.agents == "one" else "each has its own agent"
    if track.fit_seeds == 1:
        return (
            f"Each arm has one fit: the search of its rule, or the training of an agent ({agents}). The "
            "intervals hold searches and trainings fixed: they say how these rules and agents do in other "
            "scenarios, not how others, tuned or trained anew, would. Two rule arms may differ by the luck "
            "of two searches, also where a part does nothing."
        )
    return (
        f"Each arm has {track.fit_seeds} fits with seeds of their own, searches of rules as well as "
        f"trainings ({agents} for each seed). They are resampled, too, independently of the scenarios: "
        "so few show the luck of a fit roughly."
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
            f"the family, one denominator for all combinations; undefined where that is below {FLOOR}: there "
            "the worth of `gate`, `trigger`, `audits` and `rollback` is the price of the part, while that of "
            "`learned` is the difference of two deciders (**Where there is nothing to gain** has both "
            "against `never`). `alone` is what a part adds to "
            "the loop that has none, `last` to the one that has all others: the two differ where parts stand "
            "in for each other, or need each other.\n\n"
            "Below 0 in the return a part takes some; below 0 in the cost there is less cost with it, also "
            "where the fallback pays for that in return: read both. Whether limits are kept stands in "
            "**Limits over the mixture**. These are means over arms in which rules decide and arms in which "
            "a learned selector does: **Worth by decider** has them apart, and **Rivals of the parts** what "
            "something simpler does in their place. What is said of `trigger` without `learned` is said of "
            "this alarm beside a rule that suspends and retrains on measured violations; *Time out of "
            "compliance* tells how many alarms and retrains there were by family (not which of the retrains "
            "were scheduled). `share` is no place below the front: arms "
            "have costs of their own, and a front score at each own cost has a denominator of its own, so "
            "that differences of scores do not add up to what all have more than none.\n\n"
            "95 % bootstrap intervals, seeds resampled, one at a time: of many intervals that hold 0 in "
            f"truth one in twenty does not show it. Exactly the same in every scenario: no interval, as arms "
            f"walked alike.\n\n{fitted(results)}"
        )
        if warned := warning(results):
            text = f"**{warned[0].upper()}{warned[1:]}.**\n\n{text}"
        figures = {
            f"Worth in the {name}": worth_figure(table, name, f"{name} a window")
            for name in ("return", "cost")
        }
        return Section(title=self.title, text=text, table=table, figures=figures)
