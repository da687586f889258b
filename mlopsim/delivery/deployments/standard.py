"""The standard deployment: registry, delays, costs, canary, budget, feedback."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import Enum

from mlopsim.core.errors import ConfigError
from mlopsim.core.registry import register
from mlopsim.core.spec import check_range
from mlopsim.core.track import Attribute


class Feedback(Enum):
    """Which scores become known, once labels are: what served, the registry at a cost, or a backtest.

    Labels of all rows train versions, whatever serves, in each of them. ``full`` lets the same labels score
    the stored versions, too; ``deployed`` is a deployment that watches what it serves and nothing else, and
    ``shadow`` one that runs the registry beside it and pays for that.
    """

    DEPLOYED = "deployed"
    SHADOW = "shadow"
    FULL = "full"


class Objective(Enum):
    """What the reward of a window measures when there is no cost matrix."""

    ACCURACY = "accuracy"
    F1 = "f1"


@register("deployment", "standard", version=2)
@dataclass(kw_only=True)
class Standard:
    r"""Registry of K slots with label delay, retrain latency, costs, canary, budget and feedback.

    Costs and the budget are in the unit of the reward of one window: with accuracy, 0.1 is the worth of
    ten percentage points of accuracy during one window.

    Without a canary and shadow costs, with the quality :math:`q_{v, t}` of version v in window t and the
    version :math:`v_t` that serves, the return is

    .. math::

        \sum_t \left(q_{v_t, t} - \mathrm{switch\_cost} \cdot 1[v_t \ne v_{t-1}] - \mathrm{retrain\_cost}
        \cdot 1[\text{retrain decided at } t]\right)

    Parameters
    ----------
    slots : int, default 4
        Registry slots K, at most 64; at least 1, plus 1 without ``deploy_on_arrival``, plus 1 with a canary.
    label_delay : int, default 2
        L: after window t the labels of the windows up to t - L are known.
    latency : int, default 2
        l: a retrain decided at t arrives at the start of window t + 1 + l.
    cooldown : int, default 0
        The next retrain can be decided max(1 + l, cooldown) windows after the last one.
    switch_cost : float, default 0.01
        Cost of moving the whole traffic to another version; by share during a canary.
    retrain_cost : float, default 0.1
        Cost of one retrain, due when it is decided.
    budget : float or None, default None
        Total cost allowed over the whole deployment; None: no limit.
    canary_share : float, default 1.0
        Share of the traffic that a newly deployed version gets at first.
    canary_windows : int, default 0
        Number of windows that a canary runs; 0: no canary.
    feedback : Feedback, default full
        Which scores become known when the labels of a window do. ``full``: those of every version in the
        registry on all labelled windows after the ones that it was trained on (a backtest on the rows that
        train versions; it costs nothing), and, as a number of its own, that on its newest training window.
        ``deployed``: those of what served the window. ``shadow``: those of what was in the registry
        when the window was served.
    shadow_cost : float, default 0.0
        Cost per window and registry version that does not serve, with ``feedback=shadow``.
    deploy_on_arrival : bool, default True
        Whether a retrained version is deployed when it arrives.
    metric : Objective, default accuracy
        What the reward measures.
    cost_matrix : list of list of float, or None
        ``cost_matrix[y][yhat]``: cost of the answer yhat where y is true; the reward is then minus the
        mean cost of a row, whatever ``metric`` says.

    Raises
    ------
    ConfigError
        If a value is out of range, or the registry too small for the switches.

    Notes
    -----
    Use it for delivery without constraints; ``governed`` has the same dynamics and what guards it.

    Examples
    --------
    >>> from mlopsim.core.spec import make
    >>> make("deployment", "standard", slots=3, feedback="deployed").feedback.value
    'deployed'
    """

    slots: int = 4
    label_delay: int = 2
    latency: int = 2
    cooldown: int = 0
    switch_cost: float = 0.01
    retrain_cost: float = 0.1
    budget: float | None = None
    canary_share: float = 1.0
    canary_windows: int = 0
    feedback: Feedback = Feedback.FULL
    shadow_cost: float = 0.0
    deploy_on_arrival: bool = True
    metric: Objective = Objective.ACCURACY
    cost_matrix: list[list[float]] | None = None

    def __post_init__(self) -> None:
        where = "deployment/standard"
        check_range(f"{where}.slots", self.slots, 1, 64)
        for name in ("label_delay", "latency", "cooldown", "canary_windows"):
            check_range(f"{where}.{name}", getattr(self, name), 0, 1_000_000)
        for name in ("switch_cost", "retrain_cost", "shadow_cost"):
            check_range(f"{where}.{name}", getattr(self, name), 0.0, 1e9)
        if self.budget is not None:
            check_range(f"{where}.budget", self.budget, 0.0, 1e9)
        check_range(f"{where}.canary_share", self.canary_share, 0.0, 1.0, open_low=True)
        self.feedback = Feedback(self.feedback)
        self.metric = Objective(self.metric)
        needed = 1 + (not self.deploy_on_arrival) + self.has_canary
        if self.slots < needed:
            raise ConfigError(
                f"{where}.slots must be at least {needed} here, got {self.slots}",
                remedy="a version that waits and the base of a canary need a slot each",
            )
        if self.cost_matrix is not None:
            size = len(self.cost_matrix)
            if size < 2 or any(len(row) != size for row in self.cost_matrix):
                raise ConfigError(f"{where}.cost_matrix must be square, at least 2 x 2")
            if not all(math.isfinite(cost) for row in self.cost_matrix for cost in row):
                raise ConfigError(f"{where}.cost_matrix must be finite")

    def facts(self) -> dict[str, Attribute]:
        """Return what its tasks differ in most: delays, costs and feedback."""
        names = ("label_delay", "latency", "switch_cost", "retrain_cost")
        return {**{name: getattr(self, name) for name in names}, "feedback": self.feedback.value}

    def unguarded(self) -> Standard:
        """Return the deployment that the optimum of registry, delays and costs knows: this one.

        A kind of deployment with more than that returns itself without what is off, and raises ConfigError
        where something is on that changes what serves.
        """
        return self

    @property
    def has_canary(self) -> bool:
        """Whether a newly deployed version gets only a share of the traffic at first."""
        return self.canary_windows > 0 and self.canary_share < 1.0

    @property
    def objective(self) -> str | list[list[float]]:
        """What :meth:`mlopsim.world.World.metric` is asked for."""
        return self.metric.value if self.cost_matrix is None else self.cost_matrix
