"""What sections of the quality track share: the costly tasks, curves of cells, numbers of groups."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import polars as pl

from mlopsim.core.section import Results
from mlopsim.stats.bootstrap import mean_interval
from mlopsim.stats.interval import Interval
from mlopsim.tracks.cell_table import done
from mlopsim.tracks.quality.analysis import costly

if TYPE_CHECKING:
    from mlopsim.tracks.quality.track import QualityTrack

Curves = Callable[[str], Mapping[str, np.ndarray]]
#: curves of a cell by method, task and seed
Found = Mapping[tuple[str, str, Any], Mapping[str, np.ndarray]]


def floor_of(results: Results) -> float:
    """Return the loss below which a task counts as one in which nothing is lost."""
    return cast("QualityTrack", results.track).floor


def tasks_with_losses(results: Results) -> list[str]:
    """Return the tasks whose errors cost something."""
    return costly(results.cells, floor_of(results))


def nothing_lost(results: Results) -> str:
    """Say why a section about what is recovered cannot be made."""
    return (
        f"no task loses {floor_of(results):g} of accuracy or more without a gate, its 95 % interval above 0: "
        "there is nothing to recover"
    )


def board_methods(results: Results, *but: str) -> list[str]:
    """Return the methods in the order of the leaderboard, without some."""
    return [method for method in results.leaderboard["method"].to_list() if method not in but]


def curves_of(table: pl.DataFrame, tasks: list[str], curves: Curves) -> Found:
    """Return the curves of (method, task, seed)."""
    rows = done(table).filter(pl.col("task").is_in(tasks))
    return {
        (m, t, s): curves(key) for m, t, s, key in rows.select("method", "task", "seed", "key").iter_rows()
    }


def of_group(cells: Found, method: str, tasks: list[str], seeds: list[Any], name: str, g: int) -> np.ndarray:
    """Return a number of one group, float64 (seeds, tasks); NaN where there is none."""
    found = np.full((len(seeds), len(tasks)), np.nan)
    for i, seed in enumerate(seeds):
        for j, task in enumerate(tasks):
            values = cells.get((method, task, seed), {}).get(name, np.zeros(0))
            if g < len(values):
                found[i, j] = values[g]
    return found


def mean(values: np.ndarray) -> Interval:
    """Return the mean over tasks and seeds, seeds resampled."""
    if not np.isfinite(values).any():
        return Interval(value=math.nan, n=0, reason="undefined in every cell")
    return mean_interval(values, np.random.default_rng(0))
