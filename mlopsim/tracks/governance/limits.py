"""Limits of the tasks of a cell table, and whether methods met them."""

from __future__ import annotations

import math
import weakref
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from mlopsim.core.errors import ConfigError
from mlopsim.core.track import Curves
from mlopsim.governance.constraint import Over, longest_run
from mlopsim.stats.bootstrap import mean_interval
from mlopsim.stats.interval import Interval
from mlopsim.tracks.cell_table import axes_of, done, facts, grid
from mlopsim.tracks.draws import bootstrap_rng
from mlopsim.tracks.governance.limit_facts import LIMIT, ON, WEIGHT

#: in front of the name of a constraint: the series of its cost by window
COST = "cost_"


@dataclass(frozen=True, kw_only=True)
class Limit:
    """One limit of a task.

    Parameters
    ----------
    name : str
        Of the constraint.
    limit : float
        What is allowed.
    over : Over
        Of what: the mean cost of a window, the cost of each, the longest run.
    weight : float
        Of the constraint in the cost of a cell.
    alone : bool
        Whether the task has no other constraint.
    """

    name: str
    limit: float
    over: Over
    weight: float
    alone: bool


def limits_of(table: pl.DataFrame, task: str) -> list[Limit]:
    """Return the limits of a task of a cell table.

    Examples
    --------
    >>> table = pl.DataFrame({"task": ["a", "b"], "role": ["-", "-"], "limit_parity": [0.1, None],
    ...                       "limit_on_parity": ["mean", None], "weight_parity": [1.0, None]})
    >>> [(one.name, one.limit, one.alone) for one in limits_of(table, "a")], limits_of(table, "b")
    ([('parity', 0.1, True)], [])
    """
    names = [name.removeprefix(WEIGHT) for name in table.columns if name.startswith(WEIGHT)]
    known = [(name, facts(table, LIMIT + name, of="task")[task]) for name in names]
    there = [(name, limit) for name, limit in known if limit is not None]
    return [
        Limit(
            name=name,
            limit=float(limit),
            over=Over(facts(table, ON + name, of="task")[task]),
            weight=float(facts(table, WEIGHT + name, of="task")[task]),
            alone=len(there) == 1,
        )
        for name, limit in there
    ]


def spent(table: pl.DataFrame, method: str, task: str, limit: Limit, curves: Curves | None) -> np.ndarray:
    """Return what a limit is on, of each deployment of a method: float64 (seeds,), NaN where it is not done.

    Parameters
    ----------
    table : polars.DataFrame
        Cells.
    method, task : str
        Of the cells.
    limit : Limit
        Of the task.
    curves : callable or None
        Series of a cell by its key, of which the costs of single constraints are read.

    Returns
    -------
    ndarray of float64, shape (seeds,)
        Mean cost of a window, largest cost of one, or longest run of windows with a cost.

    Raises
    ------
    ConfigError
        If the series are needed and not given.
    """
    seeds, _ = axes_of(table)
    if limit.alone and limit.over is Over.MEAN and limit.weight > 0.0:
        found: np.ndarray = grid(table, method, "cost", seeds, [task])[:, 0] / limit.weight
        return found
    if curves is None:
        raise ConfigError(
            f"what {limit.name} cost in the task '{task}' stands in the series of the cells",
            remedy="give curves: what returns the series of a cell by its key",
        )
    values = dict.fromkeys(seeds, math.nan)
    here = done(table).filter((pl.col("method") == method) & (pl.col("task") == task))
    for seed, key in here.select("seed", "key").iter_rows():
        values[seed] = _sums(table, key, curves).get((limit.name, limit.over), math.nan)
    return np.array([values[seed] for seed in seeds])


#: the table that was read last, and what its deployments cost: a report asks for each several times
_LAST: list[tuple[weakref.ref[pl.DataFrame], dict[str, dict[tuple[str, Over], float]]]] = []


def _forget(gone: weakref.ref[pl.DataFrame]) -> None:
    """Keep nothing of a table that is gone."""
    _LAST[:] = [entry for entry in _LAST if entry[0] is not gone]


def _sums(table: pl.DataFrame, key: str, curves: Curves) -> dict[tuple[str, Over], float]:
    """Return what limits are on, by constraint and kind of limit, of one deployment."""
    if not _LAST or _LAST[0][0]() is not table:
        _LAST[:] = [(weakref.ref(table, _forget), {})]
    known = _LAST[0][1]
    if key not in known:
        sums = {}
        for name, series in curves(key).items():
            if name.startswith(COST):
                cost = np.asarray(series, dtype=np.float64)
                sums[name.removeprefix(COST), Over.MEAN] = float(cost.mean())
                sums[name.removeprefix(COST), Over.WINDOW] = float(cost.max())
                sums[name.removeprefix(COST), Over.RUN] = float(longest_run(cost))
        known[key] = sums
    return known[key]


@dataclass(frozen=True, kw_only=True)
class Kept:
    """Whether a method kept one limit of a task.

    Parameters
    ----------
    limit : Limit
        Which.
    spent : Interval
        What it is on, over deployments. Of a limit on each window or on runs, ``value`` and both ends are the
        share of deployments that broke it: they are single deployments' limits.
    met : bool or None
        Whether the upper end of the mean cost is at most the limit; of the others, whether no deployment
        broke it. None: there is no interval.
    beyond : float
        By how much the upper end is above the limit (share of deployments that broke it); 0 if it is met.
    """

    limit: Limit
    spent: Interval
    met: bool | None
    beyond: float


def kept(table: pl.DataFrame, method: str, task: str, limit: Limit, curves: Curves | None) -> Kept:
    """Say whether a method met a limit of a task.

    A limit on the mean is met where the upper end of the 95 % interval of the mean cost is at most the limit.
    """
    values = spent(table, method, task, limit, curves)
    allowed = limit.limit if limit.over is Over.MEAN else 0.0
    if limit.over is not Over.MEAN:
        values = np.where(np.isfinite(values), values > limit.limit + 1e-12, np.nan)
    if not np.isfinite(values).any():
        nothing = Interval(value=math.nan, n=0, reason="no cell is done")
        return Kept(limit=limit, spent=nothing, met=None, beyond=math.nan)
    found = mean_interval(values, bootstrap_rng(0))
    highest = found.high if limit.over is Over.MEAN else found.value
    if math.isnan(highest):
        return Kept(limit=limit, spent=found, met=None, beyond=math.nan)
    # as much as rounding makes of a mean that is equal to its limit
    met = highest <= allowed + 1e-12
    return Kept(limit=limit, spent=found, met=met, beyond=0.0 if met else highest - allowed)


def met(
    table: pl.DataFrame, method: str, tasks: Sequence[str], curves: Curves | None
) -> tuple[int | None, int, float]:
    """Return in how many tasks a method met all limits, how many have any, and how far the worst is beyond.

    None and NaN where something has no interval.
    """
    asked, counted, worst = 0, 0, 0.0
    unknown = False
    for task in tasks:
        limits = limits_of(table, task)
        if not limits:
            continue
        asked += 1
        verdicts = [kept(table, method, task, limit, curves) for limit in limits]
        if any(one.met is None for one in verdicts):
            unknown = True
            continue
        counted += all(one.met for one in verdicts)
        worst = max([worst, *(one.beyond for one in verdicts)])
    return (None, asked, math.nan) if unknown else (counted, asked, worst)
