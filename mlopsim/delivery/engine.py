"""N deployments side by side: what environments, walks and replays drive."""

from __future__ import annotations

from typing import Any

import numpy as np

from mlopsim.core.errors import ConfigError
from mlopsim.delivery import dynamics as d
from mlopsim.delivery import observation
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
    reward : ndarray of float64, shape (N,)
        Reward of the window served last.
    parts : ndarray of float64, shape (N, 4)
        Its parts, in the order of :data:`mlopsim.delivery.dynamics.PARTS`.
    executed : ndarray of int64, shape (N,)
        What was done: the action, or 0 where it was impossible.
    invalid : ndarray of bool, shape (N,)
        Where it was impossible.

    Raises
    ------
    ConfigError
        If the pool does not fit the deployment, or ``blocked`` has another shape.
    """

    def __init__(
        self, pool: WorldPool, deployment: Any, n: int, blocked: np.ndarray | None = None
    ) -> None:
        if deployment.has_canary and not pool.canary:
            raise ConfigError(
                "a deployment with canaries needs confusion counts", remedy="WorldPool(..., canary=True)"
            )
        if pool.metric != deployment.objective:
            raise ConfigError(
                f"the pool was made for the metric {pool.metric}, the deployment asks for {deployment.objective}"
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
            ints=np.full((n, d.SLOTS_I + self.slots * d.WIDTH_I), -1, dtype=np.int64),
            floats=np.zeros((n, d.SLOTS_F + self.slots * d.WIDTH_F)),
            stable=np.full((n, pool.windows), -1, dtype=np.int64),
            candidate=np.full((n, pool.windows), -1, dtype=np.int64),
            shadowed=np.zeros((n, pool.windows), dtype=np.int8),
        )
        self.out = d.Out(
            obs=np.zeros((n, len(self.names)), dtype=np.float32),
            mask=np.zeros((n, self.slots + 2), dtype=bool),
            parts=np.zeros((n, len(d.PARTS))),
            reward=np.zeros(n),
            executed=np.zeros(n, dtype=np.int64),
            invalid=np.zeros(n, dtype=bool),
        )
        self.obs, self.mask, self.parts, self.reward, self.executed, self.invalid = self.out
        self._all = np.arange(n, dtype=np.int64)

    @property
    def interface(self) -> Interface:
        """What a selector is told before the walk."""
        return Interface(
            names=self.names, slots=self.slots, horizon=self.pool.steps, deployment=self.deployment
        )

    @property
    def actions(self) -> int:
        """Number of actions K + 2."""
        return self.slots + 2

    @property
    def time(self) -> np.ndarray:
        """Decision times, int64 of shape (N,); a view."""
        return self.state.ints[:, d.TIME]

    @property
    def world(self) -> np.ndarray:
        """Number of every deployment's World in the pool, int64 of shape (N,); a view."""
        return self.state.ints[:, d.WORLD]

    @property
    def ended(self) -> np.ndarray:
        """Which deployments have served their last window, bool of shape (N,)."""
        ended: np.ndarray = self.state.ints[:, d.TIME] == self.state.ints[:, d.END]
        return ended

    @property
    def versions(self) -> np.ndarray:
        """Version by slot, newest first, -1 where empty, int64 of shape (N, K)."""
        return self.state.ints[:, d.SLOTS_I + d.VERSION :: d.WIDTH_I].copy()

    @property
    def serving(self) -> np.ndarray:
        """Slot of the stable version, int64 of shape (N,)."""
        found = np.zeros(self.n, dtype=np.int64)
        observation.serving_slots(self.state.ints, found)
        return found

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
        if len(worlds) and not (0 <= worlds.min() and worlds.max() < len(self.pool)):
            raise ConfigError(f"scenarios are 0..{len(self.pool) - 1}, got {worlds.min()}..{worlds.max()}")
        lengths = np.full(len(rows), self.pool.steps) if lengths is None else lengths
        ends = lengths + (self.pool.warmup - 1)
        observation.begin(rows, worlds, ends, self.state, self.tables, self.p, self.q, self.out)

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
        """
        return bool(observation.step(actions, self.state, self.tables, self.p, self.q, self.out))

    def errors(self) -> np.ndarray:
        """Return the row-wise errors of what served in the window whose labels became known.

        Returns
        -------
        ndarray of int8, shape (N, R)
            1 = error, 0 = correct, -1 pads; in a canary window the sampled rows of the stable version.
        """
        result = np.empty((self.n, self.pool.longest), dtype=np.int8)
        observation.write_errors(self.state, self.tables, *self.pool.rows, self.p, self.q, result)
        return result
