"""What a price on the cost makes of one roll-out: the clairvoyant's answer, and a bound of all answers."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Protocol

import numpy as np

from mlopsim.core.errors import ConfigError, MlopsimError
from mlopsim.delivery.oracle.lagrange import MARGIN, lagrangian_bound
from mlopsim.delivery.oracle.lower_bound import rounded
from mlopsim.governance.optimum.bound import constrained_bound
from mlopsim.governance.optimum.case import Case, Played
from mlopsim.governance.optimum.constrained import TOLERANCE
from mlopsim.governance.optimum.exhaustive import Exhaustive, exhaustive
from mlopsim.governance.optimum.serving import Server


@dataclass(frozen=True, kw_only=True)
class Answer:
    """At one price.

    Parameters
    ----------
    upper : float
        No plan has a larger value less ``price`` times its cost.
    played : Played
        One plan or more, among them a good one at this price.
    """

    upper: float
    played: Played


class Solver(Protocol):
    """Answers for one roll-out at any price."""

    case: Case

    def at(self, price: float) -> Answer:
        """Return the answer at a price >= 0."""
        ...

    def within(self, cost: float) -> Played | None:
        """Return good plans of at most this total cost; None where none was found."""
        ...


@dataclass(kw_only=True)
class Small:
    """Exact, by all that the dynamics allow: for small Worlds, whatever the mechanisms.

    Parameters
    ----------
    case : Case
        The roll-out.
    """

    case: Case

    @cached_property
    def found(self) -> Exhaustive:
        """The exact front."""
        return exhaustive(self.case)

    def at(self, price: float) -> Answer:
        """Return the answer at a price >= 0."""
        found = self.found
        return Answer(upper=float((found.value - price * found.cost).max()), played=self._played(np.inf))

    def within(self, cost: float) -> Played | None:
        """Return all plans of at most this total cost that no other one beats."""
        played = self._played(cost)
        return played if len(played.cost) else None

    def _played(self, cost: float) -> Played:
        some = self.found.cost <= cost + TOLERANCE
        return Played(
            actions=self.found.actions[some],
            value=self.found.value[some],
            cost=self.found.cost[some],
            within=np.ones(int(some.sum()), dtype=bool),
        )


@dataclass(kw_only=True)
class Latest:
    """Exact where only the newest version can be deployed, or there is one slot: for Worlds of any size.

    Arrivals deploy themselves and end suspensions; there are no canaries, no budget and no limit on runs.

    Parameters
    ----------
    case : Case
        The roll-out.

    Raises
    ------
    ConfigError
        If it is another one.
    """

    case: Case
    _sets: list[np.ndarray] = field(default_factory=list, repr=False)

    def __post_init__(self) -> None:
        one, problem = self.case.constrained, self.case.constrained.problem
        newest_only = problem.slots == 1 or not one.rollback
        if not (
            newest_only
            and problem.on_arrival
            and problem.share == 1
            and np.isinf(problem.budget)
            and one.run is None
            and (problem.fallback is None or problem.resumes)
        ):
            raise ConfigError(
                "the latest-only optimum needs one slot or rollback off, arrivals that deploy themselves, "
                "and neither canary, budget nor a limit on runs",
                remedy="use the solver for large Worlds (Large)",
            )

    def at(self, price: float) -> Answer:
        """Return the answer at a price >= 0."""
        from mlopsim.governance.optimum import _latest

        server = Server(constrained=self.case.constrained, price=price, counted=False)
        value, chain = _latest.latest(server.setup)
        served = server.serve(chain)
        if abs(served.value - value) > 1e-8 * self.case.pool.windows:
            raise MlopsimError(
                f"the latest-only optimum is {value!r}, its plan earns {served.value!r}",
                remedy="please report this, with the configuration: it is a bug",
            )
        self._sets.append(chain)
        return Answer(upper=float(value) + MARGIN, played=self.case.play(served.intents[None]))

    def within(self, cost: float) -> Played | None:
        """Return the best plan of at most this total cost for the retrains of the prices tried so far."""
        return _within(self.case, self._sets, cost)


@dataclass(kw_only=True)
class Large:
    """Between two ends: the linear program and its dual above, a search over retrains below.

    Parameters
    ----------
    case : Case
        The roll-out, without canaries.
    effort, kicks : int
        Of :meth:`mlopsim.governance.optimum.serving.Server.search`.
    iterations : int, default 200
        Steps that improve the dual, where nothing is limited but the mean.
    """

    case: Case
    effort: int = 600
    kicks: int = 2
    iterations: int = 200
    _sets: list[np.ndarray] = field(default_factory=list, repr=False)

    def at(self, price: float) -> Answer:
        """Return the answer at a price >= 0."""
        one = self.case.constrained
        reward = np.ascontiguousarray(one.problem.reward - price * one.cost)
        free = replace(one, problem=replace(one.problem, reward=reward), limit=float("inf"))
        relaxed = constrained_bound(free)
        upper = relaxed.bound
        starts = [rounded(one.problem, relaxed.trained, threshold) for threshold in (0.05, 0.3, 0.5)]
        server = Server(constrained=one, price=price, counted=False)
        served, trained = server.search(
            [*starts, *self._sets[-4:]], effort=self.effort, kicks=self.kicks, target=upper
        )
        if not np.isfinite(served.value):
            raise MlopsimError(
                "no plan was found that keeps the limits on windows and runs",
                remedy="give the deployment a fallback, or raise these limits",
            )
        self._sets.append(trained)
        if upper - served.value > 1e-9 and one.run is None and self.iterations:
            better, _ = lagrangian_bound(
                one.priced(price), served.value, iterations=self.iterations, start=relaxed.multipliers
            )
            upper = min(upper, better)
        return Answer(upper=max(upper, served.value), played=self.case.play(served.intents[None]))

    def within(self, cost: float) -> Played | None:
        """Return the best plan of at most this total cost for the retrains of the prices tried so far."""
        return _within(self.case, self._sets, cost)


def _within(case: Case, sets: list[np.ndarray], cost: float) -> Played | None:
    limited = replace(case.constrained, limit=max(cost, 0.0) / case.constrained.windows)
    server = Server(constrained=limited)
    distinct = {tuple(server.tidy(one).tolist()) for one in [np.zeros(0, dtype=np.int64), *sets]}
    served = [server.serve(np.array(one, dtype=np.int64)) for one in sorted(distinct)]
    best = max(served, key=lambda one: one.value)
    return case.play(best.intents[None]) if np.isfinite(best.value) else None
