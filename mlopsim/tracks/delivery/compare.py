"""The paired difference in NS of two selectors."""

from __future__ import annotations

import polars as pl

from mlopsim.stats.bootstrap import ns_difference
from mlopsim.stats.interval import Interval
from mlopsim.tracks.comparison import by_task as tabulated
from mlopsim.tracks.comparison import comparison
from mlopsim.tracks.delivery.analysis import Arena, bracket_widths, over_blocks, pooled, scores
from mlopsim.tracks.draws import bootstrap_rng


def compare(table: pl.DataFrame, a: str, b: str) -> pl.DataFrame:
    """Return NS(a) - NS(b) by task and over the tasks that the leaderboard pools, seeds resampled jointly.

    Beside it the width of the oracle's bracket, in units of NS.

    A scenario counts where both methods, ``never`` and the oracle are done.
    """
    arena = Arena.of(table)

    def difference(tasks: list[str]) -> Interval:
        places = arena.columns(tasks)
        x, y = (arena.grid(arena.returns[method], places) for method in (a, b))
        base, top = arena.grid(arena.never, places), arena.grid(arena.upper, places)
        if not arena.real(places):
            return ns_difference(x, y, base, top, bootstrap_rng(1))
        return over_blocks(arena, places, x - y, top - base)

    def width(tasks: list[str]) -> Interval:
        return bracket_widths(arena, [[a, b]], arena.columns(tasks))[0]

    return comparison(arena.tasks, Arena.of(pooled(table)).tasks, difference, bracket=width)


def by_task(table: pl.DataFrame) -> pl.DataFrame:
    """Return NS of each method on each task."""
    arena = Arena.of(table)
    places = {task: [i] for i, task in enumerate(arena.tasks)}
    return tabulated(arena.tasks, arena.methods, "ns", lambda task, m: scores(arena, m, places[task])[0])
