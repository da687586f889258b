"""Return against cost: what a clairvoyant could earn at every cost, and each method's place below it.

The optimum's cells hold, for a grid of prices of cost, a bound of the return less price times cost (nobody is
above it), and a plan's return and cost (somebody could be there). Over scenarios,

- U(C), the least over the prices p of mean bound + p C, is a bound of the mean return at a mean cost of C;
- the lower front is the best mixture, over scenarios, of the plans, never and suspend_always;
- B(C) is the best mixture of never and suspend_always of at most C
  (:func:`mlopsim.governance.optimum.front.baseline`); below the cheaper of them it is that one's return,
  which is more than a mixture so cheap could earn: scores there are rather too low.

The front score of a method is (R - B(C)) / (U(C) - B(C)) at its own C; over several tasks, each with its own
C, the sums of both over the tasks. U is that of the World behind the data gate, of which all parts are on:
an arm without the gate has other versions, one without audits more of them, and neither is better for a score
above 1.

A task has no front where a limit is on each window or on runs: C is a mean, which says nothing of them. Among
several a task does not count where there is no room at any C: nobody can be told from never there.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from mlopsim.core.errors import ConfigError
from mlopsim.core.track import Curves
from mlopsim.governance.constraint import Over
from mlopsim.governance.optimum.front import Front, baselines, scores_between
from mlopsim.stats.bootstrap import mean_interval, means_interval
from mlopsim.stats.interval import Interval
from mlopsim.stats.table import interval_columns
from mlopsim.tracks.cell_table import axes_of, done, grid
from mlopsim.tracks.draws import bootstrap_rng
from mlopsim.tracks.governance.limits import limits_of
from mlopsim.tracks.governance.references import NEVER, OPTIMUM, SUSPENDED

#: least U(C) - B(C), reward a window, of which a score is defined
FLOOR = 0.005
NO_ROOM = f"U(C) - B(C) is below {FLOOR}"
#: why a task does not count among several
NOWHERE = f"U(C) - B(C) is below {FLOOR} at every C"
NO_CURVES = "bounds stand in the series of the optimum's cells, which were not given"
#: costs at which a front is drawn
POINTS = 121
#: series of the optimum's cells
SERIES = ("price", "bound", "plan_return", "plan_cost")


@dataclass(frozen=True, kw_only=True)
class Bounds:
    """What there is to earn in the scenarios of one task, by price of cost.

    Parameters
    ----------
    task : str
        Its name.
    seeds : tuple of int
        Of the scenarios.
    price : ndarray of float64, shape (P,)
        Ascending, from 0.
    bound, plan_return, plan_cost : ndarray of float64, shape (S, P)
        Means of a window; NaN where the optimum is not done.
    never : ndarray of float64, shape (S, 2)
        Cost and return.
    suspended : ndarray of float64, shape (S, 2), or None
        Likewise; None where nothing can be suspended.
    """

    task: str
    seeds: tuple[int, ...]
    price: np.ndarray
    bound: np.ndarray
    plan_return: np.ndarray
    plan_cost: np.ndarray
    never: np.ndarray
    suspended: np.ndarray | None

    @property
    def columns(self) -> np.ndarray:
        """What scores need of each scenario, float64 (S, 2 or 4, and P): never, suspended, bounds."""
        ends = [self.never] if self.suspended is None else [self.never, self.suspended]
        return np.concatenate([*ends, self.bound], axis=1)

    def room(self, means: np.ndarray, cost: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return U(C) and B(C) from means of :attr:`columns`, (n, ...), at costs (n,)."""
        never, rest = means[:, :2], means[:, 2:]
        suspended = None if self.suspended is None else rest[:, :2]
        bound = rest if self.suspended is None else rest[:, 2:]
        upper = (bound + self.price * cost[:, None]).min(axis=1)
        least = never[:, 0] if suspended is None else np.minimum(never[:, 0], suspended[:, 0])
        return upper, baselines(never, suspended, np.maximum(cost, least))

    @property
    def most_room(self) -> float:
        """Largest U(C) - B(C), by the means over scenarios, at any C from the least that was found on.

        Both are made of straight lines, so it is at one of their corners, or at the least C.
        """
        known = np.isfinite(self.columns).all(axis=1)
        if not known.any():
            return math.nan
        means = self.columns[known].mean(axis=0)[None]
        ends = [self.never] if self.suspended is None else [self.never, self.suspended]
        corners = [float(end[known, 0].mean()) for end in ends]
        least = min([*corners, *np.nanmean(self.plan_cost[known], axis=0).tolist()])
        bound = means[0, -len(self.price) :]
        for i, j in itertools.combinations(range(len(self.price)), 2):
            corners.append(float((bound[i] - bound[j]) / (self.price[j] - self.price[i])))
        costs = np.array([least, *(cost for cost in corners if cost > least)])
        upper, below = self.room(np.repeat(means, len(costs), axis=0), costs)
        return float((upper - below).max())


