"""Plans within limits: the best serving for given retrains, counting the cost; a search over retrains."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from mlopsim.core.errors import ConfigError, MlopsimError
from mlopsim.delivery.oracle.plan import KEEP, RETRAIN
from mlopsim.delivery.oracle.problem import MONEY
from mlopsim.governance.optimum.case import SUSPEND
from mlopsim.governance.optimum.constrained import TOLERANCE, Constrained

if TYPE_CHECKING:
    from mlopsim.governance.optimum._counter import Setup

#: below it there is no plan
NOWHERE = -1e299


@dataclass(frozen=True, kw_only=True)
class Served:
    """The best plan for a set of retrains.

    Parameters
    ----------
    value : float
        What it earns, less its price; -inf where nothing keeps the limits and the budget.
    intents : ndarray of int64, shape (S,)
        Of :meth:`mlopsim.governance.optimum.case.Case.play`; without a plan all ``KEEP``.
    by_count : ndarray of float64, shape (C + 1,)
        The best value of each total of units of cost, -inf where there is none.
    """

    value: float
    intents: np.ndarray
    by_count: np.ndarray


@dataclass(frozen=True, kw_only=True)
class Server:
    """Serves as well as possible with given retrains, within limits.

    Parameters
    ----------
    constrained : Constrained
        The problem, without canaries.
    price : float, default 0
        Of the cost, taken off the rewards.
    counted : bool, default True
        Whether the limit on the mean is kept. Then costs are counted in units of ``1 / grid``, each rounded
        up: every plan is within the limit. A limit that is infinite is never counted.
    grid : int or None, default None
        None: 1 where all costs are 0 or 1, else 20.

    Raises
    ------
    ConfigError
        If the deployment has canaries.

    Notes
    -----
    The state is (window, what serves, units so far, length of the run), and each state keeps the registry of
    its best path. That is exact for these retrains, up to the rounding of costs and to budgets that bind,
    where the registry depends on the retrains only: without a fallback where arrivals deploy themselves and
    no version is refused because of what serves, and wherever the registry has room for all. Else it is a
    good plan.
    """

    constrained: Constrained
    price: float = 0.0
    counted: bool = True
    grid: int | None = None

    def __post_init__(self) -> None:
        if self.constrained.problem.share < 1:
            raise ConfigError(
                "plans within limits are not searched for with canaries",
                remedy="deployment.canary_windows=0, or a small World (exhaustive)",
            )

    @cached_property
    def steps(self) -> int:
        """Units of cost in 1."""
        if self.grid is not None:
            return self.grid
        costs = self.constrained.costs
        return 1 if ((costs == 0.0) | (costs == 1.0)).all() else 20

    @cached_property
    def setup(self) -> Setup:
        """What the kernels read."""
        from mlopsim.governance.optimum._counter import Setup

        one, problem = self.constrained, self.constrained.problem
        versions, T = problem.versions, problem.T
        n = len(versions)
        costs = one.costs[:n]
        units, most = np.zeros((n, T), dtype=np.int64), 0
        if self.counted and np.isfinite(one.limit):
            units = np.ceil(costs * self.steps - TOLERANCE).astype(np.int64)
            most = min(int(np.floor(one.allowance * self.steps + TOLERANCE)), self.steps * one.windows)
        usable = problem.firsts < T
        usable[0] = False
        refused = np.zeros((n, n), dtype=bool)
        if one.refused is not None:
            refused = np.ascontiguousarray(one.refused[np.ix_(versions, versions)])
        nothing = np.zeros(0)
        return Setup(
            values=problem.values - self.price * costs,
            fallback=nothing if problem.fallback is None else problem.fallback.astype(np.float64),
            units=units,
            barred=one.barred[:n],
            counting=one.counting[:n],
            refused=refused,
            decision=versions + problem.label_delay,
            arrival=np.array([min(problem.arrival(int(v)), T) for v in versions], dtype=np.int64),
            gaps=problem.gaps,
            usable=usable,
            shape=np.array(
                [problem.warmup, problem.slots, problem.on_arrival, problem.resumes, one.rollback, most,
                 -1 if one.run is None else one.run],
                dtype=np.int64,
            ),
            money=np.array([problem.switch_cost, problem.retrain_cost, problem.budget + MONEY]),
        )  # fmt: skip

    def tidy(self, trained: Sequence[int] | np.ndarray) -> np.ndarray:
        """Return which of these can serve, and are possible together from the first one on; int64."""
        kept: list[int] = []
        for v in sorted({int(v) for v in trained}):
            if (
                0 < v < len(self.setup.usable)
                and self.setup.usable[v]
                and (not kept or v - kept[-1] >= self.setup.gaps[kept[-1]])
            ):
                kept.append(v)
        return np.array(kept, dtype=np.int64)

    def serve(self, trained: np.ndarray) -> Served:
        """Serve as well as possible with these retrains.

        Parameters
        ----------
        trained : ndarray of int64
            Candidate numbers (version - v0), ascending, as :meth:`tidy` returns them.

        Examples
        --------
        >>> from mlopsim.delivery.oracle.problem import Problem
        >>> problem = Problem(
        ...     reward=np.full((8, 8), 0.9), warmup=2, fallback=np.full(8, 0.4), switch_cost=0.1
        ... )
        >>> server = Server(constrained=Constrained(problem=problem, cost=np.ones((8, 8)), limit=0.5))
        >>> served = server.serve(np.zeros(0, dtype=np.int64))
        >>> round(served.value, 6), served.intents
        (3.8, array([-1, -1, -1, -3, -1, -1]))
        """
        from mlopsim.governance.optimum import _counter

        problem, setup = self.constrained.problem, self.setup
        trace, best = np.zeros(problem.T, dtype=np.int64), np.zeros(setup.shape[_counter.MOST] + 1)
        value = _counter.evaluate(setup, trained, trace, best, _counter.NOWHERE)
        if value < NOWHERE:
            nothing = np.full(problem.T - problem.warmup, KEEP, dtype=np.int64)
            return Served(value=-np.inf, intents=nothing, by_count=np.full(len(best), -np.inf))
        by_count = np.where(best > NOWHERE, best - len(trained) * problem.retrain_cost, -np.inf)
        versions = problem.versions[np.concatenate([[0], trained]).astype(np.int64)]
        decided = trace[problem.warmup - 1 : problem.T - 1]
        intents = np.full(len(decided), KEEP, dtype=np.int64)
        intents[decided >= 0] = versions[decided[decided >= 0]]
        intents[decided == _counter.SUSPEND] = SUSPEND
        at = versions[1:] + problem.label_delay - (problem.warmup - 1)
        if (intents[at] != KEEP).any():
            raise MlopsimError("two actions at one decision time")
        intents[at] = RETRAIN
        return Served(value=float(value), intents=intents, by_count=by_count)

    def search(
        self,
        starts: Sequence[Sequence[int] | np.ndarray],
        *,
        effort: int = 1000,
        kicks: int = 4,
        target: float = float("inf"),
    ) -> tuple[Served, np.ndarray]:
        """Search for a good set of retrains from several ones.

        The best two are improved by adding, dropping and shifting retrains; then the winner is disturbed by a
        fixed seed and improved again.

        Parameters
        ----------
        starts : sequence of sequences of int
            Candidate numbers; never retraining is always tried.
        effort : int, default 1000
            Servings tried from one start.
        kicks : int, default 4
            How often the winner is disturbed.
        target : float, default inf
            A known bound: the search ends where it is reached.

        Returns
        -------
        served : Served
        trained : ndarray of int64
            Its retrains.
        """
        from mlopsim.governance.optimum import _counter

        setup, rng = self.setup, np.random.default_rng(0)
        sets = {tuple(self.tidy(start).tolist()) for start in [(), *starts]}
        trace, room = (
            np.zeros(setup.values.shape[1], dtype=np.int64),
            np.zeros(setup.shape[_counter.MOST] + 1),
        )
        scored = []
        for one in sorted(sets):
            begin = np.array(one, dtype=np.int64)
            scored.append((_counter.evaluate(setup, begin, trace, room, _counter.NOWHERE), one))
        scored.sort(key=lambda pair: (-pair[0], pair[1]))
        value, found = scored[0][0], np.array(scored[0][1], dtype=np.int64)
        for kick in range(2 + kicks):
            if value >= target - TOLERANCE:
                break
            if kick < 2:
                begin = np.array(scored[min(kick, len(scored) - 1)][1], dtype=np.int64)
            else:
                begin = self._disturbed(found, rng)
            new, chosen, _ = _counter.climb(setup, begin, 4, effort)
            if new > value + 1e-12:
                value, found = new, chosen
        return self.serve(found), found

    def _disturbed(self, trained: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        kept = trained.tolist()
        usable = np.flatnonzero(self.setup.usable)
        for _ in range(int(rng.integers(1, 4))):
            if kept and (not len(usable) or rng.random() < 0.5):
                kept.pop(int(rng.integers(len(kept))))
            elif len(usable):
                new, gaps = int(rng.choice(usable)), self.setup.gaps
                kept = [v for v in kept if (new - v >= gaps[v] if v < new else v - new >= gaps[new])]
                kept = sorted({*kept, new})
        return self.tidy(kept)
