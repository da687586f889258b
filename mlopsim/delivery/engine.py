"""N deployments side by side: what environments, roll-outs and replays drive."""

from __future__ import annotations

from typing import Any

import numpy as np

from mlopsim.core.errors import ConfigError, MlopsimError
from mlopsim.delivery import dynamics as d
from mlopsim.delivery import kernels
from mlopsim.delivery.deployments.standard import Feedback
from mlopsim.delivery.features import feature_names
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

    Attributes
    ----------
    obs : ndarray of float32, shape (N, F)
        Observation at the decision time; overwritten by every step, as all of these.
    mask : ndarray of bool, shape (N, K + 2)
        Possible actions.
    parts : ndarray of float64, shape (N, 4)
        Parts of the reward of the window served last, in the order of
        :data:`mlopsim.delivery.dynamics.PARTS`; costs are negative.
    executed : ndarray of int64, shape (N,)
        What was done: the action, or 0 where it was impossible.

    Raises
    ------
    ConfigError
        If the pool does not fit the deployment, or ``blocked`` has another shape.
    """

    def __init__(self, pool: WorldPool, deployment: Any, n: int, blocked: np.ndarray | None = None) -> None:
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
        self.names = feature_names(self.slots)
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
        self.state = d.State(
            ints=np.full((n, d.SLOTS_I + self.slots * d.WIDTH_I), -1, dtype=np.int32),
            floats=np.zeros((n, d.SLOTS_F + self.slots * d.WIDTH_F)),
            served=np.zeros((n, pool.windows, 3), dtype=np.int32),
        )
        self.out = d.Out(
            obs=np.zeros((n, len(self.names)), dtype=np.float32),
            mask=np.zeros((n, self.slots + 2), dtype=bool),
            parts=np.zeros((n, len(d.PARTS))),
            executed=np.zeros(n, dtype=np.int64),
        )
        self.obs, self.mask, self.parts, self.executed = self.out
        self._all = np.arange(n, dtype=np.int64)

    @property
    def interface(self) -> Interface:
        """What a selector is told before the roll-out."""
        return Interface(
            names=self.names, slots=self.slots, horizon=self.pool.steps, deployment=self.deployment
        )

    @property
    def actions(self) -> int:
        """Number of actions K + 2."""
        return self.slots + 2

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
        return self.state.ints[:, d.SLOTS_I + d.VERSION :: d.WIDTH_I].astype(np.int64)

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
    def stable(self) -> np.ndarray:
        """Version that served each window (the base of a canary), -1 where none did yet, int64 (N, T)."""
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
        self, worlds: np.ndarray, rows: np.ndarray | None = None, lengths: np.ndarray | None = None
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

        Raises
        ------
        ConfigError
            If there is no such World.
        """
        rows = self._all if rows is None else rows
        if len(worlds) and (worlds.min() < 0 or worlds.max() >= len(self.pool)):
            raise ConfigError(f"scenarios are 0..{len(self.pool) - 1}, got {worlds.min()}..{worlds.max()}")
        lengths = np.full(len(rows), self.pool.steps) if lengths is None else lengths
        ends = lengths + (self.pool.warmup - 1)
        kernels.begin(rows, worlds, ends, self.state, self.tables, self.p, self.q, self.out)

    def step(self, actions: np.ndarray) -> bool:
        """Serve one window everywhere.

        Parameters
        ----------
        actions : ndarray of int64, shape (N,)
            0 keep, 1..K deploy slot i - 1, K + 1 retrain; not checked for being one of these.

        Returns
        -------
        bool
            Whether any deployment has ended; it must be started anew before the next step.

        Raises
        ------
        MlopsimError
            If a deployment has ended, or none was started.
        """
        found = kernels.step(actions, self.state, self.tables, self.p, self.q, self.out)
        if found < 0:
            raise MlopsimError("a deployment has ended or was never started", remedy="start it anew first")
        return bool(found)

    def observe(self, rows: np.ndarray) -> None:
        """Write again what these deployments (R,) see; after :meth:`hand_over` nothing of it is left."""
        from mlopsim.delivery.observation import write_obs

        state, tables = self.state, self.tables
        for row in rows.tolist():
            write_obs(
                *(row, state.ints, state.floats, tables.shift, tables.newest, tables.quality),
                *(self.p, self.q, self.obs, self.mask),
            )

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