class NoFront(ConfigError):
    """A task has no front; ``reason`` says why without its name."""

    def __init__(self, task: str, reason: str, *, remedy: str) -> None:
        super().__init__(f"the task '{task}' has no front: {reason}", remedy=remedy)
        self.reason = reason


def bounds_of(table: pl.DataFrame, curves: Curves, task: str) -> Bounds:
    """Read what there is to earn in a task.

    Raises
    ------
    NoFront
        If a limit is on each window or on runs, the optimum or never is done in none of its scenarios, or its
        cells have other prices.
    """
    others = [f"{one.name} ({one.over.value})" for one in limits_of(table, task) if one.over is not Over.MEAN]
    if others:
        raise NoFront(
            task,
            f"limits are on windows or runs, of which a mean cost says nothing: {', '.join(others)}",
            remedy="over: mean; return and whether limits are met are told all the same",
        )
    seeds, _ = axes_of(table)
    here = done(table).filter((pl.col("task") == task) & (pl.col("method") == OPTIMUM))
    series = {}
    for seed, key in here.select("seed", "key").iter_rows():
        found = curves(key)
        if all(name in found for name in SERIES):
            series[seed] = found
    ends = {
        name: np.concatenate([grid(table, name, one, seeds, [task]) for one in ("cost", "return")], axis=1)
        for name in (NEVER, SUSPENDED)
    }
    if not series or not np.isfinite(ends[NEVER]).any():
        raise NoFront(
            task,
            f"no scenario in which {OPTIMUM} and {NEVER} are done",
            remedy="run the cells that failed again",
        )
    prices = {tuple(np.asarray(one["price"], dtype=np.float64).tolist()) for one in series.values()}
    if len(prices) > 1:
        raise NoFront(task, f"cells of {OPTIMUM} have different prices", remedy="compare cells of one grid")
    price = np.array(prices.pop())
    nothing = np.full(len(price), np.nan)
    rows = {
        name: np.array(
            [series[seed][name] if seed in series else nothing for seed in seeds], dtype=np.float64
        )
        for name in SERIES[1:]
    }
    return Bounds(
        task=task,
        seeds=tuple(seeds),
        price=price,
        never=ends[NEVER],
        suspended=ends[SUSPENDED] if np.isfinite(ends[SUSPENDED]).any() else None,
        **rows,
    )


@dataclass(frozen=True, kw_only=True)
class Fronts:
    """What there is to earn in several tasks.

    Parameters
    ----------
    bounds : tuple of Bounds
        Of the tasks that have a front, in their order.
    without : mapping of str to str
        The others, and why they have none.
    """

    bounds: tuple[Bounds, ...]
    without: Mapping[str, str]

    @classmethod
    def of(cls, table: pl.DataFrame, curves: Curves | None, tasks: Sequence[str]) -> Fronts:
        """Read the bounds of tasks; one that has none is no reason for others to have none."""
        if curves is None:
            return cls(bounds=(), without=dict.fromkeys(tasks, NO_CURVES))
        found, without = [], {}
        for task in tasks:
            try:
                found.append(bounds_of(table, curves, task))
            except NoFront as error:
                without[task] = error.reason
        return cls(bounds=tuple(found), without=without)

    @property
    def pooled(self) -> tuple[Bounds, ...]:
        """Bounds of the tasks that count in a score over several: those with room for one."""
        return tuple(one for one in self.bounds if one.most_room >= FLOOR)

    @property
    def left_out(self) -> dict[str, str]:
        """Tasks that do not count in a score over several, and why."""
        narrow = {one.task: NOWHERE for one in self.bounds if not one.most_room >= FLOOR}
        return {**self.without, **narrow}

    @property
    def nothing(self) -> str:
        """Why no task counts; empty if one does."""
        if self.pooled:
            return ""
        return "; ".join(dict.fromkeys(self.left_out.values())) or "there is no task"


