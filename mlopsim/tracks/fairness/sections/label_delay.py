"""What becomes of audits where labels are late."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from mlopsim.core.registry import register
from mlopsim.core.section import Results, SectionMaker
from mlopsim.core.track import Section


@register("section", "fairness-label-delay")
@dataclass(kw_only=True)
class LabelDelay(SectionMaker):
    """Power and delay of every method as labels come later, in the same deployments."""

    track: ClassVar[str] = "fairness"
    title: ClassVar[str] = "Label delay"
    order: ClassVar[float] = 45.0
    needs: ClassVar[tuple[str, ...]] = ("power", "restricted_delay", "scenario", "label_delay", "conditions")

    def make(self, results: Results) -> Section | None:
        """Make a table, and a figure a scenario; None where no bias is met with several delays."""
        import numpy as np
        import polars as pl

        from mlopsim.plots.curves import Curve, curves
        from mlopsim.plots.style import marks_for
        from mlopsim.stats.table import interval_columns
        from mlopsim.tracks.cell_table import fact_columns, mean_of
        from mlopsim.tracks.fairness.analysis import batteries, biased, shifted, under_conditions

        table = results.cells
        groups = under_conditions(table, "label_delay", biased(table))
        if not groups:
            return None
        methods = results.leaderboard["method"].to_list()
        keys = [(s, m, late) for s, by in groups.items() for m in methods for late in by]
        least = {s: by[min(by)] for s, by in groups.items()}
        delays = {(s, m, late): mean_of(table, m, "restricted_delay", groups[s][late]) for s, m, late in keys}
        later = [shifted(table, m, "restricted_delay", groups[s][late], least[s]) for s, m, late in keys]
        frame = pl.DataFrame(
            {
                "scenario": [s for s, *_ in keys],
                "method": [m for _, m, _ in keys],
                **fact_columns(table, [m for _, m, _ in keys], ("needs",)),
                "label_delay": [late for *_, late in keys],
                **interval_columns("power", [mean_of(table, m, "power", groups[s][n]) for s, m, n in keys]),
                **interval_columns("restricted_delay", [delays[key] for key in keys]),
                **interval_columns("later", later),
            }
        )
        text = (
            "The same deployments, with labels that come so many windows later: audits that use labels look "
            "at the last rows that have some, models are trained on the last windows that have some, all "
            "else is as soon as ever. A block on account of rows from before the onset finds nothing. "
            "**later**: windows by which the bias is found later than with the least delay, paired over "
            "seeds and strengths (a bias that is missed counts all windows)."
        )
        together = batteries(table)
        figures = {
            f"Delay of batteries, {s}": curves(
                {
                    m: Curve(
                        x=np.array(list(by), dtype=np.float64),
                        y=np.array([delays[s, m, late].value for late in by]),
                        low=np.array([delays[s, m, late].low for late in by]),
                        high=np.array([delays[s, m, late].high for late in by]),
                    )
                    for m in together
                },
                xlabel="windows from rows to labels",
                ylabel="windows from onset to alarm",
                marks=marks_for(together),
                note=f"{s}; 95 % intervals over seeds; a bias that is missed counts all windows",
            )
            for s, by in groups.items()
            if together
        }
        return Section(title=self.title, text=text, table=frame, figures=figures)
