"""N deployments side by side: what environments, roll-outs and replays drive."""

from __future__ import annotations

from typing import Any

import numpy as np

from mlopsim.core.errors import ConfigError, MlopsimError
from mlopsim.delivery import dynamics as d
from mlopsim.delivery import kernels
from mlopsim.delivery.deployments.standard import Feedback
from mlopsim.delivery.features import feature_names
from mlopsim.delivery.guards import Guards
from mlopsim.delivery.mechanisms import Mechanisms
from mlopsim.delivery.pool import WorldPool
from mlopsim.delivery.selector import Interface

_FEEDBACK = {Feedback.DEPLOYED: d.DEPLOYED, Feedback.SHADOW: d.SHADOW, Feedback.FULL: d.FULL}


class Engine:
    """State and results of N deployments over the Worlds of a pool.

    Parameters
    ----------
    pool : WorldPool
        The Worlds; ``canary=True`` if the deployment has canaries, its metric that of the deployment.
    deployment : component of kind ``deployment``
        Parameters of the dynamics, see :class:`mlopsim.delivery.deployments.standard.Standard`.
    n : int
        Number of deployments N.
    blocked : ndarray of bool, shape (M, T), optional
        Versions that a gate blocks on arrival: they never enter the registry; the job's cost is paid.
    mechanisms : Mechanisms, optional
        What is optional in a deployment; by default what ``deployment.mechanisms(pool)`` gives where the
        deployment has such a method, else nothing.

    Attributes
    ----------
    obs : ndarray of float32, shape (N, F)
        Observation at the decision time; overwritten by every step, as all of these.
    mask : ndarray of bool, shape (N, K + 2), or (N, K + 3) with a fallback
        Possible actions.
    parts : ndarray of float64, shape (N, 4)
        Parts of the reward of the window served last, in the order of
        :data:`mlopsim.delivery.dynamics.PARTS`; costs are negative.
    executed : ndarray of int64, shape (N,)
        What was done: the action, or 0 where it was impossible.
    costs : ndarray of float64, shape (N, C)
        What the window served last costs by each constraint; C is 0 without any.

    Raises
    ------
    ConfigError
        If the pool or the mechanisms do not fit the deployment, or ``blocked`` has another shape or is given
        beside the mechanisms.
    """

    def __init__(
        self,
        pool: WorldPool,
        deployment: Any,
        n: int,
        blocked: np.ndarray | None = None,
        *,
        mechanisms: Mechanisms | None = None,
    ) -> None:
        if deployment.has_canary and not pool.canary:
            raise ConfigError(
                "a deployment with canaries needs confusion counts", remedy="WorldPool(..., canary=True)"
            )
        if pool.metric != deployment.objective:
            raise ConfigError(
                f"the pool was made for the metric {pool.metric}, not for {deployment.objective}",
                remedy="WorldPool(worlds, deployment.objective)",
            )
        size = (len(pool), pool.windows)
        if blocked is not None and blocked.shape != size:
            raise ConfigError(f"blocked must have the shape {size}, got {blocked.shape}")
        if n < 1:
            raise ConfigError(f"the number of deployments must be at least 1, got {n}")
        self.pool, self.deployment, self.n = pool, deployment, n
        self.slots = int(deployment.slots)
        if mechanisms is None and hasattr(deployment, "mechanisms"):
            mechanisms = deployment.mechanisms(pool)
        self.mechanisms = mechanisms
        if mechanisms is not None:
            if blocked is not None:
                raise ConfigError("blocked is one of the mechanisms", remedy="Mechanisms(blocked=...)")
            mechanisms.check(len(pool), pool.windows, pool.reward.shape[1])
            if mechanisms.suspends and self.slots < 2 + deployment.has_canary:
                raise ConfigError(
                    f"a deployment that can be suspended needs {2 + deployment.has_canary} slots, "
                    f"got {self.slots}",
                    remedy="a version that arrives meanwhile stands beside the one that served",
                )
            blocked = mechanisms.blocked if mechanisms.blocked.size else None
        self.constraints = () if mechanisms is None else mechanisms.constraints
        self.names = feature_names(self.slots, None if mechanisms is None else self.constraints)
        self.guards = None if mechanisms is None else _guards(mechanisms, pool)
        self.tables = d.Tables(
            reward=pool.reward,
            quality=pool.quality,
            shift=pool.shift,
            newest=pool.newest(deployment.label_delay),
            counts=pool.counts,
            seeds=pool.seeds,
            blocked=np.zeros((0, 0), dtype=bool)
            if blocked is None
            else np.ascontiguousarray(blocked, dtype=bool),
        )
        self.p = np.array(
            [
                self.slots,
                deployment.label_delay,
                deployment.latency,
                deployment.cooldown,
                deployment.has_canary,
                deployment.canary_windows,
                _FEEDBACK[deployment.feedback],
                deployment.deploy_on_arrival,
                pool.windows - 1,
                pool.warmup,
            ],
            dtype=np.int64,
        )
        budget = np.inf if deployment.budget is None else deployment.budget
        share = deployment.canary_share if deployment.has_canary else 1.0
        self.q = np.array(
            [deployment.switch_cost, deployment.retrain_cost, budget, share, deployment.shadow_cost],
            dtype=np.float64,
        )
        count, more = len(self.constraints), mechanisms is not None
        width_i = d.SLOTS_I + self.slots * d.WIDTH_I + (d.MORE_I if more else 0)
        width_f = d.SLOTS_F + self.slots * d.WIDTH_F + count * d.MORE_F
        self.state = d.State(
            ints=np.full((n, width_i), -1, dtype=np.int32),
            floats=np.zeros((n, width_f)),
            served=np.zeros((n, pool.windows, 3), dtype=np.int32),
        )
        self.out = d.Out(
            obs=np.zeros((n, len(self.names)), dtype=np.float32),
            mask=np.zeros((n, self.slots + 2 + self.suspends), dtype=bool),
            parts=np.zeros((n, len(d.PARTS))),
            executed=np.zeros(n, dtype=np.int64),
            costs=np.zeros((n, count)),
        )
        self.obs, self.mask, self.parts, self.executed, self.costs = self.out
        self._weights = np.array([one.weight for one in mechanisms.costs] if mechanisms is not None else [])
        self._all = np.arange(n, dtype=np.int64)

    @property
    def interface(self) -> Interface:
        """What a selector is told before the roll-out."""
        return Interface(
            names=self.names,
            slots=self.slots,
            horizon=self.pool.steps,
            deployment=self.deployment,
            suspends=self.suspends,
        )

    @property
    def suspends(self) -> bool:
        """Whether there is a fallback, and so the action suspend, K + 2."""
        return self.mechanisms is not None and self.mechanisms.suspends

    @property
    def actions(self) -> int:
        """Number of actions: K + 2, with a fallback K + 3."""
        return self.slots + 2 + self.suspends

    @property
    def time(self) -> np.ndarray:
        """Decision times, int64 of shape (N,)."""
        return self.state.ints[:, d.TIME].astype(np.int64)

    @property
    def world(self) -> np.ndarray:
        """Number of every deployment's World in the pool, int64 of shape (N,)."""
        return self.state.ints[:, d.WORLD].astype(np.int64)

    @property
    def ended(self) -> np.ndarray:
        """Which deployments have served their last window, bool of shape (N,)."""
        ended: np.ndarray = self.state.ints[:, d.TIME] == self.state.ints[:, d.END]
        return ended

    @property
    def versions(self) -> np.ndarray:
        """Version by slot, newest first, -1 where empty, int64 of shape (N, K)."""
        end = d.SLOTS_I + self.slots * d.WIDTH_I
        return self.state.ints[:, d.SLOTS_I + d.VERSION : end : d.WIDTH_I].astype(np.int64)

    @property
    def serving(self) -> np.ndarray:
        """Slot of the stable version, int64 of shape (N,)."""
        slots: np.ndarray = (self.versions == self.state.ints[:, d.STABLE, None]).argmax(axis=1)
        return slots

    @property
    def reward(self) -> np.ndarray:
        """Reward of the window served last: the parts added up in their order, float64 of shape (N,)."""
        parts = self.parts
        total: np.ndarray = ((parts[:, 0] + parts[:, 1]) + parts[:, 2]) + parts[:, 3]
        return total

    @property
    def cost(self) -> np.ndarray:
        """Weighted sum of the costs of the window served last, float64 of shape (N,)."""
        total: np.ndarray = np.zeros(self.n)
        for k, weight in enumerate(self._weights.tolist()):
            total += weight * self.costs[:, k]
        return total

    @property
    def suspended(self) -> np.ndarray:
        """Where the fallback serves from the next window on unless something is done, bool of shape (N,)."""
        if self.guards is None:
            return np.zeros(self.n, dtype=bool)
        column = d.SLOTS_I + self.slots * d.WIDTH_I + d.SUSPENDED
        found: np.ndarray = self.state.ints[:, column] >= 0
        return found

    @property
    def stable(self) -> np.ndarray:
        """Version that served each window (the base of a canary), int64 (N, T).

        -1 where none did yet, :data:`mlopsim.delivery.mechanisms.FALLBACK` where the fallback did.
        """
        return self.state.served[:, :, d.STABLE_AT].astype(np.int64)

    @property
    def candidate(self) -> np.ndarray:
        """Version of the canary in each window, -1 where there was none, int64 (N, T)."""
        return self.state.served[:, :, d.CANDIDATE_AT].astype(np.int64)

    @property
    def spent(self) -> np.ndarray:
        """Switch and retrain costs charged so far, float64 of shape (N,)."""
        return self.state.floats[:, d.SPENT].copy()

    def begin(
        self,
        worlds: np.ndarray,
        rows: np.ndarray | None = None,
        lengths: np.ndarray | None = None,
        switches: np.ndarray | None = None,
    ) -> None:
        """Start deployments anew.

        Parameters
        ----------
        worlds : ndarray of int64, shape (R,)
            Their Worlds, as numbers in the pool.
        rows : ndarray of int64, shape (R,), optional
            Which deployments; all of them by default.
        lengths : ndarray of int64, shape (R,), optional
            Number of steps after which they end; T - W by default.
        switches : ndarray of int64, shape (R,), optional
            Which mechanisms are on in each (:class:`mlopsim.delivery.mechanisms.Switch`); by default those
            of the mechanisms.

        Raises
        ------
        ConfigError
            If there is no such World, or there are switches of a deployment without mechanisms.
        """
        rows = self._all if rows is None else rows
        if len(worlds) and (worlds.min() < 0 or worlds.max() >= len(self.pool)):
            raise ConfigError(f"scenarios are 0..{len(self.pool) - 1}, got {worlds.min()}..{worlds.max()}")
        lengths = np.full(len(rows), self.pool.steps) if lengths is None else lengths
        ends = lengths + (self.pool.warmup - 1)
        if switches is None:
            usual = 0 if self.mechanisms is None else int(self.mechanisms.switches)
            switches = np.full(len(rows), usual, dtype=np.int64)
        elif self.mechanisms is None:
            raise ConfigError("a deployment without mechanisms has no switches", remedy="deployment=governed")
        kernels.begin(
            rows, worlds, ends, switches, self.state, self.tables, self.guards, self.p, self.q, self.out
        )

    def step(self, actions: np.ndarray) -> bool:
        """Serve one window everywhere.

        Parameters
        ----------
        actions : ndarray of int64, shape (N,)
            0 keep, 1..K deploy slot i - 1, K + 1 retrain, with a fallback K + 2 suspend; not checked for
            being one of these.

        Returns
        -------
        bool
            Whether any deployment has ended; it must be started anew before the next step.

        Raises
        ------
        MlopsimError
            If a deployment has ended, or none was started.
        """
        found = kernels.step(actions, self.state, self.tables, self.guards, self.p, self.q, self.out)
        if found < 0:
            raise MlopsimError("a deployment has ended or was never started", remedy="start it anew first")
        return bool(found)

    def observe(self, rows: np.ndarray) -> None:
        """Write again what these deployments (R,) see; after :meth:`hand_over` nothing of it is left."""
        kernels.observe(rows, self.state, self.tables, self.guards, self.p, self.q, self.out)

    def hand_over(self) -> np.ndarray:
        """Return the observations for good: the next step writes into a new array (cheaper than a copy)."""
        given = self.obs
        self.obs = np.empty_like(given)
        self.out = self.out._replace(obs=self.obs)
        return given

    def errors(self) -> np.ndarray:
        """Return the row-wise errors of what served in the window whose labels became known.

        Returns
        -------
        ndarray of int8, shape (N, R)
            1 = error, 0 = correct, -1 pads; in a canary window the sampled rows of the stable version.
        """
        result = np.empty((self.n, self.pool.longest), dtype=np.int8)
        kernels.write_errors(self.state, self.tables, *self.pool.rows, self.p, self.q, result)
        return result


