"""The closed loop as an arena: training Worlds, those for the choice, limits and switches that are drawn."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from mlopsim.core.errors import ConfigError
from mlopsim.core.spec import make
from mlopsim.delivery.features import CAP
from mlopsim.delivery.mechanisms import Mechanisms, arms_of
from mlopsim.delivery.pool import WorldPool
from mlopsim.delivery.walk import walk
from mlopsim.governance.agents.arena import Step
from mlopsim.governance.agents.held_back import held_back
from mlopsim.governance.agents.shield import Shield
from mlopsim.governance.constraint import Over

if TYPE_CHECKING:
    from mlopsim.delivery.vector import DeliveryVectorEnv

#: share of the training scenarios that training does not see: the snapshots are judged on them
HELD_BACK = 0.2


class ClosedLoop:
    """A deployment over the Worlds of a pool; a fifth of its scenarios are for the choice.

    These are as many of each family, see :mod:`mlopsim.governance.agents.held_back`. Its contexts are a
    limit, a set of switches, and whether the versions of a World were trained behind a data gate: limit by
    limit, set by set, without a gate first. So each arm of the loop has a price of its own, and is asked to
    keep its limits by itself. Of what an episode is drawn from, the context is observed, where something is
    deployed, too: the columns ``cost_*_limit`` and ``has_*``. The family of its stream is not.

    Parameters
    ----------
    pool : WorldPool
        Training Worlds.
    deployment : component of kind ``deployment``
        With ``mechanisms(pool)`` it may have constraints; without, there are none.
    limits : sequence of float, default none
        Limits of the only constraint; none: that of the deployment.
    arms : sequence of int, default none
        Sets of switches; none: those that are on in the deployment.
    shield : bool, default False
        Whether the masks of training are those of :class:`mlopsim.governance.agents.shield.Shield`.

    Raises
    ------
    ConfigError
        If a limit is not on the mean over a deployment, or there are limits without exactly one constraint.
    """

    def __init__(
        self,
        pool: WorldPool,
        deployment: Any,
        *,
        limits: Sequence[float] = (),
        arms: Sequence[int] = (),
        shield: bool = False,
    ) -> None:
        # numba is slow to import
        from mlopsim.delivery.engine import Engine

        for spec in getattr(deployment, "constraints", ()):
            constraint = make("constraint", spec)
            if constraint.over is not Over.MEAN:
                raise ConfigError(
                    f"agents learn limits on the mean cost, {constraint.full_name} has one over "
                    f"{constraint.over.value}",
                    remedy="over=mean",
                )
        held = held_back(pool, HELD_BACK)
        self.deployment, self.horizon, self.validation = deployment, pool.steps, len(held.judges)
        self._pool, self._judges = pool.select(held.training), None
        # the Worlds of each scenario, as numbers of the judges
        ends = np.cumsum([0, *(len(worlds) for worlds in held.judges)])
        self._scenarios = [np.arange(a, b) for a, b in itertools.pairwise(ends)]
        if held.judges:
            self._judges = pool.select(np.concatenate(held.judges))
        engine = Engine(self._pool, deployment, 1)
        self._mechanisms = engine.mechanisms
        self._judging: Mechanisms | None = None
        self.names = self.reads = engine.names
        self.actions, self.constraints = engine.actions, engine.constraints
        own = [] if self._mechanisms is None else [cost.limit for cost in self._mechanisms.costs]
        if len(limits) and len(own) != 1:
            raise ConfigError(
                f"limits are drawn for the only constraint of a deployment, this one has {len(own)}",
                remedy="limits=[], or one constraint",
            )
        self._asked = len(limits) > 0
        self._limits = np.array([[limit] for limit in limits] if self._asked else [own], dtype=np.float64)
        self._limits = self._limits.reshape(max(len(limits), 1), len(own))
        self._arms = arms_of(self._mechanisms, list(arms) if len(arms) else None)
        self._shield = Shield.of(engine.interface, self.constraints) if shield else None
        #: whether there is a data gate: what of that occurs, and which of these each training World has
        self._gates, self._gate = _gates_of(self._mechanisms, len(self._pool))

    @property
    def limits(self) -> np.ndarray:
        """What is allowed by context and constraint, float64 of shape (contexts, C)."""
        return np.repeat(self._limits, len(self._arms) * len(self._gates), axis=0)

    def lanes(self, n: int, *, stagger: bool) -> LoopLanes:
        """Return n training deployments side by side."""
        return LoopLanes(self, n, stagger)

    def judging(self, n: int) -> int:
        """Return the steps of rolling the first n scenarios out once in every context."""
        worlds = sum(len(worlds) for worlds in self._scenarios[:n])
        # each World occurs in the contexts of its own gate
        return self.horizon * len(self._limits) * len(self._arms) * worlds

    def evaluate(
        self, selector: Any, context: int, which: np.ndarray, seeds: Sequence[np.random.SeedSequence]
    ) -> tuple[np.ndarray, np.ndarray]:
        """Roll a selector out in scenarios that were kept back, see :class:`Arena`.

        A scenario is rolled out in its Worlds with the data gate, or in those without it, as the context
        says; with several it counts once, by their mean.

        Raises
        ------
        ConfigError
            If there are none to choose by, or a scenario has no World of that kind.
        """
        if self._judges is None:
            raise ConfigError("one World alone leaves none to choose by", remedy="more training scenarios")
        limit, arm, gate = np.unravel_index(context, (len(self._limits), len(self._arms), len(self._gates)))
        if self._judging is None and self._mechanisms is not None:
            self._judging = self.deployment.mechanisms(self._judges)
        mechanisms = self._judging
        if mechanisms is not None and self._asked:
            mechanisms = limited(mechanisms, float(self._limits[limit, 0]))
        _, kind = _gates_of(self._judging, len(self._judges), self._gates)
        found_of = [self._scenarios[int(one)] for one in which]
        mine = [worlds[kind[worlds] == gate] for worlds in found_of]
        sizes = np.array([len(worlds) for worlds in mine])
        if not sizes.all():
            raise ConfigError(
                "training Worlds with and without a data gate are not of the same scenarios",
                remedy="give each scenario a World of both, or all of them one kind",
            )
        worlds = np.concatenate(mine)
        own = [seed for one, size in zip(seeds, sizes, strict=True) for seed in _seeds(one, int(size))]
        switches = None if mechanisms is None else np.full(len(worlds), self._arms[arm], dtype=np.int64)
        found = walk(
            selector, self._judges, self.deployment, worlds, own, mechanisms=mechanisms, switches=switches
        )
        each = [found.reward.mean(axis=1), *(found.costs[name].mean(axis=1) for name in self.constraints)]
        starts = np.concatenate([[0], sizes.cumsum()[:-1]])
        returns, *costs = (np.add.reduceat(one, starts) / sizes for one in each)
        return returns, np.stack(costs, axis=1) if costs else np.zeros((len(which), 0))


def _gates_of(
    mechanisms: Mechanisms | None, worlds: int, known: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Return which of no gate and a gate occur, and the place of each World among these, int64 (M,)."""
    gated = np.zeros(worlds, dtype=bool)
    if mechanisms is not None and mechanisms.guarded.size:
        gated = mechanisms.guarded
    gates = np.unique(gated) if known is None else known
    return gates, np.searchsorted(gates, gated).astype(np.int64)


