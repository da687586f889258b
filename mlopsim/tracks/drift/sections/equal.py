"""What the limits make equal, and what they leave unequal."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from mlopsim.core.registry import register
from mlopsim.core.section import Results, SectionMaker, Unavailable
from mlopsim.core.track import Section
from mlopsim.tracks.drift.realised_alarms import WORDS
from mlopsim.tracks.drift.sections._shared import asked_of

if TYPE_CHECKING:
    import polars as pl


@register("section", "drift-equal")
@dataclass(kw_only=True)
class Equal(SectionMaker):
    """The realised share, rate and hazard of each method: mean, least and most over laws."""

    track: ClassVar[str] = "drift"
    title: ClassVar[str] = "What is equal"
    order: ClassVar[float] = 45.0
    needs: ClassVar[tuple[str, ...]] = ("role", "limit", "match", "share", "rate", "hazard")

    def make(self, results: Results) -> Section:
        """Tabulate them.

        Raises
        ------
        Unavailable
            If no limit was found or checked.
        """
        import numpy as np

        from mlopsim.tracks.drift.realised_alarms import REALISED

        frame = _table(results.cells)
        if not len(frame):
            raise Unavailable("no method of these results has a limit that was calibrated")
        means = {name: frame[name].to_numpy() for name in REALISED}
        known = {name: values[np.isfinite(values)] for name, values in means.items()}
        spans = "; ".join(
            f"{name} from {values.min():.3f} to {values.max():.3f}"
            for name, values in known.items()
            if len(values)
        )
        text = (
            f"{asked_of(results)} Over the calibrated methods the means go: {spans}. A rate "
            "belongs to the length on which it was measured: that of a detector which becomes calmer with "
            "each quiet row is lower on longer signals.\n\n"
            f"{WORDS} `_least` and `_most`: over its laws."
        )
        return Section(title=self.title, text=text, table=frame)


def _table(cells: pl.DataFrame) -> pl.DataFrame:
    import polars as pl

    from mlopsim.tracks.drift.analysis import calibrated, calibrations
    from mlopsim.tracks.drift.realised_alarms import REALISED, with_realised

    laws = calibrations(calibrated(cells)).filter(pl.col("share").is_finite())
    methods = laws.select("method", "match", "sides").unique("method", keep="first", maintain_order=True)
    frame = with_realised(methods, laws)
    if not len(frame):
        return frame
    ends = laws.group_by("method").agg(
        expression
        for name in REALISED
        for expression in (
            pl.col(name).fill_nan(None).min().alias(f"{name}_least"),
            pl.col(name).fill_nan(None).max().alias(f"{name}_most"),
        )
    )
    return frame.join(ends, on="method", how="left", maintain_order="left").sort("match", "rate")
