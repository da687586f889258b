"""The front of the mean over scenarios: one price for all of them, plans of several prices mixed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from mlopsim.core.errors import ConfigError
from mlopsim.governance.optimum.case import Played
from mlopsim.governance.optimum.constrained import COST, nothing_meets
from mlopsim.governance.optimum.front import Front, baseline
from mlopsim.governance.optimum.priced import Solver


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
    prices, uppers : ndarray of float64, shape (P,)
        Prices tried, ascending, and the mean over scenarios of the bounds of value less price times cost.
    solvers : tuple of Solver
        One a scenario.
    plans : tuple of Played
        Per scenario all plans that were found.
    never : tuple of float
        Mean (cost, value) of never acting.
    suspended : tuple of float, or None
        Of suspending at once and for good; None where a scenario cannot be suspended.
    """

    prices: np.ndarray
    uppers: np.ndarray
    solvers: tuple[Solver, ...]
    plans: tuple[Played, ...]
    never: tuple[float, float]
    suspended: tuple[float, float] | None

    @property
    def fronts(self) -> list[Front]:
        """The front of each scenario's plans."""
        return [Front.of(played.cost, played.value) for played in self.plans]

    @property
    def lower(self) -> Front:
        """The front of the plans that were found: each of its points is a mixture that can be carried out."""
        return Front.mean(self.fronts)

    def upper_at(self, cost: float) -> tuple[float, float]:
        """Return the upper end at a mean total cost, and the price that gives it."""
        ends = self.uppers + self.prices * cost
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
        left = (cost - float(self.lower.cost[0])) * len(plans) + COST
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
        whole = all((np.abs(played.cost - np.rint(played.cost)) <= COST).all() for played in plans)
        if whole:
            return plans, _knapsack(plans, int(np.floor(cost * len(plans) + COST)))
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
        return nothing_meets(f"{cost:g} on the mean total cost; the least that was found is {least:g}")

    def baseline(self, cost: float) -> float:
        """Return B(C), see :func:`mlopsim.governance.optimum.front.baseline`."""
        return baseline(self.never, self.suspended, cost)

    def score(self, value: float, cost: float, *, floor: float) -> tuple[float, float]:
        """Return a method's front score against the upper and against the mixed lower end of the front.

        Parameters
        ----------
        value, cost : float
            Its mean total reward and cost.
        floor : float
            Least U(C) - B(C); below it both are NaN.
        """
        below = self.baseline(cost)
        found = []
        for top in (self.upper_at(cost)[0], self.lower.at(cost)):
            room = top - below
            found.append((value - below) / room if room >= floor else float("nan"))
        return found[0], found[1]


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

    def solve(price: float) -> None:
        answers = [solver.at(price) for solver in solvers]
        bounds[price] = float(np.mean([answer.upper for answer in answers]))
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
    prices = np.array(sorted(bounds))
    all_stop = [stop for stop in stopped if stop is not None]
    return PooledFront(
        prices=prices,
        uppers=np.array([bounds[price] for price in prices.tolist()]),
        solvers=tuple(solvers),
        plans=tuple(_distinct(_joined(found)) for found in plans),
        never=_mean(never),
        suspended=_mean(all_stop) if len(all_stop) == len(solvers) else None,
    )


def _knapsack(plans: Sequence[Played], most: int) -> list[int]:
    """Return the number of a plan a scenario: the largest sum of values, of whole costs of ``most`` or less."""
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
            for i in np.flatnonzero(extra < -COST).tolist():
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


def _mean(played: Sequence[Played]) -> tuple[float, float]:
    return float(np.mean([one.cost[0] for one in played])), float(np.mean([one.value[0] for one in played]))
