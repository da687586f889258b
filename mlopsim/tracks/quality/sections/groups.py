"""Whom cleaning costs what."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from mlopsim.core.registry import register
from mlopsim.core.section import Results, SectionMaker
from mlopsim.core.track import Section

if TYPE_CHECKING:
    import polars as pl
    from matplotlib.figure import Figure

    from mlopsim.stats.interval import Interval
    from mlopsim.tracks.quality.sections._shared import Found


@register("section", "quality-groups")
@dataclass(kw_only=True)
class QualityGroups(SectionMaker):
    """Right rows that are thrown away, and accuracy, by protected group."""

    track: ClassVar[str] = "quality"
    title: ClassVar[str] = "Groups"
    order: ClassVar[float] = 60
    needs: ClassVar[tuple[str, ...]] = ("dropped_gap", "role", "stage", "action", "known")

    def make(self, results: Results) -> Section | None:
        """Tabulate all groups, draw the first two on the task with the largest gap."""
        import polars as pl

        from mlopsim.stats.table import interval_columns
        from mlopsim.tracks.cell_table import axes_of, done
        from mlopsim.tracks.quality.analysis import BASE, TOP, cleaning
        from mlopsim.tracks.quality.sections._shared import board_methods, curves_of

        table = results.cells
        several = set(done(table).filter(pl.col("dropped_gap").is_finite())["task"].to_list())
        tasks = [task for task in axes_of(table)[1] if task in several]
        if not tasks:
            return None  # one group only
        methods = board_methods(results, BASE, TOP)
        cells = curves_of(table, tasks, results.curves)
        named: dict[str, Any] = {"method": methods}
        for name, values in _columns(table, methods, tasks, cells).items():
            named |= interval_columns(name, values)
        text = (
            f"On the {len(tasks)} tasks with several groups, which are numbered as in the stream. "
            "**dropped**: right rows of the group that are thrown away; **gain**: accuracy of what serves in "
            "the group less that without a gate; **dropped gap**: largest difference between groups; **worst "
            "group gain**: that of the group that fares worst. Cleaning can cost one group more than "
            "another: rows of a small group look unusual."
        )
        gaps = {task: _largest_gap(table, methods, task) for task in tasks}
        changing = set(cleaning(table))
        shown = [method for method in methods if method in changing]
        figure = _by_group(cells, shown, max(gaps, key=lambda name: gaps[name]), axes_of(table)[0])
        return Section(
            title=self.title,
            text=text,
            table=pl.DataFrame(named).sort("dropped_gap", descending=True),
            figures={"Rows dropped by group": figure},
        )


def _columns(
    table: pl.DataFrame, methods: list[str], tasks: list[str], cells: Found
) -> dict[str, list[Interval]]:
    from mlopsim.tracks.cell_table import axes_of, grid, mean_of
    from mlopsim.tracks.quality.analysis import BASE
    from mlopsim.tracks.quality.sections._shared import mean, of_group

    seeds, _ = axes_of(table)
    worst = grid(table, BASE, "score_worst_group", seeds, tasks)
    columns = {
        "dropped_gap": [mean_of(table, method, "dropped_gap", tasks) for method in methods],
        "worst_group_gain": [
            mean(grid(table, m, "score_worst_group", seeds, tasks) - worst) for m in methods
        ],
    }
    for g in range(max(len(values["group_dropped"]) for values in cells.values())):
        base = of_group(cells, BASE, tasks, seeds, "group_accuracy", g)
        columns[f"dropped_{g}"] = [
            mean(of_group(cells, m, tasks, seeds, "group_dropped", g)) for m in methods
        ]
        columns[f"gain_{g}"] = [
            mean(of_group(cells, m, tasks, seeds, "group_accuracy", g) - base) for m in methods
        ]
    return columns


def _by_group(cells: Found, methods: list[str], task: str, seeds: list[Any]) -> Figure:
    """Draw right rows dropped in the second group against those in the first."""
    import numpy as np

    from mlopsim.plots.style import marks_for
    from mlopsim.plots.tradeoff import tradeoff
    from mlopsim.tracks.quality.sections._shared import mean, of_group

    found: dict[str, tuple[Interval, Interval]] = {}
    for method in methods:
        one, other = (mean(of_group(cells, method, [task], seeds, "group_dropped", g)) for g in (0, 1))
        # what drops nothing says nothing here
        if math.isfinite(one.value) and math.isfinite(other.value) and one.value + other.value > 0.0:
            found[method] = (one, other)
    names = list(found)
    ends = [
        (np.array([found[m][g].low for m in names]), np.array([found[m][g].high for m in names]))
        for g in (0, 1)
    ]
    return tradeoff(
        names,
        np.array([found[m][0].value for m in names]),
        np.array([found[m][1].value for m in names]),
        cost_ends=ends[0],
        quality_ends=ends[1],
        xlabel="right rows of group 0 that are dropped",
        ylabel="of group 1",
        pareto=False,
        marks=marks_for(names),
        note=f"{task}, gates before and at training; means and 95 % intervals over {len(seeds)} seeds",
    )


def _largest_gap(table: pl.DataFrame, methods: list[str], task: str) -> float:
    from mlopsim.tracks.cell_table import mean_of

    found = [mean_of(table, method, "dropped_gap", [task]).value for method in methods]
    return max((value for value in found if math.isfinite(value)), default=-math.inf)
