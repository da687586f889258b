"""Proximal policy optimisation at a price of cost that stays: a sweep of them checks every rule of update."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mlopsim.core.registry import register
from mlopsim.core.spec import check_range
from mlopsim.governance.agents.base import ConstrainedAgent

if TYPE_CHECKING:
    from mlopsim.governance.agents.prices import Prices


@register("selector", "ppo_fixed_price", version=2)
@dataclass(kw_only=True)
class PPOFixedPrice(ConstrainedAgent):
    r"""PPO whose reward is charged for costs at one price, whatever the limit is.

    One agent of a sweep: costs fall as prices rise, and the price that another agent found for a limit must
    lie between the neighbours of the sweep whose costs enclose the limit. All snapshots are stored; it does
    not know the limit.

    With reward r and costs :math:`c_1, \ldots, c_K` of a window, less their baselines, the agent is trained
    on (scaled)

    .. math:: \frac{r - \mathrm{price} \sum_k c_k}{1 + K \cdot \mathrm{price}}

    Parameters
    ----------
    train_seed, gamma, learning_rate, hidden, n_envs, n_steps, batch_size, n_epochs, gae_lambda, clip_range, ent_coef, reward_scale, last_rate, highest, snapshots, validation, mask, shield, limits, arms
        As in :class:`mlopsim.governance.agents.base.ConstrainedAgent`.
    price : float
        Of each constraint: reward that a window of cost 1 is worth.

    Notes
    -----
    Use it to see how costs fall with the price; not to keep a limit: it does not know it.

    References
    ----------
    .. [1] E. Altman, "Constrained Markov Decision Processes", Chapman and Hall, 1999.
    .. [2] J. Schulman, F. Wolski, P. Dhariwal, A. Radford and O. Klimov, "Proximal policy optimization
       algorithms", 2017. arXiv:1707.06347

    Examples
    --------
    >>> PPOFixedPrice(price=0.5).rule((1, 2)).value
    array([[0.5, 0.5]])
    """  # noqa: E501 - numpydoc wants the names on one line

    price: float = 0.1

    def __post_init__(self) -> None:
        super().__post_init__()
        check_range(f"{self.name}.price", self.price, 0.0, self.highest)

    @property
    def chooses(self) -> bool:
        """All snapshots are stored: no limit is known to choose by."""
        return False

    def sees(self, name: str) -> bool:
        """Say whether its policy reads a column of the observation: not those that say the limit."""
        return not (name.startswith("cost_") and name.endswith(("_limit", "_left")))

    def rule(self, shape: tuple[int, int]) -> Prices:
        """Return prices (contexts, constraints) that stay."""
        from mlopsim.governance.agents.prices import Fixed

        return Fixed(value=np.full(shape, self.price))
