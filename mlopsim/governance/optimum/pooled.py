"""The front of the mean over scenarios: one price for all of them, plans of several prices mixed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike

from mlopsim.core.errors import ConfigError
from mlopsim.governance.optimum.case import Played
from mlopsim.governance.optimum.constrained import REMEDY, TOLERANCE
from mlopsim.governance.optimum.front import Front, baseline, between
from mlopsim.governance.optimum.priced import Solver
from mlopsim.stats.bootstrap import statistic_interval
from mlopsim.stats.interval import Interval, Score


@dataclass(frozen=True, kw_only=True)
class Ends:
    """What a clairvoyant earns at most and at least within a limit, in total reward of a scenario on average.

    Parameters
    ----------
    upper : float
        No selection of plans, mixed or not, earns more.
    mixed : float
        What one plan a scenario earns, of which one scenario mixes two by a lot (on average).
    pure : float
        What one plan a scenario earns without any lot.
    price : float
        That gives ``upper``: what one more unit of cost is worth.
    """

    upper: float
    mixed: float
    pure: float
    price: float

    @property
    def gap(self) -> float:
        """Width of the bracket, with the mixture as its lower end."""
        return self.upper - self.mixed


@dataclass(frozen=True, kw_only=True)
class PooledFront:
    """Return against cost of the clairvoyant, as means over scenarios.

    Costs are totals of a deployment: a limit d a window is the cost d (T - W).

    Parameters
    ----------
    prices : ndarray of float64, shape (P,)
        Prices tried, ascending.
    uppers : ndarray of float64, shape (P, scenarios)
        Bounds of value less price times cost.
    solvers : tuple of Solver
        One a scenario.
    plans : tuple of Played
        Per scenario all plans that were found.
    never : ndarray of float64, shape (scenarios, 2)
        Cost and value of never acting.
    suspended : ndarray of float64, shape (scenarios, 2), or None
        Of suspending at once and for good; None where a scenario cannot be suspended.
    """

    prices: np.ndarray
    uppers: np.ndarray
    solvers: tuple[Solver, ...]
    plans: tuple[Played, ...]
    never: np.ndarray
    suspended: np.ndarray | None

    @property
    def windows(self) -> int:
        """Windows of a roll-out, T - W, where all have as many; else of the first."""
        return self.solvers[0].case.constrained.windows

    @cached_property
    def fronts(self) -> list[Front]:
        """The front of each scenario's plans."""
        return [Front.of(played.cost, played.value) for played in self.plans]

    @cached_property
    def lower(self) -> Front:
        """The front of the plans that were found: each of its points is a mixture that can be carried out."""
        return Front.mean(self.fronts)

    def upper_at(self, cost: float) -> tuple[float, float]:
        """Return the upper end at a mean total cost, and the price that gives it."""
        ends = self.uppers.mean(axis=1) + self.prices * cost
        best = int(np.argmin(ends))
        return float(ends[best]), float(self.prices[best])

    def at(self, cost: float) -> Ends:
        """Return both ends within a mean total cost.

        Raises
        ------
        ConfigError
            If no selection of plans costs so little.
        """
        upper, price = self.upper_at(cost)
        mixed = self.lower.at(cost)
        if not np.isfinite(mixed):
            raise self._unmet(cost)
        plans, chosen = self._selection(cost)
        value = np.mean([played.value[i] for played, i in zip(plans, chosen, strict=True)])
        # a selection is a mixture, too
        mixed = max(mixed, float(value))
        return Ends(upper=max(upper, mixed), mixed=mixed, pure=float(value), price=price)

    def _steps(self) -> list[tuple[float, int, int]]:
        """Return (width, scenario, corner before it) of all steps of the fronts, the steepest first."""
        found = []
        for s, front in enumerate(self.fronts):
            for k, slope in enumerate(front.slopes.tolist()):
                found.append((-slope, s, k, float(front.cost[k + 1] - front.cost[k])))
        return [(width, s, k) for _, s, k, width in sorted(found)]

    def _numbers(self, corners: Sequence[int]) -> list[int]:
        return [int(front.number[i]) for front, i in zip(self.fronts, corners, strict=True)]

    def _selection(self, cost: float) -> tuple[list[Played], list[int]]:
        """Return plans by scenario, and the number of the one to follow: together within a mean total cost.

        Steps of the fronts that fit. Where all costs are whole numbers, then the best selection of all by
        dynamic programming over what is spent; else what is left is spent where it helps most, and what one
        scenario gives up in another one, while that helps.
        """
        plans, corner = list(self.plans), [0] * len(self.plans)
        left = (cost - float(self.lower.cost[0])) * len(plans) + TOLERANCE
        first = -1
        for width, s, k in self._steps():
            if width > left and first < 0:
                first = s
            # a step can follow the one before it only
            if corner[s] == k and width <= left:
                corner[s], left = k + 1, left - width
        chosen = self._numbers(corner)
        if first >= 0:
            # the best that the scenario of the first step too many can do with what is left
            reach = float(plans[first].cost[chosen[first]]) + left
            more = self.solvers[first].within(reach)
            if more is not None:
                plans[first] = _joined([plans[first], more])
        whole = all((np.abs(played.cost - np.rint(played.cost)) <= TOLERANCE).all() for played in plans)
        if whole:
            return plans, _knapsack(plans, int(np.floor(cost * len(plans) + TOLERANCE)))
        return plans, _exchanged(plans, chosen, left)

    def _lot(self, cost: float, rng: np.random.Generator) -> list[int]:
        """Return the number of a plan a scenario, by a lot in one of them: on average on the lower front."""
        corner = [0] * len(self.plans)
        left = (cost - float(self.lower.cost[0])) * len(self.plans)
        for width, s, k in self._steps():
            if width > left:
                corner[s] = k + int(rng.random() < left / width)
                break
            corner[s], left = k + 1, left - width
        return self._numbers(corner)

    def clairvoyant(self, cost: float, rng: np.random.Generator | None = None) -> list[np.ndarray]:
        """Return a plan a scenario, within a mean total cost, that can be rolled out: int64 (S,) each.

        Parameters
        ----------
        cost : float
            Mean total cost C.
        rng : numpy.random.Generator, optional
            Draws which of two plans one scenario follows, so that cost and return are on average those of the
            front; without it the cost is kept for certain and the plans are those of ``pure``.

        Raises
        ------
        ConfigError
            If no selection of plans costs so little.
        """
        if not np.isfinite(self.lower.at(cost)):
            raise self._unmet(cost)
        plans, chosen = self._selection(cost) if rng is None else (list(self.plans), self._lot(cost, rng))
        return [played.actions[i] for played, i in zip(plans, chosen, strict=True)]

    def _unmet(self, cost: float) -> ConfigError:
        least = float(self.lower.cost[0])
        return ConfigError(
            f"no selection of plans was found that meets the limit {cost:g} on the mean total cost of a "
            f"deployment: the least that was found is {least:g}",
            remedy=REMEDY,
        )

    def baseline(self, cost: float) -> float:
        """Return B(C), see :func:`mlopsim.governance.optimum.front.baseline`."""
        return self._baseline(cost, np.arange(len(self.plans)))

    def _baseline(self, cost: float, which: np.ndarray) -> float:
        never = self.never[which].mean(axis=0)
        if self.suspended is None:
            return baseline((never[0], never[1]), None, cost)
        suspended = self.suspended[which].mean(axis=0)
        return baseline((never[0], never[1]), (suspended[0], suspended[1]), cost)

    def score(
        self,
        value: ArrayLike,
        cost: ArrayLike,
        *,
        floor: float,
        rng: np.random.Generator,
        end: str = "upper",
        level: float = 0.95,
        resamples: int = 1000,
    ) -> Interval:
        r"""Return a method's front score with its interval, scenarios resampled together with their fronts.

        Parameters
        ----------
        value, cost : array_like of float, shape (scenarios,)
            The method's total reward R and total cost C in each scenario.
        floor : float
            Least U(C) - B(C), in total reward; below it the score is NaN.
        rng, level, resamples
            See :func:`mlopsim.stats.bootstrap.statistic_interval`.
        end : {"upper", "lower"}, default "upper"
            Which end of the front U is; against the lower end a method may score above 1.

        Returns
        -------
        Interval
            Of :math:`(R - B(C)) / (U(C) - B(C))` at the mean C.

        Raises
        ------
        ConfigError
            If there is not one value a scenario, or no such end.
        """
        values, costs = np.asarray(value, dtype=np.float64), np.asarray(cost, dtype=np.float64)
        if values.shape != (len(self.plans),) or costs.shape != values.shape:
            raise ConfigError(f"a front of {len(self.plans)} scenarios needs as many values and costs")
        if end not in ("upper", "lower"):
            raise ConfigError(f"a front has the ends upper and lower, not '{end}'")

        def statistic(values: np.ndarray, costs: np.ndarray, which: np.ndarray) -> Score:
            chosen, spent = which.astype(np.int64), float(costs.mean())
            if end == "upper":
                top = float((self.uppers[:, chosen].mean(axis=1) + self.prices * spent).min())
            else:
                top = Front.mean([self.fronts[s] for s in chosen.tolist()]).at(spent)
            below = self._baseline(spent, chosen)
            found = between(float(values.mean()), top, below, floor=floor)
            reason = "" if np.isfinite(found) else f"U - B is below {floor:g} at this cost"
            if not np.isfinite(below):
                reason = "no mixture of never acting and suspending costs as little"
            return Score(value=found, n=len(values), reason=reason)

        return statistic_interval(
            statistic, values, costs, np.arange(len(values)), rng=rng, level=level, resamples=resamples
        )

    def table(self, points: int = 61) -> list[dict[str, float]]:
        """Return the front as rows for a figure, means of a window.

        Parameters
        ----------
        points : int, default 61
            Costs between the least and the largest that matters.

        Returns
        -------
        list of dict
            ``cost``, ``upper``, ``lower`` (mixed), ``baseline``, ``price``.
        """
        most = max(float(self.lower.cost[-1]), float(self.never[:, 0].mean()))
        rows = []
        for cost in np.linspace(float(self.lower.cost[0]), most, points).tolist():
            upper, price = self.upper_at(cost)
            rows.append(
                {
                    "cost": cost / self.windows,
                    "upper": upper / self.windows,
                    "lower": self.lower.at(cost) / self.windows,
                    "baseline": self.baseline(cost) / self.windows,
                    "price": price,
                }
            )
        return rows


