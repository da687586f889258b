"""The parts of the loop beside their simplest rivals."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from mlopsim.core.registry import register
from mlopsim.core.section import Results, SectionMaker
from mlopsim.core.track import Section


@register("section", "governance-rivals")
@dataclass(kw_only=True)
class GovernanceRivals(SectionMaker):
    """What a part adds, what its rival adds in its place, and the difference of the two."""

    track: ClassVar[str] = "governance"
    title: ClassVar[str] = "Rivals of the parts"
    order: ClassVar[float] = 34
    needs: ClassVar[tuple[str, ...]] = ("return", "cost", "gate", "learned")

    def make(self, results: Results) -> Section | None:
        """Tabulate them (nothing, where no part has a rival)."""
        from mlopsim.tracks.governance.rivals import rivals_table

        table = rivals_table(results.cells, results.curves)
        if not table.height:
            return None
        text = (
            "A rival stands in the place of a part: something that acts by chance as often, something that "
            "knows the truth, a piece of the part. It is played by the same rules and agents, with the fits "
            "of the part, in the same scenarios. `return_part` is what the part adds to the arm without it, "
            "`return_rival` what the rival adds to that arm, `return_gap` what the part has more than the "
            "rival; costs likewise. **What chance does as well is not what a part is worth**: read "
            "`return_gap` and `cost_gap` together, as less cost may be bought with return. Where a rule has "
            "no arm without the part (a selector of its own) only the gap is there.\n\n"
            "Rivals of `learned` are the other methods of the task, which have all that it has; rules that "
            "never suspend are tuned for the same limits and may not be able to keep them. `front_gap` is "
            "the difference of front scores, each at the method's own cost.\n\n"
            "`alarms`, `refused`, `retrains`, `suspended` are means a deployment of the part, with `_rival` "
            "of the rival: whether the two were as often active. Where both did exactly the same in every "
            "scenario there is no interval, and the reason says so: such a part was never asked, as an alarm "
            "by a rule that goes by the statistics of shift itself (`distance` of `observed_alarm`).\n\n"
            "95 % bootstrap intervals, seeds resampled, one at a time; fits are held fixed."
        )
        return Section(title=self.title, text=text, table=table)
