"""Who can tell a proxy from an unequal base rate."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from mlopsim.core.registry import register
from mlopsim.core.section import Results, SectionMaker
from mlopsim.core.track import Section


@register("section", "fairness-alike")
@dataclass(kw_only=True)
class Alike(SectionMaker):
    """How much more often each method blocks a bias than a fair difference with the same features."""

    track: ClassVar[str] = "fairness"
    title: ClassVar[str] = "Proxy or unequal base rate"
    order: ClassVar[float] = 50.0
    needs: ClassVar[tuple[str, ...]] = ("power", "false_block", "scenario", "strength", "features")

    def make(self, results: Results) -> Section | None:
        """Make a table and a figure a scenario; None without such a pair of scenarios."""
        import polars as pl

        from mlopsim.stats.table import interval_columns
        from mlopsim.tracks.cell_table import mean_of
        from mlopsim.tracks.fairness.analysis import apart, twins
        from mlopsim.tracks.fairness.sections._shared import ranking

        table, methods = results.cells, results.leaderboard["method"].to_list()
        rows = [
            (
                name,
                method,
                mean_of(table, method, "power", wrong),
                mean_of(table, method, "false_block", right),
                apart(table, method, wrong, right),
            )
            for name, wrong, right in twins(table)
            for method in methods
        ]
        if not rows:
            return None
        frame = pl.DataFrame(
            {
                "scenario": [row[0] for row in rows],
                "method": [row[1] for row in rows],
                **interval_columns("proxy", [row[2] for row in rows]),
                **interval_columns("base_rate", [row[3] for row in rows]),
                **interval_columns("difference", [row[4] for row in rows]),
            }
        )
        text = (
            "A proxy lowers what is measured of one group, an unequal base rate what is there to be "
            "measured: the features have the same law given the group, to the number. Whoever sees features, "
            "decisions and attributions only cannot tell them apart while the model stays; labels can, and a "
            "model that is trained on them anew may decide otherwise. **difference**: of the shares blocked, "
            "paired over seeds and strengths."
        )
        figures = {
            f"Told apart, {name}": ranking(
                [row[1] for row in rows if row[0] == name],
                [row[4] for row in rows if row[0] == name],
                xlabel="share of proxies blocked less share of unequal base rates blocked",
                references={"not told apart": 0.0},
            )
            for name in dict.fromkeys(row[0] for row in rows)
        }
        return Section(
            title=self.title, text=text, table=frame.sort("difference", descending=True), figures=figures
        )