def _guards(mechanisms: Mechanisms, pool: WorldPool) -> Guards:
    """Lay the arrays of the mechanisms out for the kernels."""
    costs = mechanisms.costs
    # what one cell costs by all constraints is read at once
    shape = (*pool.reward.shape, len(costs)) if costs else (0, 0, 0)
    true, seen = np.zeros(shape), np.zeros(shape, dtype=np.float32)
    for k, cost in enumerate(costs):
        true[:, :, k], seen[:, :, k] = cost.true, cost.seen
    churn = next((k for k, cost in enumerate(costs) if cost.at_switch), -1)
    bits, places = np.zeros((0, 0), dtype=np.uint8), np.zeros((0, 0), dtype=np.int64)
    if churn >= 0:
        bits, places = pool.answers
    return Guards(
        refused=np.ascontiguousarray(mechanisms.refused, dtype=bool),
        delay=np.ascontiguousarray(mechanisms.delay, dtype=np.int64),
        denied=np.ascontiguousarray(mechanisms.denied, dtype=bool),
        fallback=np.ascontiguousarray(mechanisms.fallback, dtype=np.float64),
        alarm=np.ascontiguousarray(mechanisms.alarm, dtype=bool),
        guarded=np.ascontiguousarray(mechanisms.guarded, dtype=bool),
        cost=true,
        seen=seen,
        lag=np.array([cost.lag for cost in costs], dtype=np.int64),
        limit=np.array([cost.limit for cost in costs], dtype=np.float64),
        bits=bits,
        places=places,
        bounds=pool.bounds,
        g=np.array(
            [
                churn,
                mechanisms.resume_on_arrival,
                mechanisms.suspends,
                mechanisms.delay.size > 0,
                mechanisms.refused.size > 0,
            ],
            dtype=np.int64,
        ),
    )