@dataclass(frozen=True, kw_only=True)
class OperatingPoint:
    """What a method earned and cost in the scenarios of a task: float64 (S,) each."""

    returns: np.ndarray
    costs: np.ndarray


def operating_point(table: pl.DataFrame, method: str, task: str) -> OperatingPoint:
    """Return what a method earned and cost in a task; NaN where it is not done."""
    seeds, _ = axes_of(table)
    returns, costs = (grid(table, method, name, seeds, [task])[:, 0] for name in ("return", "cost"))
    return OperatingPoint(returns=returns, costs=costs)


def _statistic(bounds: Sequence[Bounds], methods: int) -> Callable[..., np.ndarray]:
    """Return the score of one method, or the difference of two, as a function of means."""

    def of(*means: np.ndarray) -> np.ndarray:
        scores = []
        for m in range(methods):
            above, room = np.zeros(len(means[0])), np.zeros(len(means[0]))
            for one, task in zip(means, bounds, strict=True):
                returns, cost = one[:, 2 * m], one[:, 2 * m + 1]
                upper, below = task.room(one[:, 2 * methods :], cost)
                above, room = above + (returns - below), room + (upper - below)
            scores.append(scores_between(above, room, floor=FLOOR * len(bounds)))
        found: np.ndarray = scores[0] if methods == 1 else scores[0] - scores[1]
        return found

    return of


def _arrays(bounds: Sequence[Bounds], points: Sequence[Sequence[OperatingPoint]]) -> list[np.ndarray]:
    """Return what scores are computed from, of each task (S, ...): what methods did, then the bounds."""
    return [
        np.column_stack(
            [*(x for method in points for x in (method[i].returns, method[i].costs)), one.columns]
        )
        for i, one in enumerate(bounds)
    ]


def _not_done(bounds: Sequence[Bounds], points: Sequence[Sequence[OperatingPoint]]) -> str:
    """Say in which tasks a method has nothing at all; empty if there are none."""
    lacking = [
        one.task
        for i, one in enumerate(bounds)
        if not all(np.isfinite(method[i].returns + method[i].costs).any() for method in points)
    ]
    return f"no cell is done in {', '.join(lacking)}" if lacking else ""


def front_score(
    bounds: Sequence[Bounds], points: Sequence[OperatingPoint], *, level: float = 0.95
) -> Interval:
    """Return the front score of a method over tasks, scenarios resampled jointly.

    Parameters
    ----------
    bounds : sequence of Bounds
        Of each task, at least one.
    points : sequence of OperatingPoint
        Of the method, in the order of the tasks. A scenario counts where it and what bounds it is known in
        all of them.
    level : float, default 0.95

    Returns
    -------
    Interval
        NaN with a reason where U(C) - B(C) is below :data:`FLOOR`, on the mean over the tasks.

    Examples
    --------
    >>> task = Bounds(task="a", seeds=(0, 1), price=np.array([0.0, 1.0]), bound=np.tile([0.9, 0.6], (2, 1)),
    ...               plan_return=np.zeros((2, 2)), plan_cost=np.zeros((2, 2)),
    ...               never=np.tile([0.4, 0.7], (2, 1)), suspended=np.tile([0.0, 0.6], (2, 1)))
    >>> front_score([task], [OperatingPoint(returns=np.full(2, 0.725), costs=np.full(2, 0.2))])
    Interval(0.5 [0.5, 0.5], n=2)
    """
    if lacking := _not_done(bounds, [points]):
        return undefined(lacking)
    return means_interval(
        _statistic(bounds, 1),
        *_arrays(bounds, [points]),
        rng=bootstrap_rng(0),
        level=level,
        undefined=NO_ROOM,
    )


