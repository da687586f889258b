"""Proximal policy optimisation (stable-baselines3)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar

from mlopsim.core.registry import register
from mlopsim.core.spec import check_range
from mlopsim.delivery.selectors._agent import Agent


@register("selector", "ppo")
@dataclass(kw_only=True)
class PPO(Agent):
    """Proximal policy optimisation (stable-baselines3).

    Trained on training scenarios with a centred reward; acts greedily.

    Parameters
    ----------
    train_seed : int
        Number of the training run: the repetition axis.
    gamma : float
        Discount a window; 0 makes it a contextual bandit.
    learning_rate : float
        At the start; falls linearly to 0.
    hidden : list of int
        Sizes of the hidden layers.
    n_envs : int
        Parallel environments.
    n_steps : int
        Steps of each environment between updates.
    batch_size, n_epochs : int
        Of the updates.
    gae_lambda, clip_range, ent_coef : float
        Generalised advantage estimation, clipping, weight of the entropy.
    reward_scale : float
        Factor of the centred reward.

    References
    ----------
    Schulman et al. (2017), *Proximal policy optimization algorithms*, arXiv:1707.06347.

    Examples
    --------
    >>> PPO(gamma=0.0).settings()["gamma"]
    0.0
    """

    agent: ClassVar[bool] = True
    masked: ClassVar[bool] = False
    train_seed: int = 0
    gamma: float = 0.97
    learning_rate: float = 2e-3
    hidden: list[int] = field(default_factory=lambda: [128, 128])
    n_envs: int = 128
    n_steps: int = 64
    batch_size: int = 2048
    n_epochs: int = 5
    gae_lambda: float = 0.9
    clip_range: float = 0.2
    ent_coef: float = 0.001
    reward_scale: float = 10.0

    def __post_init__(self) -> None:
        check_range(f"{self.name}.train_seed", self.train_seed, 0, 2**31)
        check_range(f"{self.name}.gamma", self.gamma, 0.0, 1.0)
        check_range(f"{self.name}.learning_rate", self.learning_rate, 0.0, 1.0, open_low=True)
        check_range(f"{self.name}.n_envs", self.n_envs, 1, 4096)
        check_range(f"{self.name}.n_steps", self.n_steps, 1, 100_000)

    def settings(self) -> dict[str, Any]:
        """Return the keywords of the algorithm."""
        names = (
            "gamma",
            "learning_rate",
            "n_steps",
            "batch_size",
            "n_epochs",
            "gae_lambda",
            "clip_range",
            "ent_coef",
        )
        return {name: getattr(self, name) for name in names}
