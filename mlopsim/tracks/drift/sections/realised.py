"""Alarms before anything changes on the test streams."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from mlopsim.core.registry import register
from mlopsim.core.section import Results, SectionMaker, Unavailable
from mlopsim.core.track import Section
from mlopsim.tracks.drift.sections._shared import calibration_of


@register("section", "drift-realised")
@dataclass(kw_only=True)
class Realised(SectionMaker):
    """Share of the test streams with an alarm before anything changes, beside what the asked rate gives."""

    track: ClassVar[str] = "drift"
    title: ClassVar[str] = "False alarms realised"
    order: ClassVar[float] = 60.0
    needs: ClassVar[tuple[str, ...]] = ("role", "limit", "real", "alarm_before", "rows_before")

    def make(self, results: Results) -> Section:
        """Count them.

        Raises
        ------
        Unavailable
            If no calibrated method was run.
        """
        import polars as pl

        from mlopsim.tracks.drift.analysis import calibrated, realised

        frame = realised(results.cells)
        if not len(frame):
            raise Unavailable("no calibrated method was run")
        rows = calibrated(results.cells).filter(pl.col("alarm_before").is_finite())
        arl0 = calibration_of(results).arl0
        words = []
        # rows of a real stream are no draws of a known law: limits come from its warm-up
        for name, real in (("of known laws", False), ("on given rows", True)):
            before = rows.filter(pl.col("real") == real)["rows_before"]
            if len(before):
                chance = 1.0 - (-before / arl0).exp()
                words.append(f"{name} {float(chance.mean()):.1%}")  # type: ignore[arg-type]
        text = (
            "Share of the test streams, tasks pooled, in which a method alarms before anything changes. A "
            f"memoryless detector of the asked rate does so in: {'; '.join(words)}. Limits on given rows "
            "come from short warm-ups: what they really give is here."
        )
        return Section(title=self.title, text=text, table=frame)
