"""Delay beside what can be attained at all."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from mlopsim.core.registry import register
from mlopsim.core.section import Results, SectionMaker
from mlopsim.core.track import Section
from mlopsim.tracks.drift.sections._shared import SHOWN

if TYPE_CHECKING:
    import numpy as np
    import polars as pl

    from mlopsim.plots.curves import Curve

#: what references are called, by the curve that holds them
NAMES = {"floor": "floor (Lorden)", "cusum": "CUSUM, long run", "roberts": "SR, long run"}


@register("section", "drift-floors")
@dataclass(kw_only=True)
class Floors(SectionMaker):
    """Delay against false alarms on each pair of known laws, with the exact floor under it."""

    track: ClassVar[str] = "drift"
    title: ClassVar[str] = "Floor"
    order: ClassVar[float] = 80.0
    needs: ClassVar[tuple[str, ...]] = ("role", "bound", "restricted_delay")

    def make(self, results: Results) -> Section | None:
        """Draw a figure for each task of known laws; nothing without such a task."""
        import numpy as np
        import polars as pl

        from mlopsim.plots.curves import Curve, curves
        from mlopsim.plots.style import Mark, marks_for
        from mlopsim.tracks.drift.analysis import looking

        rows = looking(results.cells).filter(pl.col("restricted_delay").is_finite())
        figures: dict[str, Any] = {}
        frames = []
        for task in dict.fromkeys(rows["task"].to_list()):
            chosen = rows.filter(pl.col("task") == task)
            known = _known(results, task)
            if not known:
                continue
            arl0 = results.curves(chosen["key"][0])["by_arl0_arl0"]
            lines = _measured(chosen, results)
            best = sorted(lines, key=lambda name: float(np.nanmean(lines[name].y)))[:SHOWN]
            shown = {name: lines[name] for name in best}
            shown |= {n: Curve(x=arl0, y=values) for n, values in known.items() if np.isfinite(values).any()}
            marks = marks_for([*best, *known]) | {NAMES["floor"]: Mark(colour="#000000", dash="-")}
            seeds = chosen["seed"].n_unique()
            figures[f"Delay on {task}"] = curves(
                shown,
                xlabel="in-control average run length asked, in rows",
                ylabel="restricted delay, in rows",
                xscale="log",
                yscale="log",
                marks=marks,
                legend=True,
                note=f"{task}: the {len(best)} shortest, means over {seeds} scenario seeds with 95 % "
                "intervals; "
                "references: exact",
            )
            for name, values in known.items():
                entries = {f"{value:,.0f}": delay for value, delay in zip(arl0, values, strict=True)}
                frames.append({"task": task, "reference": name, **entries})
        if not figures:
            return None
        text = (
            "On independent ticks with known laws. **floor**: no procedure with that in-control average run "
            "length has a shorter worst-case delay (Lorden's criterion), which the CUSUM that knows both "
            "laws attains (Moustakides 1986). The other two lines are what CUSUM and Shiryaev-Roberts (SR), "
            "which know both, need in the long run without a false alarm before. A delay at one given change "
            "is no worst case and may lie a little below the floor; the detectors are calibrated by P(alarm "
            "within H), the references by the average run length. Delays count the rows from the first "
            "changed one to the alarm's, 0 if they are the same. The table has the references at each run "
            "length; empty: no exact method for these laws."
        )
        return Section(title=self.title, text=text, table=pl.DataFrame(frames), figures=figures)


def _known(results: Results, task: str) -> dict[str, np.ndarray]:
    """Return the references that the cell of who knows the changes holds, at each run length."""
    import polars as pl

    rows = results.cells.filter((pl.col("task") == task) & (pl.col("bound") == "upper"))
    rows = rows.filter(pl.col("status") == "done")
    found = results.curves(rows["key"][0]) if len(rows) else {}
    return {text: found[f"reference_{name}"] for name, text in NAMES.items() if f"reference_{name}" in found}


def _measured(rows: pl.DataFrame, results: Results) -> dict[str, Curve]:
    import numpy as np
    import polars as pl

    from mlopsim.plots.curves import Curve
    from mlopsim.stats.bootstrap import mean_interval

    lines = {}
    for method in dict.fromkeys(rows["method"].to_list()):
        found = [results.curves(key) for key in rows.filter(pl.col("method") == method)["key"].to_list()]
        grid = np.array([c["by_arl0_restricted_delay"] for c in found])
        known = np.isfinite(grid).all(axis=0)
        if known.any():
            means = [
                mean_interval(values, np.random.default_rng(0)) if ok else None
                for values, ok in zip(grid.T, known, strict=True)
            ]
            lines[method] = Curve(
                x=found[0]["by_arl0_arl0"],
                y=np.array([math.nan if mean is None else mean.value for mean in means]),
                low=np.array([math.nan if mean is None else mean.low for mean in means]),
                high=np.array([math.nan if mean is None else mean.high for mean in means]),
            )
    return lines
