"""Proximal policy optimisation that never samples an impossible action (sb3-contrib)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from mlopsim.core.registry import register
from mlopsim.delivery.selectors.ppo import PPO


@register("selector", "maskable_ppo")
@dataclass(kw_only=True)
class MaskablePPO(PPO):
    r"""Proximal policy optimisation that never samples an impossible action (sb3-contrib).

    With logits :math:`l_a` and the set P of possible actions, it samples from

    .. math:: \pi(a \mid s) = \frac{\exp(l_a)}{\sum_{b \in P} \exp(l_b)}, \qquad a \in P

    and learns as ``ppo`` does.

    Parameters
    ----------
    train_seed, gamma, learning_rate, hidden, n_envs, n_steps, batch_size, n_epochs, gae_lambda, clip_range, ent_coef, reward_scale
        As in :class:`mlopsim.delivery.selectors.ppo.PPO`.

    Notes
    -----
    Use it in place of ``ppo`` where many actions are impossible most of the time, as deploys of empty slots
    are.

    References
    ----------
    .. [1] S. Huang and S. Ontañón, "A closer look at invalid action masking in policy gradient algorithms",
       FLAIRS 35, 2022. arXiv:2006.14171
    .. [2] J. Schulman, F. Wolski, P. Dhariwal, A. Radford and O. Klimov, "Proximal policy optimization
       algorithms", 2017. arXiv:1707.06347
    .. [3] A. Raffin, A. Hill, A. Gleave, A. Kanervisto, M. Ernestus and N. Dormann, "Stable-Baselines3:
       reliable reinforcement learning implementations", Journal of Machine Learning Research 22(268),
       2021, 1-8.

    Examples
    --------
    >>> MaskablePPO(gamma=0.0).settings()["gamma"]
    0.0
    """  # noqa: E501 - numpydoc wants the names on one line

    masked: ClassVar[bool] = True

    @classmethod
    def algorithm(cls) -> Any:
        """Return the algorithm's class."""
        import sb3_contrib

        return sb3_contrib.MaskablePPO
