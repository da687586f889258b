"""The words of the report."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from mlopsim.core.registry import register
from mlopsim.core.section import Results, SectionMaker
from mlopsim.core.track import Section


@register("section", "delivery-words")
@dataclass(kw_only=True)
class DeliveryWords(SectionMaker):
    """What the words of the columns stand for."""

    track: ClassVar[str] = "delivery"
    title: ClassVar[str] = "Words"
    order: ClassVar[float] = 70

    def make(self, results: Results) -> Section:
        """Explain."""
        from mlopsim.tracks.delivery.sections._shared import settings

        text = (
            "- **R**: return of a method, mean reward a window (quality minus costs).\n"
            "- **U**: upper bound by the oracle; **oracle**: a feasible plan; **bracket**: the width between "
            "them, in units of NS.\n"
            "- **in time**: decided from the start of a true drift event to "
            f"{settings(results).reaction} windows after its end.\n"
            "- **detection**: share of true drift events followed in time by a retrain or rollback; "
            "undefined where no event is known. Always retraining (`every_step`) makes it trivially high: "
            "read it together with precision.\n"
            "- **precision**: share of retrains that follow an event in time; undefined where no event is "
            "known or nothing was retrained. That of `every_step` is what retraining without looking gets.\n"
            "- **lag**: windows from the start of a true drift event to the first retrain or rollback "
            "decided in time, averaged over the events that were reacted to; an event without a reaction "
            "counts in detection only. Always retraining makes it trivially short.\n"
            "- **impossible**: actions that a method asked for, a network before anything is masked, and "
            "that were carried out as keep because they were not possible. A method that chooses among "
            "possible actions only has 0.\n"
            "- **reads**: what a method looks at; **needs**: labels (after their delay), none, or hindsight; "
            "**known**: what it knows that a deployment does not show."
        )
        return Section(title=self.title, text=text)
