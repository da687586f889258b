"""The numbers of a roll-out that an optimum depends on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from mlopsim.core.errors import ConfigError

#: amounts of money are compared with this tolerance, here as in the dynamics
MONEY = 1e-9


@dataclass(frozen=True, kw_only=True)
class Problem:
    """What the optimum of one roll-out depends on.

    Parameters
    ----------
    reward : ndarray of float64, shape (T, T)
        Quality of version v in window t, ``[v, t]``; rows below ``v0 = warmup - 1`` are never read.
    warmup : int
        Number of warm-up windows W; the roll-out covers the windows W..T-1.
    slots : int
        Registry slots K.
    label_delay, latency, cooldown : int
        L, l and the cool-down, in windows.
    switch_cost, retrain_cost : float
        In units of reward.
    budget : float
        Limit of the switch and retrain costs together; ``inf`` for none.
    share : float
        Traffic share c of a canary; 1 means that there are no canaries.
    canary_windows : int
        Windows that a canary lasts; 0 if there are none.
    on_arrival : bool
        Whether a version deploys itself when it arrives.
    blocked : ndarray of bool, shape (T,), or None
        Versions that a release gate rejects on arrival: they never enter the registry, whatever serves.

    Notes
    -----
    A version v > v0 is trained by the retrain decision at ``v + L``, which arrives at the start of window
    ``v + L + 1 + l``. Only versions that arrive before the end are candidates: training any other costs
    something and never serves.

    Examples
    --------
    >>> p = Problem(reward=np.zeros((12, 12)), warmup=3, slots=2, label_delay=1, latency=2)
    >>> p.versions, p.arrival(3), p.spacing
    (array([2, 3, 4, 5, 6, 7]), 7, 3)
    """

    reward: np.ndarray
    warmup: int
    slots: int = 4
    label_delay: int = 0
    latency: int = 0
    cooldown: int = 0
    switch_cost: float = 0.0
    retrain_cost: float = 0.0
    budget: float = float("inf")
    share: float = 1.0
    canary_windows: int = 0
    on_arrival: bool = True
    blocked: np.ndarray | None = None

    def __post_init__(self) -> None:
        T = len(self.reward)
        if self.reward.shape != (T, T) or self.reward.dtype != np.float64:
            raise ConfigError(
                f"rewards must be a square float64 array, got {self.reward.dtype} {self.reward.shape}"
            )
        if not 1 <= self.warmup < T:
            raise ConfigError(f"a warm-up of {self.warmup} windows does not fit into {T}")
        upper = self.reward[self.warmup - 1 :, self.warmup :]
        if not np.isfinite(upper[np.triu_indices(len(upper), 0, upper.shape[1])]).all():
            raise ConfigError("rewards of versions that can serve must be finite")
        if min(self.switch_cost, self.retrain_cost, self.budget) < 0:
            raise ConfigError("costs and budget must not be negative: the bounds rely on it")
        if (self.share < 1) != (self.canary_windows > 0):
            raise ConfigError("a canary needs a share below 1 and at least one window")

    @classmethod
    def of(
        cls, reward: np.ndarray, warmup: int, deployment: Any, *, blocked: np.ndarray | None = None
    ) -> Problem:
        """Read the fields of a deployment component.

        Parameters
        ----------
        reward : ndarray of float64, shape (T, T)
            ``[version, window]``.
        warmup : int
            Warm-up windows W.
        deployment : component of kind ``deployment``
            Fields ``slots, label_delay, latency, cooldown, switch_cost, retrain_cost, budget,
            canary_share, canary_windows, deploy_on_arrival``.
        blocked : ndarray of bool, shape (T,), optional
            Versions that are rejected on arrival.
        """
        canary = deployment.canary_share < 1 and deployment.canary_windows > 0
        budget = deployment.budget
        return cls(
            reward=np.ascontiguousarray(reward, dtype=np.float64),
            warmup=warmup,
            slots=deployment.slots,
            label_delay=deployment.label_delay,
            latency=deployment.latency,
            cooldown=deployment.cooldown,
            switch_cost=deployment.switch_cost,
            retrain_cost=deployment.retrain_cost,
            budget=float("inf") if budget is None else float(budget),
            share=deployment.canary_share if canary else 1.0,
            canary_windows=deployment.canary_windows if canary else 0,
            on_arrival=deployment.deploy_on_arrival,
            blocked=blocked,
        )

    @property
    def T(self) -> int:
        """Number of windows."""
        return len(self.reward)

    @property
    def v0(self) -> int:
        """The initial version."""
        return self.warmup - 1

    @property
    def versions(self) -> np.ndarray:
        """All versions that can serve, v0 first, int64 of shape (n,)."""
        last = self.T - 2 - self.label_delay - self.latency
        return np.arange(self.v0, max(last, self.v0) + 1, dtype=np.int64)

    def arrival(self, version: int) -> int:
        """Return the window at whose start a retrained version arrives."""
        return version + self.label_delay + 1 + self.latency

    def first(self, version: int) -> int:
        """Return the first window that a version can serve."""
        if version == self.v0:
            return self.warmup
        return self.arrival(version) + (0 if self.on_arrival else 1)

    @property
    def firsts(self) -> np.ndarray:
        """``first`` of all versions, T for those that are blocked; int64 of shape (n,)."""
        firsts = np.array([self.first(int(v)) for v in self.versions], dtype=np.int64)
        if self.blocked is not None:
            rejected = self.blocked[self.versions]
            rejected[0] = False
            firsts[rejected] = self.T
        return firsts

    @property
    def spacing(self) -> int:
        """Smallest distance between two retrain decisions.

        ``max(1 + l, cooldown)``; where every arrival starts a canary, the decision time of the arrival
        itself is lost too, since no retrain can be decided while a canary runs.
        """
        busy = 1 + self.latency + (1 if self.on_arrival and self.share < 1 else 0)
        return max(busy, self.cooldown)

    @property
    def values(self) -> np.ndarray:
        """Rewards of the candidates, float64 of shape (n, T), 0 before a version can serve."""
        values: np.ndarray = self.reward[self.versions].copy()
        values[np.arange(self.T)[None, :] < self.firsts[:, None]] = 0.0
        return values
