"""Advantage actor-critic (stable-baselines3)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from mlopsim.core.registry import register
from mlopsim.core.spec import check_range
from mlopsim.delivery.agents.selector import TrainedAgent


@register("selector", "a2c")
@dataclass(kw_only=True)
class A2C(TrainedAgent):
    r"""Advantage actor-critic (stable-baselines3).

    With the advantage :math:`\hat A_t` (generalised advantage estimation), the entropy H and the value
    network V, the loss is

    .. math::

        -\mathrm{E}\left[\log \pi(a_t \mid s_t) \hat A_t + \mathrm{ent\_coef} \cdot H(\pi(\cdot \mid
        s_t))\right]
        + \tfrac{1}{2} \mathrm{E}\left[(V(s_t) - \hat R_t)^2\right]

    Parameters
    ----------
    train_seed, gamma, learning_rate, hidden, n_envs
        As in :class:`mlopsim.delivery.agents.selector.TrainedAgent`.
    n_steps : int
        Steps of each environment between updates.
    gae_lambda, ent_coef : float
        Generalised advantage estimation, weight of the entropy.
    reward_scale : float
        Factor of the centred reward.

    Notes
    -----
    Use it as the simplest of the policy gradients; it takes each step once, where ``ppo`` takes it
    ``n_epochs`` times.

    References
    ----------
    .. [1] V. Mnih and others, "Asynchronous methods for deep reinforcement learning", ICML, 2016.
       arXiv:1602.01783
    .. [2] J. Schulman, P. Moritz, S. Levine, M. I. Jordan and P. Abbeel, "High-dimensional continuous control
       using generalized advantage estimation", ICLR, 2016. arXiv:1506.02438
    .. [3] A. Raffin, A. Hill, A. Gleave, A. Kanervisto, M. Ernestus and N. Dormann, "Stable-Baselines3:
       reliable reinforcement learning implementations", Journal of Machine Learning Research 22(268),
       2021, 1-8.

    Examples
    --------
    >>> A2C().settings()["n_steps"]
    16
    """

    learning_rate: float = 7e-4
    n_steps: int = 16
    gae_lambda: float = 0.95
    ent_coef: float = 0.005
    reward_scale: float = 10.0

    def __post_init__(self) -> None:
        super().__post_init__()
        check_range("a2c.n_steps", self.n_steps, 1, 100_000)
        check_range("a2c.gae_lambda", self.gae_lambda, 0.0, 1.0)
        check_range("a2c.ent_coef", self.ent_coef, 0.0, 1000.0)
        check_range("a2c.reward_scale", self.reward_scale, 0.0, 1e9, open_low=True)

    @classmethod
    def algorithm(cls) -> Any:
        """Return the algorithm's class."""
        import stable_baselines3

        return stable_baselines3.A2C
