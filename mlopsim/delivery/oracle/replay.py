"""What a plan earns: the dynamics themselves, over a bare matrix of rewards."""

from __future__ import annotations

from typing import Any

import numpy as np

from mlopsim.core.errors import ConfigError
from mlopsim.delivery.pool import WorldPool
from mlopsim.delivery.walk import Trajectory, replay


class RewardPool(WorldPool):
    """A pool of one World of which only the rewards are known: enough to act in, not to observe.

    Parameters
    ----------
    reward : ndarray of float64, shape (T, T)
        ``[version, window]``.
    warmup : int
        Number of warm-up windows W.
    deployment : component of kind ``deployment``
        Whose metric the rewards are taken for.
    """

    def __init__(self, reward: np.ndarray, warmup: int, deployment: Any) -> None:
        if reward.ndim != 2 or reward.shape[0] != reward.shape[1]:
            raise ConfigError(f"rewards must have the shape (T, T), got {reward.shape}")
        T = len(reward)
        self._sources = ()
        self.metric, self.canary = deployment.objective, deployment.has_canary
        self.windows, self.warmup, self.n_classes = T, warmup, 2
        self.reward = np.ascontiguousarray(reward[self._kept], dtype=np.float64)[None]
        cells = self.reward.shape[1]
        self.quality = np.zeros((1, cells, 4), dtype=np.float32)
        self.shift = np.zeros((1, cells, 4), dtype=np.float32)
        self.counts = np.zeros((*((1, cells) if self.canary else (0, 0)), 2, 2), dtype=np.uint32)
        self.seeds = np.zeros(1, dtype=np.uint64)
        # no rows
        self.bounds = np.zeros((1, T + 1), dtype=np.int64)

    def __len__(self) -> int:
        return 1


def replay_rewards(
    actions: np.ndarray,
    reward: np.ndarray,
    warmup: int,
    deployment: Any,
    *,
    blocked: np.ndarray | None = None,
) -> Trajectory:
    """Carry out plans through the one implementation of the dynamics.

    Parameters
    ----------
    actions : ndarray of int64, shape (N, T - W)
        One plan a row: 0 keep, 1..K deploy slot, K + 1 retrain.
    reward : ndarray of float64, shape (T, T)
        ``[version, window]``.
    warmup : int
        W.
    deployment : component of kind ``deployment``
        The dynamics' parameters.
    blocked : ndarray of bool, shape (T,), optional
        Versions that a gate rejects on arrival.

    Returns
    -------
    Trajectory
        Of N roll-outs; what they observe is meaningless.

    Examples
    --------
    >>> from mlopsim.core.spec import make
    >>> params = {"label_delay": 0, "latency": 0, "retrain_cost": 0.5, "switch_cost": 0.0}
    >>> deployment = make("deployment", "standard", **params)
    >>> reward = np.where(np.arange(8)[:, None] >= 4, 1.0, 0.25) * np.ones((8, 8))
    >>> float(replay_rewards(np.array([[0, 0, 0, 5, 0, 0]]), reward, 2, deployment).returns[0])
    3.25
    """
    pool = RewardPool(reward, warmup, deployment)
    which = np.zeros(len(actions), dtype=np.int64)
    return replay(actions, pool, deployment, which, blocked=None if blocked is None else blocked[None])
