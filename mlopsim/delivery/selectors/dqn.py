"""Deep Q-network (stable-baselines3)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar

from mlopsim.core.registry import register
from mlopsim.core.spec import check_range
from mlopsim.delivery.selectors._agent import Agent


@register("selector", "dqn")
@dataclass(kw_only=True)
class DQN(Agent):
    """Deep Q-network (stable-baselines3).

    Trained on training scenarios with a centred reward; acts greedily.

    Parameters
    ----------
    train_seed : int
        Number of the training run: the repetition axis.
    gamma : float
        Discount a window.
    learning_rate : float
        At the start; falls linearly to 0.
    hidden : list of int
        Sizes of the hidden layers.
    n_envs : int
        Parallel environments.
    train_freq : int
        Steps of each environment between updates.
    gradient_steps, batch_size : int
        Of the updates.
    buffer_size, learning_starts : int
        Transitions kept, and collected before learning.
    target_update_interval : int
        Environment steps between copies of the target network.
    exploration_fraction, exploration_final_eps : float
        Share of the training over which exploration falls, and where to.
    reward_scale : float
        Factor of the centred reward.

    References
    ----------
    Mnih et al. (2015), *Human-level control through deep reinforcement learning*, Nature 518.

    Examples
    --------
    >>> DQN().settings()["train_freq"]
    1
    """

    agent: ClassVar[bool] = True
    train_seed: int = 0
    gamma: float = 0.97
    learning_rate: float = 5e-4
    hidden: list[int] = field(default_factory=lambda: [128, 128])
    n_envs: int = 64
    train_freq: int = 1
    gradient_steps: int = 4
    batch_size: int = 256
    buffer_size: int = 200_000
    learning_starts: int = 10_000
    target_update_interval: int = 10_000
    exploration_fraction: float = 0.3
    exploration_final_eps: float = 0.05
    reward_scale: float = 10.0

    def __post_init__(self) -> None:
        check_range("dqn.train_seed", self.train_seed, 0, 2**31)
        check_range("dqn.gamma", self.gamma, 0.0, 1.0)
        check_range("dqn.learning_rate", self.learning_rate, 0.0, 1.0, open_low=True)
        check_range("dqn.n_envs", self.n_envs, 1, 4096)
        check_range("dqn.buffer_size", self.buffer_size, 1000, 10**8)

    def settings(self) -> dict[str, Any]:
        """Return the keywords of the algorithm."""
        names = (
            "gamma", "learning_rate", "train_freq", "gradient_steps", "batch_size", "buffer_size",
            "learning_starts", "target_update_interval", "exploration_fraction", "exploration_final_eps",
        )  # fmt: skip
        return {name: getattr(self, name) for name in names}
