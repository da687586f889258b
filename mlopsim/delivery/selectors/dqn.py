"""Deep Q-network (stable-baselines3)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from mlopsim.core.registry import register
from mlopsim.core.spec import check_range
from mlopsim.delivery.agents.selector import TrainedAgent


@register("selector", "dqn")
@dataclass(kw_only=True)
class DQN(TrainedAgent):
    r"""Deep Q-network (stable-baselines3).

    With the target network :math:`Q^-`, it minimises

    .. math:: \mathrm{E}\left[\ell\left(r_t + \gamma \max_{a} Q^{-}(s_{t+1}, a) - Q(s_t, a_t)\right)\right]

    by Huber's loss :math:`\ell`, and acts by the largest Q among the possible actions.

    Parameters
    ----------
    train_seed, gamma, learning_rate, hidden, n_envs
        As in :class:`mlopsim.delivery.agents.selector.TrainedAgent`.
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

    Notes
    -----
    Use it to learn from steps again and again. It acts by values, so it has no chances to show, and
    exploration is by chance alone.

    References
    ----------
    .. [1] V. Mnih and others, "Human-level control through deep reinforcement learning", Nature 518, 2015,
       529-533. doi:10.1038/nature14236
    .. [2] A. Raffin, A. Hill, A. Gleave, A. Kanervisto, M. Ernestus and N. Dormann, "Stable-Baselines3:
       reliable reinforcement learning implementations", Journal of Machine Learning Research 22(268),
       2021, 1-8.

    Examples
    --------
    >>> DQN().settings()["train_freq"]
    1
    """

    activation: ClassVar[str] = "relu"
    believes: ClassVar[str] = "action values"
    learning_rate: float = 5e-4
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
        super().__post_init__()
        check_range("dqn.train_freq", self.train_freq, 1, 10**6)
        check_range("dqn.gradient_steps", self.gradient_steps, 1, 10**6)
        check_range("dqn.batch_size", self.batch_size, 1, 10**7)
        check_range("dqn.buffer_size", self.buffer_size, 1000, 10**8)
        check_range("dqn.learning_starts", self.learning_starts, 0, 10**9)
        check_range("dqn.target_update_interval", self.target_update_interval, 1, 10**9)
        check_range("dqn.exploration_fraction", self.exploration_fraction, 0.0, 1.0)
        check_range("dqn.exploration_final_eps", self.exploration_final_eps, 0.0, 1.0)
        check_range("dqn.reward_scale", self.reward_scale, 0.0, 1e9, open_low=True)

    @classmethod
    def algorithm(cls) -> Any:
        """Return the algorithm's class."""
        import stable_baselines3

        return stable_baselines3.DQN

    @classmethod
    def modules(cls, policy: Any) -> list[Any]:
        """Return the network of action values."""
        return [policy.q_net]
