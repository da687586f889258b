"""Advantage actor-critic (stable-baselines3)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar

from mlopsim.core.registry import register
from mlopsim.core.spec import check_range
from mlopsim.delivery.selectors._agent import Agent


@register("selector", "a2c")
@dataclass(kw_only=True)
class A2C(Agent):
    """Advantage actor-critic (stable-baselines3).

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
    n_steps : int
        Steps of each environment between updates.
    gae_lambda, ent_coef : float
        Generalised advantage estimation, weight of the entropy.
    reward_scale : float
        Factor of the centred reward.

    References
    ----------
    Mnih et al. (2016), *Asynchronous methods for deep reinforcement learning*, ICML.

    Examples
    --------
    >>> A2C().settings()["n_steps"]
    16
    """

    agent: ClassVar[bool] = True
    train_seed: int = 0
    gamma: float = 0.97
    learning_rate: float = 7e-4
    hidden: list[int] = field(default_factory=lambda: [128, 128])
    n_envs: int = 64
    n_steps: int = 16
    gae_lambda: float = 0.95
    ent_coef: float = 0.005
    reward_scale: float = 10.0

    def __post_init__(self) -> None:
        check_range("a2c.train_seed", self.train_seed, 0, 2**31)
        check_range("a2c.gamma", self.gamma, 0.0, 1.0)
        check_range("a2c.learning_rate", self.learning_rate, 0.0, 1.0, open_low=True)
        check_range("a2c.n_envs", self.n_envs, 1, 4096)
        check_range("a2c.n_steps", self.n_steps, 1, 100_000)

    def settings(self) -> dict[str, Any]:
        """Return the keywords of the algorithm."""
        names = ("gamma", "learning_rate", "n_steps", "gae_lambda", "ent_coef")
        return {name: getattr(self, name) for name in names}
