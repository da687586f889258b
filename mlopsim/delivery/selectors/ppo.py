"""Proximal policy optimisation (stable-baselines3)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from mlopsim.core.registry import register
from mlopsim.core.spec import check_range
from mlopsim.delivery.agents.selector import TrainedAgent


@register("selector", "ppo")
@dataclass(kw_only=True)
class PPO(TrainedAgent):
    r"""Proximal policy optimisation (stable-baselines3).

    With the ratio :math:`\rho_t = \pi(a_t \mid s_t) / \pi_{\mathrm{old}}(a_t \mid s_t)`, the advantage
    :math:`\hat A_t` and :math:`\epsilon` = ``clip_range``, it maximises

    .. math::

        \mathrm{E}\left[\min\left(\rho_t \hat A_t, \mathrm{clip}(\rho_t, 1 - \epsilon, 1 + \epsilon) \hat
        A_t\right)\right]
        + \mathrm{ent\_coef} \cdot \mathrm{E}[H(\pi(\cdot \mid s_t))]

    while a value network learns the returns.

    Parameters
    ----------
    train_seed, gamma, learning_rate, hidden, n_envs
        As in :class:`mlopsim.delivery.agents.selector.TrainedAgent`.
    n_steps : int
        Steps of each environment between updates.
    batch_size, n_epochs : int
        Of the updates.
    gae_lambda, clip_range, ent_coef : float
        Generalised advantage estimation, clipping, weight of the entropy.
    reward_scale : float
        Factor of the centred reward.

    Notes
    -----
    Use it for policies over the whole observation; it needs training scenarios, and ``linear`` shows what of
    its gain a linear policy has.

    References
    ----------
    .. [1] J. Schulman, F. Wolski, P. Dhariwal, A. Radford and O. Klimov, "Proximal policy optimization
       algorithms", 2017. arXiv:1707.06347
    .. [2] J. Schulman, P. Moritz, S. Levine, M. I. Jordan and P. Abbeel, "High-dimensional continuous control
       using generalized advantage estimation", ICLR, 2016. arXiv:1506.02438
    .. [3] A. Raffin, A. Hill, A. Gleave, A. Kanervisto, M. Ernestus and N. Dormann, "Stable-Baselines3:
       reliable reinforcement learning implementations", Journal of Machine Learning Research 22(268),
       2021, 1-8.

    Examples
    --------
    >>> PPO(gamma=0.0).settings()["gamma"]
    0.0
    """

    learning_rate: float = 2e-3
    n_envs: int = 128
    n_steps: int = 64
    batch_size: int = 2048
    n_epochs: int = 5
    gae_lambda: float = 0.9
    clip_range: float = 0.2
    ent_coef: float = 0.001
    reward_scale: float = 10.0

    def __post_init__(self) -> None:
        super().__post_init__()
        check_range(f"{self.name}.n_steps", self.n_steps, 1, 100_000)
        check_range(f"{self.name}.batch_size", self.batch_size, 2, 10**7)
        check_range(f"{self.name}.n_epochs", self.n_epochs, 1, 10_000)
        check_range(f"{self.name}.gae_lambda", self.gae_lambda, 0.0, 1.0)
        check_range(f"{self.name}.clip_range", self.clip_range, 0.0, 100.0, open_low=True)
        check_range(f"{self.name}.ent_coef", self.ent_coef, 0.0, 1000.0)
        check_range(f"{self.name}.reward_scale", self.reward_scale, 0.0, 1e9, open_low=True)

    @classmethod
    def algorithm(cls) -> Any:
        """Return the algorithm's class."""
        import stable_baselines3

        return stable_baselines3.PPO
