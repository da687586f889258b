"""How often deployments without bias are blocked, in fresh ones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from mlopsim.core.registry import register
from mlopsim.core.section import Results, SectionMaker
from mlopsim.core.track import Section


@register("section", "fairness-false-blocks")
@dataclass(kw_only=True)
class FalseBlocks(SectionMaker):
    """The rate of every limit and of every rule of thumb in deployments that nobody calibrated on."""

    track: ClassVar[str] = "fairness"
    title: ClassVar[str] = "False blocks"
    order: ClassVar[float] = 60.0
    needs: ClassVar[tuple[str, ...]] = ("rate", "scenario", "limit")

    def make(self, results: Results) -> Section | None:
        """Make a table and a figure for each law of no bias; None where no method has a limit."""
        import polars as pl

        from mlopsim.fairness.closed_forms import four_fifths_false_block
        from mlopsim.plots.leaderboard import leaderboard
        from mlopsim.tracks.fairness.analysis import false_blocks
        from mlopsim.tracks.fairness.fits import Calibration
        from mlopsim.tracks.fairness.sections._shared import settings_of

        alpha = Calibration.of(settings_of(results).calibration).alpha
        rows = false_blocks(results.cells)
        if not rows.height:
            return None
        once = four_fifths_false_block(100, 0.3)
        text = (
            f"Asked of a limit: {alpha:.0%} of deployments without bias blocked at least once. "
            "**rate**: in fresh deployments; of a rule of thumb (`@rule`) what it really does. **exact**: "
            "computed from the law of the p-value, not simulated; where a feature tells the group, a model "
            "that was trained on few rows treats groups a little unequally by chance, and all limits are "
            "simulated. **met**: the rate is within three standard errors of what was asked. A rule of thumb "
            "does not know how many rows it sees: with 100 of each group and the same true rate .3 the "
            f"four-fifths rule blocks {once:.1%} of fair models in one audit, and "
            f"{1.0 - (1.0 - once) ** 12:.1%} within twelve."
        )
        figures = {}
        for law in dict.fromkeys(rows["law of"].to_list()):
            group = rows.filter(pl.col("law of") == law)
            figures[f"False blocks, {law}"] = leaderboard(
                group["method"].to_list(),
                *(group[name].to_numpy() for name in ("rate", "rate_low", "rate_high", "rate_n")),
                xlabel="share of deployments without bias that are blocked",
                references={"asked": alpha},
                note="95 % intervals; n: fresh deployments without bias",
            )
        return Section(title=self.title, text=text, table=rows, figures=figures)
