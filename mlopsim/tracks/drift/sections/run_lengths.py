"""Run lengths without a change."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from mlopsim.core.registry import register
from mlopsim.core.section import Results, SectionMaker, Unavailable
from mlopsim.core.track import Section
from mlopsim.tracks.drift.sections._shared import calibration_of

if TYPE_CHECKING:
    from mlopsim.plots.curves import Curve


@register("section", "drift-run-lengths")
@dataclass(kw_only=True)
class RunLengths(SectionMaker):
    """P(alarm within n) on fresh drift-free signals, beside that of the memoryless detector."""

    track: ClassVar[str] = "drift"
    title: ClassVar[str] = "Run lengths without a change"
    order: ClassVar[float] = 90.0
    needs: ClassVar[tuple[str, ...]] = ("share",)

    def make(self, results: Results) -> Section:
        """Draw one law with ticks of rows and one with windows: those that most methods are calibrated on.

        Raises
        ------
        Unavailable
            If no cell keeps run lengths.
        """
        import numpy as np

        from mlopsim.plots.curves import Curve, curves
        from mlopsim.plots.style import Mark, marks_for

        calibration = calibration_of(results)
        groups = _groups(results)
        figures = {}
        for unit in ("rows", "windows"):
            names = [key for key in groups if key[1] == unit]
            if not names:
                continue
            task = max(names, key=lambda key: len(groups[key]))[0]
            lines = groups[task, unit]
            at = next(iter(lines.values())).x
            rows_a_tick = round(calibration.horizon / at[-1])
            ideal = Curve(x=at, y=-np.expm1(-at * rows_a_tick / calibration.arl0))
            shown = {"memoryless": ideal} | lines
            figures[f"Run lengths in {unit}"] = curves(
                shown,
                xlabel=f"n, in {unit}",
                ylabel="P(alarm within n)",
                marks=marks_for(list(shown)) | {"memoryless": Mark(colour="#000000", dash="-")},
                legend=True,
                note=f"{task}, without its change; {calibration.checks} fresh signals a method",
            )
        if not figures:
            raise Unavailable("no limit was found or checked, so there are no run lengths")
        text = (
            "All are made to meet at the right end, n = H; on the way there they differ: a method that "
            "estimates the law anew raises its false alarms early, another hardly at all. An average run "
            "length alone does not tell them apart. The black line is the memoryless detector's 1 - exp(-n / "
            "ARL0)."
        )
        return Section(title=self.title, text=text, figures=figures)


def _groups(results: Results) -> dict[tuple[str, str], dict[str, Curve]]:
    """Return the run lengths of methods by task and unit of a tick."""
    import polars as pl

    from mlopsim.plots.curves import Curve
    from mlopsim.tracks.cell_table import done
    from mlopsim.tracks.drift.analysis import once_a_law

    horizon = calibration_of(results).horizon
    rows = once_a_law(done(results.cells).filter(pl.col("fit").is_not_null() & pl.col("share").is_finite()))
    groups: dict[tuple[str, str], dict[str, Curve]] = {}
    for row in rows.select("key", "task", "method").iter_rows(named=True):
        found = results.curves(row["key"])
        if "run_length_survival" in found:
            at = found["run_length_at"]
            unit = "windows" if at[-1] * 5 < horizon else "rows"
            line = Curve(x=at, y=1.0 - found["run_length_survival"])
            groups.setdefault((row["task"], unit), {})[row["method"]] = line
    return groups
