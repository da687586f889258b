"""Whether the order by delay is the order by worth."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from mlopsim.core.registry import register
from mlopsim.core.section import Results, SectionMaker, Unavailable
from mlopsim.core.track import Section


@register("section", "drift-sooner")
@dataclass(kw_only=True)
class Sooner(SectionMaker):
    """Rank correlation of delay and worth, on the same tasks and seeds, one group and one cost at a time."""

    track: ClassVar[str] = "drift"
    title: ClassVar[str] = "Sooner and more worth"
    order: ClassVar[float] = 125.0
    needs: ClassVar[tuple[str, ...]] = ("role", "limit", "channel", "return", "restricted_delay")

    def make(self, results: Results) -> Section | None:
        """Correlate them; nothing where no task has a deployment.

        Raises
        ------
        Unavailable
            If no group has three methods.
        """
        from mlopsim.tracks.drift.worth_analysis import delay_and_worth, triggering

        if not len(triggering(results.cells)):
            return None
        frame = delay_and_worth(results.cells)
        if not len(frame):
            raise Unavailable("a rank correlation takes 3 calibrated methods that read the same")
        text = (
            "Kendall's tau between mean restricted delay and mean return of the calibrated methods that read "
            "the same, at equal false alarms and each with its tuned wait, on the tasks with a deployment "
            "(95 % bootstrap over scenario seeds). -1: the sooner the more worth; 0: delay tells nothing of "
            "worth. It is about the order of these methods only; how much there is to win is in Worth, "
            "beside the tuned calendar. **tau soonest half**: of the half whose delay is least, since a few "
            "that are slow and worth little can make a correlation."
        )
        return Section(title=self.title, text=text, table=frame)
