"""One deployment of each task, window by window."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from mlopsim.core.errors import MlopsimError
from mlopsim.core.registry import register
from mlopsim.core.section import Results, SectionMaker, Unavailable
from mlopsim.core.track import Section

if TYPE_CHECKING:
    import numpy as np
    from matplotlib.figure import Figure

    from mlopsim.plots.style import Mark

    Curves = Mapping[str, np.ndarray]

#: tasks that are drawn, at most: a sweep has hundreds
SHOWN = 12


@register("section", "delivery-time-lines")
@dataclass(kw_only=True)
class DeliveryTimeLines(SectionMaker):
    """Quality of what served, drift and actions; a figure a task."""

    track: ClassVar[str] = "delivery"
    title: ClassVar[str] = "Time lines"
    order: ClassVar[float] = 60
    needs: ClassVar[tuple[str, ...]] = ("return", "family")

    def make(self, results: Results) -> Section:
        """Draw the best methods in the first scenario of each task."""
        import polars as pl

        from mlopsim.plots.style import marks_for
        from mlopsim.tracks.cell_table import done
        from mlopsim.tracks.delivery.analysis import NEVER, ORACLE
        from mlopsim.tracks.delivery.sections._shared import best

        methods = [NEVER, *best(results)]
        marks = marks_for(results.leaderboard["method"].to_list())
        table = done(results.cells)
        figures: dict[str, Figure] = {}
        seeds: dict[str, int] = {}
        tasks = list(dict.fromkeys(table["task"].to_list()))
        for task in tasks[:SHOWN]:
            here = table.filter(pl.col("task") == task)
            seed = min(here["seed"].to_list())
            rows = dict(here.filter(pl.col("seed") == seed).select("method", "key").iter_rows())
            names = [name for name in methods if name in rows]
            if names:
                curves = {name: results.curves(rows[name]) for name in names}
                oracle = results.curves(rows[ORACLE]) if ORACLE in rows else None
                figures[f"Time line: {task}"] = _time_line(curves, oracle, marks)
                seeds[task] = seed
        if not figures:
            raise Unavailable("no cell of the methods that would be drawn is done")
        which = sorted(set(seeds.values()))
        said = f"seed {which[0]}" if len(which) == 1 else "its first seed that is done"
        text = (
            f"One deployment of each task ({said}): quality of what served, true drift shaded, actions. The "
            f"methods are the first {len(methods) - 1} of the leaderboard without hindsight, and `never`."
        )
        if len(tasks) > SHOWN:
            text += f" Drawn are the first {SHOWN} of {len(tasks)} tasks."
        return Section(title=self.title, text=text, figures=figures)


def _time_line(rolled: Mapping[str, Curves], oracle: Curves | None, marks: dict[str, Mark]) -> Any:
    import numpy as np

    from mlopsim.plots.timeline import Rollout, Span, Timeline, timeline

    first = next(iter(rolled.values()))
    windows = first["windows"]
    if any(len(curve["quality"]) != len(windows) for curve in rolled.values()):
        raise MlopsimError("the roll-outs of one task have different lengths")
    drawn = []
    for name, curve in rolled.items():
        served = curve["served"].astype(np.int64)
        changed = np.flatnonzero(np.diff(served, prepend=served[0]) != 0)
        back = np.flatnonzero(curve["rollback"])
        drawn.append(
            Rollout(
                name=name,
                alarms=[int(windows[i]) for i in np.flatnonzero(curve["alarm"])] if "alarm" in curve else (),
                quality=curve["quality"].astype(np.float64),
                retrains=[int(windows[i]) for i in np.flatnonzero(curve["retrained"])],
                switches=[int(windows[i]) for i in changed if i not in back],
                rollbacks=[int(windows[i]) for i in back],
            )
        )
    drifts = [Span(start=float(a), end=float(b)) for a, b in first["drifts"]]
    quality = None if oracle is None else oracle["quality"].astype(np.float64)
    line = Timeline(windows=windows.astype(np.int64), rollouts=drawn, oracle=quality, drifts=drifts)
    return timeline(line, marks=marks, ylabel="quality")