def _seeds(seed: np.random.SeedSequence, size: int) -> list[np.random.SeedSequence]:
    """Return seeds of the Worlds of a scenario: its own where it has one World, else its children.

    Examples
    --------
    >>> seed = np.random.SeedSequence(1)
    >>> [_seeds(seed, 2)[1].spawn_key for _ in range(2)], _seeds(seed, 1)[0] is seed
    ([(1,), (1,)], True)
    """
    if size == 1:
        return [seed]
    # by number: `spawn` would give others to whoever asks next
    return [np.random.SeedSequence(seed.entropy, spawn_key=(*seed.spawn_key, i)) for i in range(size)]


def limited(mechanisms: Mechanisms, limit: float) -> Mechanisms:
    """Return mechanisms whose only constraint has another limit."""
    (cost,) = mechanisms.costs
    return dataclasses.replace(mechanisms, costs=(dataclasses.replace(cost, limit=limit),))


def mean_of_versions(pool: WorldPool, cells: np.ndarray, lag: int) -> np.ndarray:
    """Return the mean of a table over the versions that could serve, by window.

    As :meth:`mlopsim.delivery.pool.WorldPool.baseline` does with the reward: what no action changes.

    Parameters
    ----------
    pool : WorldPool
    cells : ndarray of float64, shape (M, cells)
        The table, laid out as those of the pool.
    lag : int
        Version v can serve from window v + lag on.

    Returns
    -------
    ndarray of float64, shape (M, T)
    """
    result = np.zeros((len(pool), pool.windows))
    v0 = pool.warmup - 1
    for t in range(pool.warmup, pool.windows):
        places = pool.cell(np.arange(v0, max(v0, t - lag) + 1), t)
        result[:, t] = cells[:, places].mean(axis=1)
    return result


