"""Ranks of detectors over tasks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from mlopsim.core.registry import register
from mlopsim.core.section import Results, SectionMaker, Unavailable
from mlopsim.core.track import Section
from mlopsim.tracks.drift.realised_alarms import WORDS
from mlopsim.tracks.drift.sections._shared import marks_of

if TYPE_CHECKING:
    import polars as pl

    from mlopsim.plots.style import Mark

#: fewest methods and tasks that are ranked
METHODS, TASKS = 3, 2


@register("section", "drift-ranks")
@dataclass(kw_only=True)
class Ranks(SectionMaker):
    """Friedman's test over tasks with Nemenyi's difference: of all methods, and of those that read the same.

    Methods are calibrated, look at the signal and know nothing beforehand.
    """

    track: ClassVar[str] = "drift"
    title: ClassVar[str] = "Ranks"
    order: ClassVar[float] = 40.0
    needs: ClassVar[tuple[str, ...]] = ("role", "known", "limit", "channel", "restricted_delay")

    def make(self, results: Results) -> Section:
        """Rank them.

        Raises
        ------
        Unavailable
            With fewer than three methods that are defined on all pooled tasks, or fewer than two tasks.
        """
        import polars as pl

        from mlopsim.tracks.cell_table import done
        from mlopsim.tracks.drift.analysis import by_match, channels, pooled_tasks, through

        marks = marks_of(results)
        found: list[tuple[str, dict[str, Any] | None]] = []
        for match, cells in by_match(results.cells):
            found.append((f"all{match}", _ranked(done(cells), pooled_tasks(cells), marks)))
            groups = channels(cells)
            for channel in groups if len(groups) > 1 else []:
                rows = through(cells, channel)
                found.append((f"{channel}{match}", _ranked(rows, pooled_tasks(rows), marks)))
        made = [(reads, one) for reads, one in found if one is not None]
        if not made:
            raise Unavailable(
                f"a ranking takes {METHODS} methods that have a delay on each of {TASKS} tasks at least"
            )
        figures = {
            "Critical difference" + (f", {reads}" if reads != "all" else ""): one["figure"]
            for reads, one in made
        }
        tests = "; ".join(f"{reads}: {one['test']}" for reads, one in made)
        text = (
            "Ranks by mean restricted delay of rises, one block a task: of all methods on the tasks that "
            "all can be "
            "run on, and of those that read the same on the tasks that these share. Friedman's test: "
            f"{tests}. Tasks that share a concept are no independent blocks: take p-values as a "
            "description.\n\n"
            f"{WORDS}"
        )
        table = pl.concat(
            [one["table"].insert_column(0, pl.Series("reads", [reads] * one["k"])) for reads, one in made]
        )
        return Section(title=self.title, text=text, table=table, figures=figures)


def _ranked(rows: pl.DataFrame, pool: list[str], marks: dict[str, Mark]) -> dict[str, Any] | None:
    """Rank the methods of some cells over tasks; None with too few of either."""
    import numpy as np
    import polars as pl

    from mlopsim.plots.critical_difference import critical_difference
    from mlopsim.stats.rank_tests import cliques, friedman, nemenyi_cd
    from mlopsim.tracks.drift.analysis import calibrations, delays_by_task, found_by_chance, ranked
    from mlopsim.tracks.drift.realised_alarms import with_realised

    rows = rows.filter(pl.col("task").is_in(pool))
    methods = [m for m in ranked(rows) if not found_by_chance(rows.filter(pl.col("method") == m))]
    scores = np.array([delays_by_task(rows, method, pool) for method in methods]).T
    # a method that could not be run somewhere would cost everybody that task
    whole = np.isfinite(scores).all(axis=0) if len(scores) else np.zeros(0, dtype=bool)
    names = [name for name, ok in zip(methods, whole, strict=True) if ok]
    if len(names) < METHODS or len(pool) < TASKS:
        return None
    test = friedman(scores[:, whole], direction="min")
    cd = nemenyi_cd(test.k, test.n)
    left = [name for name in methods if name not in names]
    note = "n: tasks; Nemenyi at 5 %"
    if left:
        note += f"\nleft out, undefined on a task: {', '.join(left)}"
    figure = critical_difference(
        names, test.ranks, cliques(test.ranks, cd), cd=cd, n=test.n, note=note, marks=marks
    )
    order = np.argsort(test.ranks, kind="stable")
    frame = pl.DataFrame(
        {
            "method": [names[i] for i in order],
            "mean rank": test.ranks[order],
            "tasks": [test.n] * len(names),
        }
    )
    frame = with_realised(frame, calibrations(rows))
    words = f"chi-square {test.statistic:.1f}, p = {test.p:.2g}, n = {test.n} tasks, {test.k} methods"
    return {"figure": figure, "table": frame, "test": words, "k": test.k}
