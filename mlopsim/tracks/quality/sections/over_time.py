"""What serves over time, against clean data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from mlopsim.core.registry import register
from mlopsim.core.section import Results, SectionMaker, Unavailable
from mlopsim.core.track import Section

if TYPE_CHECKING:
    import numpy as np
    import polars as pl

    from mlopsim.tracks.quality.sections._shared import Curves

#: gates that are drawn
SHOWN = 3


@register("section", "quality-over-time")
@dataclass(kw_only=True)
class QualityOverTime(SectionMaker):
    """Accuracy of what serves on the task with the largest loss, window by window."""

    track: ClassVar[str] = "quality"
    title: ClassVar[str] = "Over time"
    order: ClassVar[float] = 90
    needs: ClassVar[tuple[str, ...]] = ("score",)

    def make(self, results: Results) -> Section:
        """Draw the truth, the best gates and no gate."""
        import numpy as np
        import polars as pl

        from mlopsim.plots.curves import Curve
        from mlopsim.plots.curves import curves as draw_curves
        from mlopsim.plots.style import marks_for
        from mlopsim.stats.bootstrap import mean_interval
        from mlopsim.tracks.cell_table import done
        from mlopsim.tracks.quality.analysis import BASE, ORACLE, TOP, loss
        from mlopsim.tracks.quality.sections._shared import board_methods, nothing_lost, tasks_with_losses

        tasks = tasks_with_losses(results)
        if not tasks:
            raise Unavailable(nothing_lost(results))
        worst = max(tasks, key=lambda task: loss(results.cells, task).value)
        rows = done(results.cells).filter(pl.col("task") == worst)
        seeds = sorted(rows["seed"].unique().to_list())
        clean = _over_windows(rows, TOP, seeds, results.curves)
        lines = {}
        for method in (ORACLE, *board_methods(results, BASE, TOP, ORACLE)[:SHOWN], BASE):
            # against the clean data of the same seed: seeds differ far more in level than in loss
            gap = _over_windows(rows, method, seeds, results.curves) - clean
            x = np.flatnonzero(np.isfinite(gap).all(axis=0))
            means = [mean_interval(gap[:, t], np.random.default_rng(0)) for t in x]
            lines[method] = Curve(
                x=x.astype(np.float64),
                y=np.array([m.value for m in means]),
                low=np.array([m.low for m in means]),
                high=np.array([m.high for m in means]),
            )
        figure = draw_curves(
            lines,
            xlabel="window",
            ylabel="accuracy of what serves, less that on clean data",
            marks=marks_for(list(lines)),
            note=f"{worst}; means of paired differences and 95 % intervals over {len(seeds)} seeds",
        )
        text = "The task with the largest loss, window by window."
        return Section(title=self.title, text=text, figures={"Accuracy over time": figure})


def _over_windows(rows: pl.DataFrame, method: str, seeds: list[Any], curves: Curves) -> np.ndarray:
    """Return the accuracy of what serves, float64 (seeds, T); NaN for a seed that is not done."""
    import numpy as np
    import polars as pl

    keys = dict(rows.filter(pl.col("method") == method).select("seed", "key").iter_rows())
    found = {seed: curves(key)["accuracy"] for seed, key in keys.items()}
    length = max((len(values) for values in found.values()), default=0)
    missing = np.full(length, np.nan)
    return np.array([found.get(seed, missing) for seed in seeds])
