"""In how many scenarios a method is how good."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from mlopsim.core.registry import register
from mlopsim.core.section import Results, SectionMaker, Unavailable
from mlopsim.core.track import Section


@register("section", "delivery-profiles")
@dataclass(kw_only=True)
class DeliveryProfiles(SectionMaker):
    """Performance profiles of the best methods."""

    track: ClassVar[str] = "delivery"
    title: ClassVar[str] = "Profiles"
    order: ClassVar[float] = 40
    needs: ClassVar[tuple[str, ...]] = ("return", "upper", "family")

    def make(self, results: Results) -> Section:
        """Draw the shares of scenarios above each score, with pointwise bands."""
        import numpy as np

        from mlopsim.plots.profile import profile
        from mlopsim.plots.style import marks_for
        from mlopsim.tracks.delivery.analysis import FLOOR, Arena, pooled, profiles
        from mlopsim.tracks.delivery.sections._shared import best, lines, warning

        taus = np.linspace(-0.5, 1.0, 61)
        found = profiles(Arena.of(pooled(results.cells)), best(results), taus)
        counts = {(band.profile.n, band.profile.excluded) for band in found.values()}
        found = {name: band for name, band in found.items() if band.profile.n}
        if not found:
            raise Unavailable(f"no method has a return in a scenario with U - R_never above {FLOOR}")
        text = (
            f"Share of scenarios whose own score exceeds τ. Only scenarios with U - R_never above {FLOOR} "
            f"count (counted, left out): {', '.join(str(pair) for pair in sorted(counts))}. The bands hold "
            "at one τ at a time, not for a whole line; all methods meet the same resamples, so that bands "
            "which overlap may still belong to methods that differ (see P(improvement))."
        )
        n, excluded = min((band.profile.n, band.profile.excluded) for band in found.values())
        seeds = min(band.n for band in found.values())
        reasons = sorted({band.reason for band in found.values() if band.reason})
        said = f"bands: pointwise 95 % bootstrap, {seeds} seeds resampled jointly over tasks and methods"
        fewest = "counts of the method with the fewest; the others are in the text" if len(counts) > 1 else ""
        figure = profile(
            taus,
            {name: band.profile.share for name, band in found.items()},
            bands={name: (band.low, band.high) for name, band in found.items() if not band.reason},
            n=n,
            excluded=excluded,
            marks=marks_for(results.leaderboard["method"].to_list()),
            note=lines(fewest, f"no bands: {'; '.join(reasons)}" if reasons else said, warning(results)),
        )
        return Section(title=self.title, text=text, figures={"Profiles": figure})