def pooled_front(
    solvers: Sequence[Solver], *, rounds: int = 40, tolerance: float = 1e-9, within: float = float("inf")
) -> PooledFront:
    r"""Bracket the front of scenarios that share one limit on their mean cost.

    Parameters
    ----------
    solvers : sequence of Solver
        One a scenario.
    rounds : int, default 40
        Prices tried, beside 0 and the largest.
    tolerance : float, default 1e-9
        Width of the bracket, in mean total reward, that is narrow enough.
    within : float, default inf
        Only costs up to this one matter.

    Returns
    -------
    PooledFront

    Raises
    ------
    ConfigError
        If there is no scenario.

    Notes
    -----
    For every price, :math:`U(C) \le \lambda C + \frac{1}{S} \sum_s U_s(\lambda)` with the scenario's own
    optimum :math:`U_s(\lambda) = \max (R - \lambda C)`. The next price is the slope of the lower front where
    the bracket is widest. Where scenarios are solved exactly that ends with both fronts equal: with mixtures
    the optimum of the mean is concave. Without a lot at most one step in one scenario is missing.
    """
    if not solvers:
        raise ConfigError("a front needs at least one scenario")
    plans: list[list[Played]] = [[solver.case.never()] for solver in solvers]
    plans = [[one for one in found if one.within[0]] for found in plans]
    never = [solver.case.never() for solver in solvers]
    stopped = [solver.case.suspended() for solver in solvers]
    for found, stop in zip(plans, stopped, strict=True):
        if stop is not None and stop.within[0]:
            found.append(stop)
    bounds: dict[float, float] = {}
    uppers: dict[float, list[float]] = {}

    def solve(price: float) -> None:
        answers = [solver.at(price) for solver in solvers]
        uppers[price] = [answer.upper for answer in answers]
        bounds[price] = float(np.mean(uppers[price]))
        for found, answer in zip(plans, answers, strict=True):
            found.append(answer.played)

    # more than any difference of two returns, for the least difference of two costs that matters
    most = max(solver.case.constrained.penalty for solver in solvers)
    solve(0.0)
    solve(most)
    for _ in range(rounds):
        lower = Front.mean([_front(found) for found in plans])
        tried = sorted(bounds)
        widest, price = tolerance, None
        for a, b in pairwise(tried):
            cost = (bounds[a] - bounds[b]) / (b - a)
            if cost > within:
                # narrower there would not help
                cost = within
            reached = lower.at(max(cost, float(lower.cost[0])))
            gap = min(bounds[a] + a * cost, bounds[b] + b * cost) - reached
            left, right = lower.price(max(cost, float(lower.cost[0])))
            for new in (right, left):
                if gap > widest and a * (1 + 1e-9) + 1e-12 < new < b * (1 - 1e-9):
                    widest, price = gap, new
                    break
        if price is None:
            break
        solve(price)
    prices = sorted(bounds)
    stops = [stop for stop in stopped if stop is not None]
    return PooledFront(
        prices=np.array(prices),
        uppers=np.array([uppers[price] for price in prices]),
        solvers=tuple(solvers),
        plans=tuple(_distinct(_joined(found)) for found in plans),
        never=_points(never),
        suspended=_points(stops) if len(stops) == len(solvers) else None,
    )


