"""The numbers of a roll-out that an optimum under constraints depends on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from mlopsim.core.errors import ConfigError
from mlopsim.delivery.mechanisms import Mechanisms, Switch
from mlopsim.delivery.oracle.problem import Problem
from mlopsim.delivery.pool import WorldPool
from mlopsim.governance.constraint import Over

#: amounts of cost are compared with this tolerance
TOLERANCE = 1e-9
#: what to do about a limit that cannot be met
REMEDY = "raise the limit, or give it a fallback that costs nothing (deployment.governed.fallback=0.5)"


@dataclass(frozen=True, kw_only=True)
class Constrained:
    """What the optimum of one roll-out under constraints depends on.

    Parameters
    ----------
    problem : Problem
        Rewards and dynamics, with fallback, reviews and versions that never enter the registry.
    cost : ndarray of float64, shape (T, T)
        What version v costs in window t, ``[v, t]``, 0..1; the fallback costs 0, a canary the
        traffic-weighted mean. Rows below v0 are never read.
    limit : float
        Of the mean cost of a window; ``inf`` for none.
    forbidden : ndarray of bool, shape (T, T), or None
        Pairs of version and window that break a limit of each window: v must have no traffic in t.
    out : ndarray of bool, shape (T, T), or None
        Where a window counts for the longest run, whatever share of its traffic v has.
    run : int or None
        Longest run of such windows that is allowed.
    refused : ndarray of bool, shape (T, T), or None
        ``[v, s]``: v never enters the registry if it arrives while s serves. Bounds do without.
    rollback : bool
        Whether slots other than the newest can be deployed. Bounds do without.

    Raises
    ------
    ConfigError
        If shapes or ranges do not fit.

    Examples
    --------
    Version 1 earns 1 and is always out of compliance:

    >>> problem = Problem(reward=np.ones((12, 12)), warmup=2, fallback=np.full(12, 0.4))
    >>> one = Constrained(problem=problem, cost=np.ones((12, 12)), limit=0.25)
    >>> one.windows, one.allowance
    (10, 2.5)
    """

    problem: Problem
    cost: np.ndarray
    limit: float = float("inf")
    forbidden: np.ndarray | None = None
    out: np.ndarray | None = None
    run: int | None = None
    refused: np.ndarray | None = None
    rollback: bool = True

    def __post_init__(self) -> None:
        T = self.problem.T
        for name in ("cost", "forbidden", "out", "refused"):
            found = getattr(self, name)
            if found is not None and found.shape != (T, T):
                raise ConfigError(f"{name} must have the shape {(T, T)}, got {found.shape}")
        read = self.cost[self.problem.v0 :, self.problem.warmup :]
        if not ((read >= 0.0) & (read <= 1.0)).all():
            raise ConfigError("costs must lie in 0..1")
        if self.limit < 0:
            raise ConfigError(f"a limit is at least 0, got {self.limit}")
        if (self.run is None) != (self.out is None):
            raise ConfigError("a longest run needs both its length and the windows that count")
        if self.run is not None and self.run < 0:
            raise ConfigError(f"a longest run is at least 0 windows, got {self.run}")

    @classmethod
    def of(
        cls,
        pool: WorldPool,
        world: int,
        deployment: Any,
        mechanisms: Mechanisms,
        over: Sequence[Over | str] = (),
        *,
        switches: int | None = None,
    ) -> Constrained:
        """Read one World of a pool with its mechanisms.

        Parameters
        ----------
        pool : WorldPool
            Worlds.
        world : int
            Which.
        deployment : component of kind ``deployment``
            Parameters of the dynamics.
        mechanisms : Mechanisms
            What is optional in it.
        over : sequence of Over, optional
            What the limit of each of ``mechanisms.costs`` is on; the mean by default.
        switches : int, optional
            What is on; by default what the mechanisms say.

        Raises
        ------
        ConfigError
            If more than one limit is on a mean or on a longest run, or a cost is charged at switches.
        """
        on = Switch(int(mechanisms.switches if switches is None else switches))
        rules = [Over(rule) for rule in over] or [Over.MEAN] * len(mechanisms.costs)
        if len(rules) != len(mechanisms.costs):
            raise ConfigError(f"{len(mechanisms.costs)} constraints need as many rules, got {len(rules)}")
        T = pool.windows
        blocked = np.zeros(T, dtype=bool)
        delay = fallback = refused = None
        if Switch.AUDITS in on and mechanisms.blocked.size:
            blocked |= mechanisms.blocked[world]
        if Switch.AUDITS in on and mechanisms.refused.size:
            refused = mechanisms.refused[world]
        if Switch.REVIEW in on and mechanisms.denied.size:
            blocked |= mechanisms.denied[world]
        if Switch.REVIEW in on and mechanisms.delay.size:
            delay = mechanisms.delay[world]
        if Switch.SUSPEND in on and mechanisms.suspends:
            fallback = mechanisms.fallback[world]
        problem = replace(
            Problem.of(
                pool.square("reward", world), pool.warmup, deployment,
                blocked=blocked if blocked.any() else None, fallback=fallback, delay=delay,
            ),
            resumes=mechanisms.resume_on_arrival,
        )  # fmt: skip
        cost, limit, forbidden, out, run = np.zeros((T, T)), float("inf"), None, None, None
        v, t = np.triu_indices(T - pool.warmup + 1)
        v, t = v + pool.warmup - 1, t + pool.warmup - 1
        # in a canary the other version may cost nothing
        least = min(problem.share, 1.0 - problem.share) if problem.share < 1 else 1.0
        for rule, one in zip(rules, mechanisms.costs, strict=True):
            if one.at_switch:
                raise ConfigError(
                    f"{one.name} is charged at switches: no table of versions and windows holds it",
                    remedy="use mlopsim.governance.optimum.exhaustive on a small World",
                )
            table = np.zeros((T, T))
            table[v, t] = one.true[world][pool.cell(v, t)]
            if rule is Over.MEAN:
                if limit < float("inf"):
                    raise ConfigError("two limits are on means", remedy="take one of them, or weigh them")
                cost, limit = table, one.limit
            elif rule is Over.WINDOW:
                broken = least * table > one.limit + TOLERANCE
                forbidden = broken if forbidden is None else forbidden | broken
            else:
                if run is not None:
                    raise ConfigError("two limits are on longest runs", remedy="take one of them")
                out, run = table > 0.0, int(one.limit)
        return cls(
            problem=problem, cost=cost, limit=limit, forbidden=forbidden, out=out, run=run, refused=refused,
            rollback=Switch.ROLLBACK in on,
        )  # fmt: skip

    @property
    def windows(self) -> int:
        """Number of windows of the roll-out, T - W."""
        return self.problem.T - self.problem.warmup

    @property
    def allowance(self) -> float:
        """What all windows together may cost."""
        return self.limit * self.windows

    @property
    def unlimited(self) -> bool:
        """Whether nothing but the mean is limited."""
        return self.forbidden is None and self.run is None

    def rows(self, table: np.ndarray) -> np.ndarray:
        """Return a table by what can serve, (m, T): the versions, then the fallback, for which it is 0."""
        problem = self.problem
        rows: np.ndarray = table[problem.versions] * (np.arange(problem.T) >= problem.firsts[:, None])
        if problem.fallback is not None:
            rows = np.vstack([rows, np.zeros_like(rows[:1])])
        return rows

    @property
    def costs(self) -> np.ndarray:
        """Costs by what can serve, float64 (m, T), 0 before it can."""
        return self.rows(self.cost)

    @property
    def barred(self) -> np.ndarray:
        """Where what can serve must not, bool (m, T)."""
        found = np.zeros((self.problem.T, self.problem.T)) if self.forbidden is None else self.forbidden
        return self.rows(found.astype(np.float64)) > 0.0

    @property
    def counting(self) -> np.ndarray:
        """Where what can serve counts for the longest run, bool (m, T)."""
        found = np.zeros((self.problem.T, self.problem.T)) if self.out is None else self.out
        return self.rows(found.astype(np.float64)) > 0.0

    @property
    def penalty(self) -> float:
        """More than any difference of two returns."""
        values, firsts = self.problem.servable
        served = np.arange(self.problem.T) >= firsts[:, None]
        spread = float(values[served].max() - values[served].min())
        money = 2 * self.problem.switch_cost + self.problem.retrain_cost
        least = min(self.problem.share, 1.0 - self.problem.share) if self.problem.share < 1 else 1.0
        return (1.0 + self.windows * (spread + money)) / least

    def priced(self, price: float) -> Problem:
        """Return the problem without limits whose rewards are less ``price`` times the cost.

        Windows that are forbidden have a penalty that no plan can afford.
        """
        reward = self.problem.reward - price * self.cost
        if self.forbidden is not None:
            reward = reward - self.penalty * self.forbidden
        # what is never read may be undefined
        return replace(self.problem, reward=np.ascontiguousarray(reward))


def nothing_meets(limit: str) -> ConfigError:
    """Return the error for a limit that no plan meets."""
    return ConfigError(f"nothing that this deployment can do meets the limit {limit}", remedy=REMEDY)
