"""Delay against the run length that was asked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from mlopsim.core.registry import register
from mlopsim.core.section import Results, SectionMaker, Unavailable
from mlopsim.core.track import Section
from mlopsim.tracks.drift.sections._shared import SHOWN, marks_of


@register("section", "drift-delays")
@dataclass(kw_only=True)
class Delays(SectionMaker):
    """Delay at each asked run length, over the tasks that all methods can be run on."""

    track: ClassVar[str] = "drift"
    title: ClassVar[str] = "Delay against false alarms"
    order: ClassVar[float] = 70.0
    needs: ClassVar[tuple[str, ...]] = ("role", "known", "limit", "restricted_delay")

    def make(self, results: Results) -> Section:
        """Draw the shortest.

        Raises
        ------
        Unavailable
            If no method has a delay at every run length on every pooled task.
        """
        import numpy as np
        import polars as pl

        from mlopsim.plots.curves import Curve, curves
        from mlopsim.tracks.drift.analysis import found_by_chance, looking, pooled_tasks, ranked

        cells = results.cells
        pool = pooled_tasks(cells)
        rows = looking(cells).filter(pl.col("task").is_in(pool))
        lines: dict[str, Curve] = {}
        for method in ranked(cells):
            own = rows.filter(pl.col("method") == method)
            found = [c for c in map(results.curves, own["key"].to_list()) if "by_arl0_arl0" in c]
            if not found or len(found) < len(own) or found_by_chance(own):
                continue
            grid = np.array([c["by_arl0_restricted_delay"] for c in found])
            if np.isfinite(grid).all():
                lines[method] = Curve(x=found[0]["by_arl0_arl0"], y=grid.mean(axis=0))
        if not lines:
            raise Unavailable("no method has a delay at every run length on all of the pooled tasks")
        best = sorted(lines, key=lambda name: float(lines[name].y.mean()))[:SHOWN]
        seeds = cells["seed"].n_unique()
        figure = curves(
            {name: lines[name] for name in best},
            xlabel="in-control average run length asked, in rows",
            ylabel="restricted delay, in rows",
            xscale="log",
            marks=marks_of(results),
            note=f"the {len(best)} shortest; means over {len(pool) * seeds} cells ({len(pool)} tasks, "
            f"{seeds} "
            "seeds)",
        )
        text = (
            "A detector buys a shorter delay with false alarms: compare at the same abscissa, which is "
            "what is "
            "asked by the law of matching. Delays are of rises of the error."
        )
        return Section(title=self.title, text=text, figures={"Delay against false alarms": figure})