def _knapsack(plans: Sequence[Played], most: int) -> list[int]:
    """Return the number of a plan a scenario: the largest sum of values, whole costs of ``most`` or less."""
    best = np.zeros(most + 1)
    picked = []
    for played in plans:
        costs = np.rint(played.cost).astype(np.int64)
        found, pick = np.full(most + 1, -np.inf), np.zeros(most + 1, dtype=np.int64)
        for i, (cost, value) in enumerate(zip(costs.tolist(), played.value.tolist(), strict=True)):
            if cost > most:
                continue
            trial = np.full(most + 1, -np.inf)
            trial[cost:] = best[: most + 1 - cost] + value
            better = trial > found
            found[better], pick[better] = trial[better], i
        picked.append((pick, costs))
        best = found
    chosen, left = [], most
    for pick, costs in reversed(picked):
        i = int(pick[left])
        chosen.append(i)
        left -= int(costs[i])
    return chosen[::-1]


def _exchanged(plans: Sequence[Played], chosen: Sequence[int], left: float) -> list[int]:
    """Improve a selection of plans while one scenario, or two together, can do better with the cost left."""
    chosen = list(chosen)

    def table(s: int) -> tuple[np.ndarray, np.ndarray]:
        played, i = plans[s], chosen[s]
        return played.cost - played.cost[i], played.value - played.value[i]

    tables = [table(s) for s in range(len(plans))]

    def dearest(s: int, room: float) -> tuple[float, int]:
        extra, more = tables[s]
        fits = np.flatnonzero(extra <= room)
        i = int(fits[np.argmax(more[fits])])
        return float(more[i]), i

    while True:
        gain, moves = 1e-12, list[tuple[int, int]]()
        for s in range(len(plans)):
            more, i = dearest(s, left)
            if more > gain:
                gain, moves = more, [(s, i)]
        for s, (extra, lost) in enumerate(tables):
            for i in np.flatnonzero(extra < -TOLERANCE).tolist():
                for r in range(len(plans)):
                    if r == s:
                        continue
                    more, j = dearest(r, left - float(extra[i]))
                    if more + float(lost[i]) > gain:
                        gain, moves = more + float(lost[i]), [(s, i), (r, j)]
        if not moves:
            return chosen
        for s, i in moves:
            left -= float(tables[s][0][i])
            chosen[s] = i
            tables[s] = table(s)


def _joined(found: Sequence[Played]) -> Played:
    return Played(
        actions=np.concatenate([one.actions for one in found]),
        value=np.concatenate([one.value for one in found]),
        cost=np.concatenate([one.cost for one in found]),
        within=np.concatenate([one.within for one in found]),
    )


def _distinct(played: Played) -> Played:
    _, first = np.unique(np.stack([played.cost, played.value]), axis=1, return_index=True)
    return Played(
        actions=played.actions[first],
        value=played.value[first],
        cost=played.cost[first],
        within=played.within[first],
    )


def _front(found: Sequence[Played]) -> Front:
    joined = _joined(found)
    return Front.of(joined.cost, joined.value)


def _points(played: Sequence[Played]) -> np.ndarray:
    return np.array([(one.cost[0], one.value[0]) for one in played])