def front_difference(
    bounds: Sequence[Bounds], a: Sequence[OperatingPoint], b: Sequence[OperatingPoint]
) -> Interval:
    """Return the front score of one method less that of another, on the same scenarios."""
    if lacking := _not_done(bounds, [a, b]):
        return undefined(lacking)
    return means_interval(
        _statistic(bounds, 2), *_arrays(bounds, [a, b]), rng=bootstrap_rng(1), undefined=NO_ROOM
    )


def lower_front(bounds: Bounds) -> Front:
    """Return what was found that a clairvoyant can earn: the front of means over scenarios.

    Each scenario has a plan for every price, never and suspend_always; of these the best are mixed.
    """
    fronts = []
    for s in range(len(bounds.seeds)):
        cost, value = [bounds.plan_cost[s]], [bounds.plan_return[s]]
        for end in (bounds.never, bounds.suspended):
            if end is not None:
                cost.append(end[s, :1])
                value.append(end[s, 1:])
        x, y = np.concatenate(cost), np.concatenate(value)
        if np.isfinite(x).all() and np.isfinite(y).all():
            fronts.append(Front.of(x, y))
    if not fronts:
        raise ConfigError(f"no scenario of the task '{bounds.task}' has all its plans")
    return Front.mean(fronts)


def drawn(bounds: Bounds, highest: float = 0.0) -> list[dict[str, float]]:
    """Return a front as rows for :func:`mlopsim.plots.cost_front.cost_front`, from the least cost on.

    Parameters
    ----------
    bounds : Bounds
        Of the task.
    highest : float
        Largest cost that is drawn, at least; that of the front's end otherwise.
    """
    known = np.isfinite(bounds.columns).all(axis=1)
    lower = lower_front(bounds)
    top = max(highest, float(lower.cost[-1]), float(bounds.never[known, 0].mean()))
    # where nothing costs anything the front is a point: as a short line it can be seen
    costs = np.linspace(float(lower.cost[0]), max(top, float(lower.cost[0]) + 0.01), POINTS)
    means = np.repeat(bounds.columns[known].mean(axis=0)[None], len(costs), axis=0)
    upper, below = bounds.room(means, costs)
    return [
        {"cost": float(c), "upper": float(u), "lower": lower.at(float(c)), "baseline": float(b)}
        for c, u, b in zip(costs, upper, below, strict=True)
    ]


def front_table(bounds: Sequence[Bounds]) -> pl.DataFrame:
    """Tabulate what there is to earn: one row a task and price.

    Returns
    -------
    polars.DataFrame
        ``task``, ``price``; ``bound`` of the return less price times cost; ``plan_return`` and ``plan_cost``
        of the plans of that price; ``gap``: how far the bound is above what these plans earn less price times
        cost. Each with ``_low``, ``_high``, ``_n`` (scenario seeds) and ``_reason``.
    """
    keys: list[tuple[str, float]] = []
    columns: dict[str, list[Interval]] = {"bound": [], "plan_return": [], "plan_cost": [], "gap": []}
    for one in bounds:
        worth = one.plan_return - one.price * one.plan_cost
        parts = {
            "bound": one.bound,
            "plan_return": one.plan_return,
            "plan_cost": one.plan_cost,
            "gap": one.bound - worth,
        }
        for place, price in enumerate(one.price.tolist()):
            keys.append((one.task, price))
            for name, values in parts.items():
                columns[name].append(mean_interval(values[:, place], bootstrap_rng(0)))
    table: dict[str, list[str] | list[float]] = {
        "task": [task for task, _ in keys],
        "price": [price for _, price in keys],
    }
    for name, intervals in columns.items():
        table |= interval_columns(name, intervals)
    return pl.DataFrame(table)


def undefined(reason: str) -> Interval:
    """Return an estimate that there is not."""
    return Interval(value=math.nan, n=0, reason=reason)