class LoopLanes:
    """N training deployments of a :class:`ClosedLoop` side by side.

    Attributes
    ----------
    num_envs : int
    context : ndarray of int64, shape (N,)
        See :class:`mlopsim.governance.agents.arena.Lanes`.
    """

    def __init__(self, loop: ClosedLoop, n: int, stagger: bool) -> None:
        from mlopsim.delivery.vector import DeliveryVectorEnv

        self.num_envs, self._loop = n, loop
        pool, mechanisms, deployment = loop._pool, loop._mechanisms, loop.deployment
        self._env: DeliveryVectorEnv = DeliveryVectorEnv(
            n,
            deployment=deployment,
            pool=pool,
            stagger=stagger,
            mechanisms=mechanisms,
            arms=None if mechanisms is None else loop._arms.tolist(),
        )
        lag = deployment.label_delay + deployment.latency + 1
        self._rewards = pool.baseline(lag)
        tables = [] if mechanisms is None else [mean_of_versions(pool, c.true, lag) for c in mechanisms.costs]
        self._costs = np.stack(tables, axis=2) if tables else np.zeros((*self._rewards.shape, 0))
        self._limit, self._arm, self._gate = (np.zeros(n, dtype=np.int64) for _ in range(3))
        self._place = {int(arm): i for i, arm in enumerate(loop._arms)}
        self._rng = np.random.default_rng(0)
        self._obs = np.zeros((n, len(loop.names)), dtype=np.float32)

    @property
    def context(self) -> np.ndarray:
        """Context of the episode that each deployment is in, int64 of shape (N,)."""
        loop = self._loop
        return (self._limit * len(loop._arms) + self._arm) * len(loop._gates) + self._gate

    def reset(self, seed: int) -> np.ndarray:
        """Begin all episodes."""
        env_seed, own = np.random.SeedSequence(seed).spawn(2)
        self._rng = np.random.Generator(np.random.PCG64(own))
        obs, info = self._env.reset(seed=int(env_seed.generate_state(1)[0]))
        self._begin(np.arange(self.num_envs), info)
        self._obs = self._shown(obs, self._limit)
        return self._obs

    def _begin(self, rows: np.ndarray, info: dict[str, Any]) -> None:
        """Take note of the contexts of the episodes that begin."""
        self._limit[rows] = self._rng.integers(len(self._loop._limits), size=len(rows))
        self._gate[rows] = self._loop._gate[self._env.engine.world[rows]]
        if self._loop._mechanisms is not None:
            self._arm[rows] = [self._place[int(switches)] for switches in info["switches"][rows]]

    def _shown(self, obs: np.ndarray, limit: np.ndarray) -> np.ndarray:
        """Show the limits that were drawn."""
        loop = self._loop
        if not loop._asked:
            return obs
        (name,) = loop.constraints
        seen, allowed, left = (loop.names.index(f"cost_{name}_{what}") for what in ("seen", "limit", "left"))
        drawn = loop._limits[limit, 0]
        obs[:, allowed] = np.minimum(drawn, CAP)
        obs[:, left] = np.clip(drawn - obs[:, seen], -1.0, CAP)
        return obs

    def step(self, actions: np.ndarray) -> Step:
        """Decide and serve the next window everywhere."""
        engine = self._env.engine
        place = engine.world, engine.time + 1
        before = self._limit.copy()
        obs, reward, _, ended, info = self._env.step(actions)
        costs = [info["costs"][name] for name in self._loop.constraints]
        rows = np.flatnonzero(ended)
        if len(rows):
            self._begin(rows, info)
        obs = self._shown(obs, self._limit)
        last = obs
        if len(rows):
            last = obs.copy()
            last[rows] = np.stack(info["final_obs"][rows].tolist())
            last = self._shown(last, before)
        self._obs = obs
        return Step(
            obs=obs,
            reward=reward,
            cost=np.stack(costs, axis=1) if costs else np.zeros((self.num_envs, 0)),
            reward_baseline=self._rewards[place],
            cost_baseline=self._costs[place],
            ended=ended,
            last_obs=last,
        )

    def action_masks(self) -> np.ndarray:
        """Return which actions are possible now, and left by the shield, bool of shape (N, A)."""
        masks = self._env.action_masks()
        shield = self._loop._shield
        return masks if shield is None else shield.masked(masks, self._obs)
