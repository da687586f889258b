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
    fallback : ndarray of float64, shape (T,), or None
        Quality of a fallback that can always serve, needs no training and no slot; None if there is none.
    delay : ndarray of int64, shape (T,), or None
        Windows by which a review postpones the arrival of each version; the job is in flight until then.
    resumes : bool
        Whether a version that deploys itself on arrival takes over from a fallback that served before.

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
    fallback: np.ndarray | None = None
    delay: np.ndarray | None = None
    resumes: bool = True

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
        if self.fallback is not None and (
            self.fallback.shape != (T,) or not np.isfinite(self.fallback[self.warmup :]).all()
        ):
            raise ConfigError(f"a fallback needs a finite quality for each of the {T} windows")
        if self.delay is not None and (self.delay.shape != (T,) or self.delay.min() < 0):
            raise ConfigError(f"reviews need a delay of at least 0 windows for each of the {T} versions")

    @classmethod
    def of(
        cls,
        reward: np.ndarray,
        warmup: int,
        deployment: Any,
        *,
        blocked: np.ndarray | None = None,
        fallback: np.ndarray | None = None,
        delay: np.ndarray | None = None,
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
        fallback : ndarray of float64, shape (T,), optional
            Quality of the fallback by window.
        delay : ndarray of int64, shape (T,), optional
            Windows by which a review postpones each version.
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
            fallback=fallback,
            delay=delay,
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
        review = 0 if self.delay is None else int(self.delay[version])
        return version + self.label_delay + 1 + self.latency + review

    def first(self, version: int) -> int:
        """Return the first window that a version can serve."""
        if version == self.v0:
            return self.warmup
        return self.arrival(version) + (0 if self.on_arrival else 1)

    @property
    def firsts(self) -> np.ndarray:
        """``first`` of all versions, T for those that are blocked or too late; int64 of shape (n,)."""
        firsts = np.array([min(self.first(int(v)), self.T) for v in self.versions], dtype=np.int64)
        if self.blocked is not None:
            rejected = self.blocked[self.versions]
            rejected[0] = False
            firsts[rejected] = self.T
        return firsts

    @property
    def spacing(self) -> int:
        """Smallest distance between two retrain decisions.

        ``max(1 + l, cooldown)``; where every arrival starts a canary, the decision time of the arrival
        itself is lost too, since no retrain can be decided while a canary runs. A review makes it longer, see
        ``gaps``.
        """
        # one that takes over from a fallback gets the whole traffic
        tested = self.on_arrival and self.share < 1 and self.fallback is None
        busy = 1 + self.latency + tested
        return max(busy, self.cooldown)

    @property
    def gaps(self) -> np.ndarray:
        """Smallest distance from a version's retrain decision to the next one, int64 of shape (n,)."""
        busy = np.full(len(self.versions), self.spacing, dtype=np.int64)
        if self.delay is not None:
            wait = self.spacing if self.spacing > self.cooldown else 1 + self.latency
            busy = np.maximum(busy, wait + self.delay[self.versions])
        return busy

    @property
    def lands(self) -> bool:
        """Whether nothing but a version that arrives, or a fallback, can serve the window of its arrival."""
        return self.on_arrival and (self.share == 1 or self.fallback is None)

    @property
    def servable(self) -> tuple[np.ndarray, np.ndarray]:
        """Rewards (m, T) and first windows (m,) of all that can serve: the versions, then the fallback."""
        if self.fallback is None:
            return self.values, self.firsts
        safe = np.where(np.arange(self.T) < self.warmup, 0.0, self.fallback)
        return np.vstack([self.values, safe]), np.append(self.firsts, self.warmup)

    @property
    def values(self) -> np.ndarray:
        """Rewards of the candidates, float64 of shape (n, T), 0 before a version can serve."""
        values: np.ndarray = self.reward[self.versions].copy()
        values[np.arange(self.T)[None, :] < self.firsts[:, None]] = 0.0
        return values
