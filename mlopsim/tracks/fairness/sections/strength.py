"""How what is found grows with the bias."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from mlopsim.core.registry import register
from mlopsim.core.section import Results, SectionMaker
from mlopsim.core.track import Section


@register("section", "fairness-strength")
@dataclass(kw_only=True)
class Strength(SectionMaker):
    """Share of deployments blocked against the strength of the bias, a figure a scenario."""

    track: ClassVar[str] = "fairness"
    title: ClassVar[str] = "Power against strength"
    order: ClassVar[float] = 30.0
    needs: ClassVar[tuple[str, ...]] = ("power", "scenario", "strength", "limit", "battery")

    def make(self, results: Results) -> Section | None:
        """Make a table of calibrated methods, and curves of some; None where each bias has one strength."""
        import numpy as np
        import polars as pl

        from mlopsim.plots.curves import Curve, curves
        from mlopsim.plots.style import marks_for
        from mlopsim.stats.table import interval_columns
        from mlopsim.tracks.cell_table import mean_of
        from mlopsim.tracks.fairness.analysis import (
            batteries,
            biased,
            calibrated,
            scenarios,
            strengths,
            unequal,
        )
        from mlopsim.tracks.fairness.sections._shared import seeds_text

        table = results.cells
        strength, wrong = strengths(table), biased(table)
        groups = {n: t for n, t in scenarios(table, wrong + unequal(table)).items() if len(t) > 1}
        if not groups:
            return None
        together, alike = batteries(table), set(calibrated(table))
        plain = [method for method in results.leaderboard["method"].to_list() if method in alike]
        rows = []
        figures = {}
        for name, tasks in groups.items():
            metric = "power" if tasks[0] in wrong else "false_block"
            values = {m: [mean_of(table, m, metric, [task]) for task in tasks] for m in plain}
            rows += [
                (name, strength[task], m, value)
                for m in plain
                for task, value in zip(tasks, values[m], strict=True)
            ]
            single = [m for m in plain if m not in together]
            best = sorted(single, key=lambda m: -float(np.nanmean([v.value for v in values[m]])))[:2]
            shown = [*together, *best]
            x = np.array([strength[task] for task in tasks])
            figures[f"Power, {name}"] = curves(
                {
                    m: Curve(
                        x=x,
                        y=np.array([v.value for v in values[m]]),
                        low=np.array([v.low for v in values[m]]),
                        high=np.array([v.high for v in values[m]]),
                    )
                    for m in shown
                },
                xlabel="strength of the bias",
                ylabel="deployments blocked",
                ylim=(-0.02, 1.02),
                marks=marks_for(shown),
                note=f"{name}; batteries and the two best audits; 95 % intervals over "
                + seeds_text(value for m in shown for value in values[m]),
            )
        frame = pl.DataFrame(
            {
                "scenario": [row[0] for row in rows],
                "strength": [row[1] for row in rows],
                "method": [row[2] for row in rows],
                **interval_columns("blocked", [row[3] for row in rows]),
            }
        )
        text = "Share of deployments blocked as the bias grows; all methods meet the same people."
        return Section(title=self.title, text=text, table=frame, figures=figures)
