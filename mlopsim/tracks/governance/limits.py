"""Limits of the tasks of a cell table, and whether methods met them.

A limit tells something of a method only where it can be broken: limits that never acting meets are apart from
those that it does not, so that who meets them for nothing is not counted with who meets them by deciding.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import polars as pl

from mlopsim.core.errors import ConfigError
from mlopsim.core.track import Curves
from mlopsim.governance.constraint import Over, kept, spent
from mlopsim.stats.bootstrap import mean_interval
from mlopsim.stats.interval import Interval
from mlopsim.tracks.cell_table import axes_of, done, facts, grid
from mlopsim.tracks.draws import bootstrap_rng
from mlopsim.tracks.governance.limit_facts import LIMIT, ON, WEIGHT
from mlopsim.tracks.governance.references import NEVER

#: in front of the name of a constraint: the series of its cost by window
SERIES = "cost_"


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


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """Whether a method met one limit of a task.

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


@dataclass(frozen=True, kw_only=True)
class Met:
    """How a method stands to the limits of several tasks.

    Parameters
    ----------
    met : int or None
        Tasks in which it meets all limits, of ``limited``; None where something has no interval.
    limited : int
        Tasks with limits that never acting does not all meet.
    broken : int or None
        Tasks in which it does not meet all limits, of ``easy``.
    easy : int
        Tasks whose limits never acting meets: whoever does nothing meets them, whoever acts may break them.
    beyond : float
        By how much the worst limit of all these tasks is not met; NaN where something has no interval.
    """

    met: int | None
    limited: int
    broken: int | None
    easy: int
    beyond: float


@dataclass(kw_only=True)
class Limits:
    """Limits of the tasks of one cell table, read once for one report.

    Parameters
    ----------
    table : polars.DataFrame
        Cells.
    curves : callable or None
        Series of a cell by its key, of which the costs of single constraints are read; each once.
    """

    table: pl.DataFrame
    curves: Curves | None
    _sums: dict[str, dict[tuple[str, Over], float]] = field(default_factory=dict, repr=False)
    _verdicts: dict[tuple[str, str], list[Verdict]] = field(default_factory=dict, repr=False)

    def spent(self, method: str, task: str, limit: Limit) -> np.ndarray:
        """Return what a limit is on, of each deployment of a method.

        Parameters
        ----------
        method, task : str
            Of the cells.
        limit : Limit
            Of the task.

        Returns
        -------
        ndarray of float64, shape (seeds,)
            Mean cost of a window, largest cost of one, or longest run of windows with a cost; NaN where it is
            not done.

        Raises
        ------
        ConfigError
            If the series are needed and not given.
        """
        seeds, _ = axes_of(self.table)
        if limit.alone and limit.over is Over.MEAN and limit.weight > 0.0:
            found: np.ndarray = grid(self.table, method, "cost", seeds, [task])[:, 0] / limit.weight
            return found
        if self.curves is None:
            raise ConfigError(
                f"what {limit.name} cost in the task '{task}' stands in the series of the cells",
                remedy="give curves: what returns the series of a cell by its key",
            )
        values = dict.fromkeys(seeds, math.nan)
        here = done(self.table).filter((pl.col("method") == method) & (pl.col("task") == task))
        for seed, key in here.select("seed", "key").iter_rows():
            values[seed] = self._sums_of(key, self.curves).get((limit.name, limit.over), math.nan)
        return np.array([values[seed] for seed in seeds])

    def _sums_of(self, key: str, curves: Curves) -> dict[tuple[str, Over], float]:
        """Return what limits are on, by constraint and kind of limit, of one deployment."""
        if key not in self._sums:
            sums = {}
            for name, series in curves(key).items():
                if name.startswith(SERIES):
                    cost = np.asarray(series, dtype=np.float64)
                    for over in Over:
                        sums[name.removeprefix(SERIES), over] = float(spent(cost, over))
            self._sums[key] = sums
        return self._sums[key]

    def verdict(self, method: str, task: str, limit: Limit) -> Verdict:
        """Say whether a method met a limit of a task.

        A limit on the mean is met where the upper end of the 95 % interval of the mean cost is at most the
        limit.
        """
        return self.judged(self.spent(method, task, limit), limit)

    @staticmethod
    def judged(values: np.ndarray, limit: Limit) -> Verdict:
        """Say whether a limit is met by what it is on, float64 (seeds,) or (seeds, tasks)."""
        allowed = limit.limit if limit.over is Over.MEAN else 0.0
        if limit.over is not Over.MEAN:
            values = np.where(np.isfinite(values), ~kept(values, limit.limit), np.nan)
        if not np.isfinite(values).any():
            nothing = Interval(value=math.nan, n=0, reason="no cell is done")
            return Verdict(limit=limit, spent=nothing, met=None, beyond=math.nan)
        found = mean_interval(values, bootstrap_rng(0))
        highest = found.high if limit.over is Over.MEAN else found.value
        if math.isnan(highest):
            return Verdict(limit=limit, spent=found, met=None, beyond=math.nan)
        met = bool(kept(np.array(highest), allowed))
        return Verdict(limit=limit, spent=found, met=met, beyond=0.0 if met else highest - allowed)

    def verdicts(self, method: str, task: str) -> list[Verdict]:
        """Say of all limits of a task whether a method met them."""
        if (method, task) not in self._verdicts:
            found = [self.verdict(method, task, limit) for limit in limits_of(self.table, task)]
            self._verdicts[method, task] = found
        return self._verdicts[method, task]

    def easy(self, task: str) -> bool:
        """Return whether never acting meets all limits of a task; False where that is not known."""
        return all(one.met is True for one in self.verdicts(NEVER, task))

    def met(self, method: str, tasks: Sequence[str]) -> Met:
        """Say how a method stands to the limits of tasks; those without limits do not count."""
        limited = [task for task in tasks if limits_of(self.table, task)]
        easy = [task for task in limited if self.easy(task)]
        hard = [task for task in limited if task not in easy]

        def all_met(some: Sequence[str]) -> int | None:
            told = [[one.met for one in self.verdicts(method, task)] for task in some]
            return None if any(None in task for task in told) else sum(all(task) for task in told)

        kept = all_met(easy)
        worst = [one.beyond for task in limited for one in self.verdicts(method, task)]
        return Met(
            met=all_met(hard),
            limited=len(hard),
            broken=None if kept is None else len(easy) - kept,
            easy=len(easy),
            beyond=float(np.max(worst)) if worst else 0.0,
        )
