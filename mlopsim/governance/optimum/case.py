"""One World under one deployment with its limits: what an optimum is asked for, and where plans are tried."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from mlopsim.core.errors import ConfigError, MlopsimError
from mlopsim.core.spec import make
from mlopsim.delivery.mechanisms import Costs, Mechanisms, Switch
from mlopsim.delivery.oracle.plan import KEEP, RETRAIN
from mlopsim.delivery.oracle.replay import RewardPool
from mlopsim.delivery.pool import WorldPool
from mlopsim.governance.constraint import Over
from mlopsim.governance.optimum.constrained import TOLERANCE, Constrained

#: the intent to let the fallback serve, beside those of :mod:`mlopsim.delivery.oracle.plan`
SUSPEND = -3


@dataclass(frozen=True, kw_only=True)
class Played:
    """What N plans come to in the real dynamics.

    Parameters
    ----------
    actions : ndarray of int64, shape (N, S)
        0 keep, 1..K deploy slot i - 1, K + 1 retrain, K + 2 suspend.
    value : ndarray of float64, shape (N,)
        Total reward.
    cost : ndarray of float64, shape (N,)
        Total cost of the constraint on the mean, 0 without one.
    within : ndarray of bool, shape (N,)
        Whether the limits of each window and of the longest run are kept.
    """

    actions: np.ndarray
    value: np.ndarray
    cost: np.ndarray
    within: np.ndarray


@dataclass(frozen=True, kw_only=True)
class Case:
    """A World of a pool, a deployment, its mechanisms, and what each limit is on.

    Parameters
    ----------
    pool : WorldPool
        Worlds.
    deployment : component of kind ``deployment``
        Parameters of the dynamics.
    mechanisms : Mechanisms
        What is optional in it.
    world : int, default 0
        Which World of the pool.
    over : sequence of Over, optional
        What the limit of each of ``mechanisms.costs`` is on; the mean by default.
    switches : int, optional
        What is on; by default what the mechanisms say.
    only : str, optional
        Name of the constraint on a mean that counts, where there are several: the others are then left out.

    Examples
    --------
    >>> from mlopsim.core.spec import make
    >>> deployment = make("deployment", "standard", switch_cost=0.0, label_delay=0, latency=0)
    >>> case = Case.bare(np.full((12, 12), 0.9), 2, deployment, cost=np.ones((12, 12)), limit=0.25,
    ...                  fallback=np.full(12, 0.4))
    >>> never, suspended = case.never(), case.suspended()
    >>> round(float(never.value[0]), 6), float(never.cost[0]), round(float(suspended.value[0]), 6)
    (9.0, 10.0, 4.0)
    """

    pool: WorldPool
    deployment: Any
    mechanisms: Mechanisms
    world: int = 0
    over: Sequence[Over | str] = ()
    switches: int | None = None
    only: str | None = None

    @classmethod
    def all_of(cls, pool: WorldPool, deployment: Any, *, only: str | None = None) -> list[Case]:
        """Make a case of each World of a pool under a governed deployment.

        Parameters
        ----------
        pool : WorldPool
            Worlds.
        deployment : component of kind ``deployment``
            Such as :class:`mlopsim.governance.deployments.governed.Governed`.
        only : str, optional
            Name of the constraint on a mean that counts.
        """
        mechanisms = deployment.mechanisms(pool)
        over = tuple(make("constraint", spec).over for spec in deployment.constraints)
        return [
            cls(pool=pool, deployment=deployment, mechanisms=mechanisms, world=world, over=over, only=only)
            for world in range(len(pool))
        ]

    @classmethod
    def bare(
        cls,
        reward: np.ndarray,
        warmup: int,
        deployment: Any,
        *,
        cost: np.ndarray | None = None,
        limit: float = 1.0,
        over: Over | str = Over.MEAN,
        fallback: np.ndarray | None = None,
        **more: Any,
    ) -> Case:
        """Make a case of bare matrices.

        Parameters
        ----------
        reward, cost : ndarray of float64, shape (T, T)
            ``[version, window]``.
        warmup : int
            W.
        deployment : component of kind ``deployment``
            Parameters of the dynamics.
        limit, over
            Of the cost.
        fallback : ndarray of float64, shape (T,), optional
            Quality of the fallback.
        **more
            Further fields of :class:`mlopsim.delivery.mechanisms.Mechanisms`, for one World each:
            ``blocked``, ``refused``, ``delay``, ``denied``, ``resume_on_arrival``, ``switches``.
        """
        pool = RewardPool(reward, warmup, deployment)
        fields: dict[str, Any] = {
            name: value[None] if isinstance(value, np.ndarray) else value for name, value in more.items()
        }
        if fallback is not None:
            fields["fallback"] = fallback[None]
        if cost is not None:
            v, t = np.triu_indices(pool.windows - warmup + 1)
            cells = np.ascontiguousarray(cost[v + warmup - 1, t + warmup - 1])[None]
            fields["costs"] = (
                Costs(name="cost", true=cells, seen=cells.astype(np.float32), lag=0, limit=limit),
            )
        rules = (Over(over),) if cost is not None else ()
        return cls(pool=pool, deployment=deployment, mechanisms=Mechanisms(**fields), over=rules)

    @cached_property
    def rules(self) -> tuple[Over, ...]:
        """What each limit is on."""
        return tuple(Over(rule) for rule in self.over) or (Over.MEAN,) * len(self.mechanisms.costs)

    @cached_property
    def constrained(self) -> Constrained:
        """The numbers that bounds depend on."""
        counted = [k for k, rule in enumerate(self.rules) if rule is not Over.MEAN or k == self.mean]
        mechanisms = replace(self.mechanisms, costs=tuple(self.mechanisms.costs[k] for k in counted))
        rules = [self.rules[k] for k in counted]
        return Constrained.of(
            self.pool, self.world, self.deployment, mechanisms, rules, switches=self.switches
        )

    @property
    def on(self) -> Switch:
        """Which mechanisms are on."""
        return Switch(int(self.mechanisms.switches if self.switches is None else self.switches))

    @property
    def can_suspend(self) -> bool:
        """Whether there is a fallback, and it may be used."""
        return self.mechanisms.suspends and Switch.SUSPEND in self.on

    @cached_property
    def mean(self) -> int | None:
        """Number of the constraint on the mean."""
        found = [k for k, rule in enumerate(self.rules) if rule is Over.MEAN]
        if self.only is not None:
            names = {self.mechanisms.costs[k].name: k for k in found}
            if self.only not in names:
                raise ConfigError(
                    f"no limit on a mean is called {self.only}",
                    remedy=f"those on means are {', '.join(names) or 'none'}",
                )
            return names[self.only]
        if len(found) > 1:
            names_of = ", ".join(self.mechanisms.costs[k].name for k in found)
            raise ConfigError(
                f"several limits are on means ({names_of}): a front has one cost", remedy="name one of them"
            )
        return found[0] if found else None

    @property
    def limit(self) -> float:
        """Of the mean cost of a window, inf for none."""
        return float("inf") if self.mean is None else self.mechanisms.costs[self.mean].limit

    def play(self, intents: np.ndarray) -> Played:
        """Carry out plans by version.

        Parameters
        ----------
        intents : ndarray of int64, shape (N, S)
            For the decision times W-1..T-2: ``KEEP`` (-1), ``RETRAIN`` (-2), ``SUSPEND`` (-3) or the version
            to deploy.

        Raises
        ------
        MlopsimError
            If a version is not in the registry or an action is impossible.
        """
        from mlopsim.delivery.engine import Engine

        engine = Engine(self.pool, self.deployment, len(intents), mechanisms=self.mechanisms)
        engine.begin(*self._begin(len(intents)))
        slots, book = engine.slots, _Book(self, len(intents))
        actions = np.zeros(intents.shape, dtype=np.int64)
        for s in range(intents.shape[1]):
            wish = intents[:, s]
            found = engine.versions == wish[:, None]
            if ((wish >= 0) & ~found.any(axis=1)).any():
                raise MlopsimError(f"a plan deploys a version that is not in the registry at decision {s}")
            chosen = 1 + found.argmax(axis=1)
            for intent, action in ((KEEP, 0), (RETRAIN, slots + 1), (SUSPEND, slots + 2)):
                chosen[wish == intent] = action
            actions[:, s] = chosen
            engine.step(chosen)
            if (engine.executed != actions[:, s]).any():
                raise MlopsimError(f"a plan asks for what is impossible at decision {s}")
            book.add(engine.reward, engine.costs)
        return Played(actions=actions, value=book.value, cost=book.cost, within=book.within)

    def carry_out(self, actions: np.ndarray) -> Played:
        """Carry out actions (N, S), as of :attr:`Played.actions`; what is impossible is nothing."""
        from mlopsim.delivery.engine import Engine

        engine = Engine(self.pool, self.deployment, len(actions), mechanisms=self.mechanisms)
        engine.begin(*self._begin(len(actions)))
        book = _Book(self, len(actions))
        for s in range(actions.shape[1]):
            engine.step(np.ascontiguousarray(actions[:, s]))
            book.add(engine.reward, engine.costs)
        return Played(actions=actions, value=book.value, cost=book.cost, within=book.within)

    def _begin(self, n: int) -> tuple[np.ndarray, None, None, np.ndarray]:
        worlds = np.full(n, self.world, dtype=np.int64)
        return worlds, None, None, np.full(n, int(self.on), dtype=np.int64)

    def never(self) -> Played:
        """Return what never doing anything comes to."""
        return self.play(np.full((1, self.pool.steps), KEEP, dtype=np.int64))

    def suspended(self) -> Played | None:
        """Return what suspending at once and for good comes to; None where it is impossible."""
        if (
            not self.can_suspend
            or self.constrained.problem.switch_cost > self.constrained.problem.budget + TOLERANCE
        ):
            return None
        intents = np.full((1, self.pool.steps), KEEP, dtype=np.int64)
        intents[0, 0] = SUSPEND
        return self.play(intents)


class _Book:
    """Sums what N roll-outs earn and cost, and remembers whether they keep the limits."""

    def __init__(self, case: Case, n: int) -> None:
        self._case = case
        self.value, self.cost = np.zeros(n), np.zeros(n)
        self.within = np.ones(n, dtype=bool)
        self._run = np.zeros((n, len(case.rules)), dtype=np.int64)

    def add(self, reward: np.ndarray, costs: np.ndarray) -> None:
        """Enter one window: rewards (n,) and costs (n, C)."""
        self.value += reward
        for k, rule in enumerate(self._case.rules):
            limit = self._case.mechanisms.costs[k].limit
            if rule is Over.MEAN:
                if k == self._case.mean:
                    self.cost += costs[:, k]
            elif rule is Over.WINDOW:
                self.within &= costs[:, k] <= limit + TOLERANCE
            else:
                self._run[:, k] = np.where(costs[:, k] > 0.0, self._run[:, k] + 1, 0)
                self.within &= self._run[:, k] <= limit
