"""Proximal policy optimisation under limits: the price of a cost follows that of the episodes that end."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mlopsim.core.registry import register
from mlopsim.core.spec import check_range
from mlopsim.governance.agents.base import ConstrainedAgent
from mlopsim.governance.agents.prices import Update

if TYPE_CHECKING:
    from mlopsim.governance.agents.prices import Prices


@register("selector", "ppo_lagrangian", version=3)
@dataclass(kw_only=True)
class PPOLagrangian(ConstrainedAgent):
    r"""PPO whose reward is charged for costs at a price that follows them, and never comes to rest.

    With prices :math:`\lambda_k` of costs :math:`c_k` the reward is

    .. math:: \frac{r - \sum_k \lambda_k c_k}{1 + \sum_k \lambda_k}

    and after each roll-out the price moves by the mean cost of the episodes that ended in it. Policies are
    snapshots of the last fifth of training: one is drawn for every deployment, and its actions are sampled.

    With the excess :math:`e` of the mean cost over the limit and its moving average :math:`\bar e`, prices
    clipped to 0..``highest`` are

    .. math::

        \lambda = I + \mathrm{proportional} \cdot \bar e, \qquad I \leftarrow I + \mathrm{integral} \cdot e

    Parameters
    ----------
    train_seed, gamma, learning_rate, hidden, n_envs, n_steps, batch_size, n_epochs, gae_lambda, clip_range, ent_coef, reward_scale, last_rate, highest, snapshots, validation, mask, shield, limits, arms
        As in :class:`mlopsim.governance.agents.base.ConstrainedAgent`.
    update : Update
        How the price follows: ``pi``, ``integral`` (dual ascent; ``proportional`` is not read) or ``adam``.
    proportional, integral : float
        Gains: price for an excess of cost of 1 a window, at once and for each update; ``integral`` is the
        step of ``adam``.
    smoothing : float
        Weight of the past in the moving average of the excess that ``proportional`` multiplies.
    start : float
        Of the price.
    slack : float
        Share of the limit that training keeps in reserve: it aims at the limit less this share.
    running : float
        Step of prices that keep running where it is deployed, by the measured costs of the last window known;
        training then draws a price for each episode and shows it. 0: none.

    Notes
    -----
    Use it where costs have limits on their mean; ``shield`` masks actions that could break a limit.

    References
    ----------
    .. [1] C. Tessler, D. J. Mankowitz and S. Mannor, "Reward constrained policy optimization", ICLR, 2019.
       arXiv:1805.11074
    .. [2] A. Stooke, J. Achiam and P. Abbeel, "Responsive safety in reinforcement learning by PID Lagrangian
       methods", ICML, 2020. arXiv:2007.03964
    .. [3] M. Calvo-Fullana, S. Paternain, L. F. O. Chamon and A. Ribeiro, "State augmented constrained
       reinforcement learning: overcoming the limitations of learning with rewards", 2021.
       arXiv:2102.11941 (``running``).

    Examples
    --------
    >>> PPOLagrangian(update="integral").rule((1, 1)).proportional
    0.0
    """  # noqa: E501 - numpydoc wants the names on one line

    update: Update = Update.PI
    proportional: float = 2.0
    integral: float = 0.05
    smoothing: float = 0.8
    start: float = 0.0
    slack: float = 0.0
    running: float = 0.0

    def __post_init__(self) -> None:
        super().__post_init__()
        self.update = Update(self.update)
        for name in ("proportional", "integral", "start", "running"):
            check_range(f"{self.name}.{name}", getattr(self, name), 0.0, 1e6)
        for name in ("smoothing", "slack"):
            check_range(f"{self.name}.{name}", getattr(self, name), 0.0, 1.0)

    def rule(self, shape: tuple[int, int]) -> Prices | None:
        """Return what the prices (contexts, constraints) follow; None: every episode draws its own."""
        from mlopsim.governance.agents.prices import ByAdam, ProportionalIntegral

        if self.running > 0:
            return None
        if self.update is Update.ADAM:
            return ByAdam(shape=shape, rate=self.integral, start=self.start, highest=self.highest)
        return ProportionalIntegral(
            shape=shape,
            proportional=self.proportional if self.update is Update.PI else 0.0,
            rate=self.integral,
            smoothing=self.smoothing,
            start=self.start,
            highest=self.highest,
        )
