"""Proximal policy optimisation that never samples an impossible action (sb3-contrib)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from mlopsim.core.registry import register
from mlopsim.delivery.selectors.ppo import PPO


@register("selector", "maskable_ppo")
@dataclass(kw_only=True)
class MaskablePPO(PPO):
    """Proximal policy optimisation that never samples an impossible action (sb3-contrib).

    Parameters
    ----------
    train_seed, gamma, learning_rate, hidden, n_envs, n_steps, batch_size, n_epochs, gae_lambda, clip_range, ent_coef, reward_scale
        As in :class:`mlopsim.delivery.selectors.ppo.PPO`.

    References
    ----------
    Huang and Ontanon (2022), *A closer look at invalid action masking in policy gradient algorithms*,
    FLAIRS 35.

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
