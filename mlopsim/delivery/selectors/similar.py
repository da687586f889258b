"""Going back to the version whose training data look most like the newest window."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from mlopsim.core.registry import register
from mlopsim.core.spec import check_range
from mlopsim.delivery.search_space import Choice, Range
from mlopsim.delivery.selector import View
from mlopsim.delivery.selectors._trigger_levels import Statistic
from mlopsim.delivery.selectors.base import Rule


@register("selector", "similar")
@dataclass(kw_only=True)
class Similar(Rule):
    r"""Deploy the version trained on the most similar inputs; retrain if none is similar.

    The idea of concept repositories for recurring drift, with the input shift as the measure of similarity.

    With the shift :math:`d_i` between the newest inputs and those that the version in slot i was trained on,
    and :math:`d_s` of what serves, it deploys :math:`\mathrm{argmin}_i d_i` if
    :math:`\min_i d_i < d_s - \mathrm{margin}`, and retrains if :math:`\min_i d_i > \mathrm{limit}`.

    Parameters
    ----------
    margin : float, default 0.05
        Switch only if the shift falls by more than this.
    limit : float, default 0.15
        Retrain if the smallest shift in the registry is above this.
    statistic : Statistic, default ks
        ``ks``, ``psi`` or ``mean``.
    cooldown : int, default 5
        Windows after a retrain decision in which no other one is made.

    Notes
    -----
    Use it where old concepts come back and inputs betray them; not where only the labels' law changes: the
    shift does not see that.

    References
    ----------
    .. [1] S. Ramamurthy and R. Bhatnagar, "Tracking recurrent concept drift in streaming data using ensemble
       classifiers", ICMLA, 2007, 404-409.
    .. [2] P. M. Gonçalves and R. S. M. Barros, "RCD: a recurring concept drift framework", Pattern
       Recognition Letters 34, 2013, 1018-1025.

    Examples
    --------
    >>> from mlopsim.checks.toy_deployment import play
    >>> law = lambda t: 5 <= t < 9
    >>> play(Similar(), 13, shift=lambda version, t: 0.5 if law(version) != law(t) else 0.1)
    'kkkkkRkkk1kkk'
    """

    margin: float = 0.05
    limit: float = 0.15
    statistic: Statistic = Statistic.KS
    cooldown: int = 5

    space: ClassVar[dict[str, Choice]] = {
        "margin": Range(0.002, 1.0, log=True),
        "limit": Range(0.005, 3.0, log=True),
        "statistic": (Statistic.KS, Statistic.PSI, Statistic.MEAN),
        "cooldown": Range(0, 20, integer=True),
    }
    uses_errors: ClassVar[bool] = False
    reads: ClassVar[str] = "inputs"

    def __post_init__(self) -> None:
        self.statistic = Statistic(self.statistic)
        check_range("selector/similar.margin", self.margin, 0.0, 1e9)
        check_range("selector/similar.limit", self.limit, 0.0, 1e9)
        check_range("selector/similar.cooldown", self.cooldown, 0, 10_000)

    def decide(self, view: View) -> np.ndarray:
        """Compare the slots."""
        shift = np.where(view.versions >= 0, view.slots(self.statistic.value), np.inf)
        serving = shift[self.walk, view.serving]
        deploy = view.mask[:, 1 : 1 + self.interface.slots]
        rival = np.where(deploy, shift, np.inf)
        slot = np.argmin(rival, axis=1)
        better = rival[self.walk, slot] < serving - self.margin
        nothing = shift.min(axis=1) > self.limit
        retrain = nothing & self.cool(self.cooldown) & view.mask[:, self.interface.retrain]
        return np.where(retrain, self.interface.retrain, np.where(better, slot + 1, self.keep()))
