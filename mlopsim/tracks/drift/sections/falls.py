"""Falls of a frozen model's error, apart from rises."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from mlopsim.core.registry import register
from mlopsim.core.section import Results, SectionMaker
from mlopsim.core.track import Section
from mlopsim.tracks.drift.realised_alarms import WORDS


@register("section", "drift-falls")
@dataclass(kw_only=True)
class Falls(SectionMaker):
    """How soon methods tell that the error of a model that does not change has fallen."""

    track: ClassVar[str] = "drift"
    title: ClassVar[str] = "Falls"
    order: ClassVar[float] = 15.0
    needs: ClassVar[tuple[str, ...]] = ("role", "limit", "sides", "direction", "fall_restricted_delay")

    def make(self, results: Results) -> Section | None:
        """Compare on the falls alone; nothing where no error falls."""
        import polars as pl

        from mlopsim.tracks.drift.rises_falls import by_task, falls

        frame = falls(results.cells)
        if not len(frame):
            return None
        truth = by_task(results.cells).filter(pl.col("falls") > 0.0)
        named = ", ".join(
            f"{row['task']} ({row['falls']:.1f} falls beside {row['rises']:.1f} rises a scenario)"
            for row in truth.to_dicts()
        )
        text = (
            "Changes after which a model that does not change is wrong **less** often, as when an old "
            "concept "
            f"comes back: {named}. A detector of rises (`sides`: up) is not made for them, and misses them "
            "but "
            "by chance; in the tables of rises these changes count for nothing. Whether a fall needs an "
            "answer "
            "is a matter of the deployment: the stored model has become better, a newer one would be better "
            "still.\n\n"
            f"{WORDS}"
        )
        return Section(title=self.title, text=text, table=frame)
