"""From cells of the quality track to numbers: what is lost, recovered, and harmed, over tasks and seeds.

Sections, experiments and notebooks read these. A *table* is the table of cells (one row a cell), with the
columns task, method, seed, status, the metrics of the track, and the attributes of its tasks and methods.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from mlopsim.core.text import code_span
from mlopsim.stats.bootstrap import mean_interval, ns_interval
from mlopsim.stats.interval import Interval
from mlopsim.stats.table import best_first, interval_columns
from mlopsim.tracks.cell_table import axes_of, done, fact_columns, grid, mean_of

#: rows that the track itself puts into every table, and by these names only: no gate, clean rows, the truth
BASE, TOP, ORACLE = "none", "clean", "oracle"
MEANS = ("recall", "recall_at_5pct", "false_alarm", "auroc", "dropped", "dropped_gap")
#: attributes of methods and of tasks, in the order of a page
FACTS = ("family", "role", "stage", "level", "action", "reads", "needs", "known", "limit")
TASK_FACTS = ("stream", "base", "scenario", "strength", "mechanism", "timing", "learner", "real")
NOTHING_LOST = "too little was lost without a gate"


def loss(table: pl.DataFrame, task: str) -> Interval:
    """Return what the errors of a task cost without a gate: accuracy on clean data less that without one."""
    seeds, _ = axes_of(table)
    gap = grid(table, TOP, "score", seeds, [task]) - grid(table, BASE, "score", seeds, [task])
    return mean_interval(gap, np.random.default_rng(0))


def costly(table: pl.DataFrame, floor: float) -> list[str]:
    """Return the tasks whose errors cost something: the loss is at least the floor, its interval above 0."""
    found = {task: loss(table, task) for task in axes_of(table)[1]}
    return [task for task, lost in found.items() if lost.low > 0.0 and lost.value >= floor]


def recovered(table: pl.DataFrame, method: str, tasks: list[str]) -> Interval:
    """Return (S_gate - S_none) / (S_clean - S_none), sums over tasks and seeds, seeds resampled."""
    if not tasks:
        return Interval(value=math.nan, n=0, reason=NOTHING_LOST)
    seeds, _ = axes_of(table)
    own = grid(table, method, "score", seeds, tasks)
    if not np.isfinite(own).all():
        return Interval(value=math.nan, n=0, reason="not done on every task and seed")
    return ns_interval(
        own,
        grid(table, BASE, "score", seeds, tasks),
        grid(table, TOP, "score", seeds, tasks),
        np.random.default_rng(0),
    )


def leaderboard(table: pl.DataFrame, floor: float) -> pl.DataFrame:
    """Aggregate the cell table to one row a method, the largest recovered share first.

    Returns
    -------
    polars.DataFrame
        method, ``recovered`` over the tasks in which something was lost, ``harm`` (accuracy on clean
        data less that with the gate, in tasks without errors), and the means of :data:`MEANS` over the tasks
        with errors, each with ``_low``, ``_high``, ``_n``, ``_reason``; ``cells``: done; the attributes
        :data:`FACTS`, null where cells of an earlier version have none.
    """
    _, tasks = axes_of(table)
    methods = list(dict.fromkeys(table["method"].to_list()))
    lost = costly(table, floor)
    wrong = with_errors(table)
    right = [task for task in tasks if task not in wrong]
    columns: dict[str, Any] = {"method": methods}
    columns |= interval_columns("recovered", [recovered(table, m, lost) for m in methods])
    columns |= interval_columns("harm", [harm(table, m, right) for m in methods])
    # cells of an earlier version lack some
    for name in (each for each in MEANS if each in table.columns):
        columns |= interval_columns(name, [mean_of(table, m, name, wrong) for m in methods])
    counts = dict(done(table).group_by("method").len().iter_rows())
    columns["cells"] = [int(counts.get(m, 0)) for m in methods]
    columns |= fact_columns(table, methods, FACTS)
    return best_first(pl.DataFrame(columns), "recovered", "max")


def with_errors(table: pl.DataFrame) -> list[str]:
    """Return the tasks in which something is wrong: recall of the truth is defined there."""
    rows = done(table).filter((pl.col("method") == ORACLE) & pl.col("recall").is_finite())
    known = set(rows["task"].to_list())
    return [task for task in axes_of(table)[1] if task in known]


def harm(table: pl.DataFrame, method: str, tasks: list[str]) -> Interval:
    """Return what a gate costs where nothing is wrong."""
    if not tasks:
        return Interval(value=math.nan, n=0, reason="there is no task without errors")
    seeds, _ = axes_of(table)
    gap = grid(table, TOP, "score", seeds, tasks) - grid(table, method, "score", seeds, tasks)
    if not np.isfinite(gap).any():
        return Interval(value=math.nan, n=0, reason="no cell is done")
    return mean_interval(gap, np.random.default_rng(0))


def cleaning(table: pl.DataFrame) -> list[str]:
    """Return the gates that drop or repair rows before training or at training, ``random`` among them.

    Not those that know the truth. The table needs the attributes stage, action and known.

    Examples
    --------
    >>> cleaning(pl.DataFrame({
    ...     "method": ["a", "a @test", "b @train", "none", "oracle"],
    ...     "stage": ["entry", "release", "training", "entry", "entry"],
    ...     "action": ["drop", "hold", "weight", None, "drop"],
    ...     "known": ["nothing", "nothing", "nothing", "nothing", "the truth"],
    ... }))
    ['a', 'b @train']
    """
    rows = table.filter(
        pl.col("stage").is_in(["entry", "training"])
        & pl.col("action").is_not_null()
        & (pl.col("known") == "nothing")
    )
    return list(dict.fromkeys(rows["method"].to_list()))


@dataclass(frozen=True, kw_only=True)
class Disagreement:
    """Two gates that recall and worth order differently on a task, both beyond their intervals.

    Parameters
    ----------
    task : str
    finds, gains : str
        The gate with the larger recall, and the one that recovers more.
    recall, recovered : (float, float)
        Of ``finds`` and of ``gains``.
    """

    task: str
    finds: str
    gains: str
    recall: tuple[float, float]
    recovered: tuple[float, float]

    @property
    def text(self) -> str:
        """One sentence of a report, with names set as code."""
        task, finds, gains = map(code_span, (self.task, self.finds, self.gains))
        return (
            f"on {task}, {finds} finds {self.recall[0]:.2f} of the wrong rows and recovers "
            f"{self.recovered[0]:.2f} of what is lost, {gains} finds {self.recall[1]:.2f} and recovers "
            f"{self.recovered[1]:.2f}"
        )


def disagreements(rows: Sequence[tuple[str, str, Interval, Interval]]) -> list[Disagreement]:
    """Return the pairs of gates that recall and worth order differently, the clearest first.

    Parameters
    ----------
    rows : sequence of (task, method, recall, recovered)

    Examples
    --------
    >>> one = "t", "a", Interval(value=.5, low=.4, high=.6, n=9), Interval(value=.1, low=.0, high=.2, n=9)
    >>> two = "t", "b", Interval(value=.2, low=.1, high=.3, n=9), Interval(value=.9, low=.8, high=1., n=9)
    >>> for part in disagreements([one, two])[0].text.split(", "):
    ...     print(part)
    on `t`
    `a` finds 0.50 of the wrong rows and recovers 0.10 of what is lost
    `b` finds 0.20 and recovers 0.90
    """
    found = []
    for task, one, recall, worth in rows:
        for other_task, other, recall2, worth2 in rows:
            if task == other_task and recall.low > recall2.high and worth.high < worth2.low:
                found.append(
                    Disagreement(
                        task=task,
                        finds=one,
                        gains=other,
                        recall=(recall.value, recall2.value),
                        recovered=(worth.value, worth2.value),
                    )
                )

    def clear(pair: Disagreement) -> float:
        # shares far below 0 say little about how far apart two gates are
        ends = [min(1.0, max(0.0, value)) for value in pair.recovered]
        return -min(pair.recall[0] - pair.recall[1], ends[1] - ends[0])

    return sorted(found, key=clear)
