"""Taking the action with the highest estimated gain."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from mlopsim.core.registry import register
from mlopsim.core.spec import check_range
from mlopsim.delivery.features import UNIT
from mlopsim.delivery.search_space import Choice, Range
from mlopsim.delivery.selector import View
from mlopsim.delivery.selectors.base import Rule


@register("selector", "greedy")
@dataclass(kw_only=True)
class Greedy(Rule):
    r"""Estimate what each action gains over keeping, less its costs; take the best if it gains.

    One look ahead, no plan. Accuracies are estimated so: the version that serves by its last known
    windows, less ``slope`` times the rise of its input shift since then; a version in the registry by
    what was last observed of it (never: no candidate), less ``slope`` times its shift beyond that of the one
    that serves; a new version, and one that serves but was not observed yet, by the best accuracy in this
    deployment so far. What was observed a while ago fades by ``fade`` a window. The gain counts for
    ``payoff`` windows; costs are the deployment's.

    With the estimated accuracy :math:`\hat a_s` of what serves, :math:`\hat a_i` of slot i and
    :math:`\hat a_n` of a new version, the gains are

    .. math::

        G_i = \mathrm{payoff} \, (\hat a_i - \hat a_s) - c_{\mathrm{switch}}, \qquad
        G_{\mathrm{retrain}} = \mathrm{payoff} \, (\hat a_n - \hat a_s) - c_{\mathrm{switch}} -
        c_{\mathrm{retrain}}

    Parameters
    ----------
    payoff : float, default 8.0
        Windows for which a difference in accuracy is expected to last.
    slope : float, default 0.5
        Accuracy lost per unit of input shift (mean KS distance).
    fade : float, default 0.002
        Accuracy by which what was observed before fades a window.
    memory : int, default 1
        Known windows of the version that serves that are averaged.

    Notes
    -----
    Use it where the costs are known and all that is asked is the next step; it never waits for a better
    moment.

    Examples
    --------
    >>> from mlopsim.checks.toy_deployment import play
    >>> play(Greedy(), 9, error=lambda version, t: 0.5 if version < 5 <= t else 0.1)
    'kkkkkRkkk'
    """

    payoff: float = 8.0
    slope: float = 0.5
    fade: float = 0.002
    memory: int = 1

    space: ClassVar[dict[str, Choice]] = {
        "payoff": Range(0.1, 60.0, log=True),
        "slope": Range(0.01, 5.0, log=True),
        "fade": Range(0.0001, 0.05, log=True),
        "memory": Range(1, 6, integer=True),
    }
    reads: ClassVar[str] = "errors and inputs"
    believes: ClassVar[str] = "estimated gains over keeping"

    def __post_init__(self) -> None:
        check_range("selector/greedy.payoff", self.payoff, 0.0, 1e6)
        check_range("selector/greedy.slope", self.slope, 0.0, 1e6)
        check_range("selector/greedy.fade", self.fade, 0.0, 1.0)
        check_range("selector/greedy.memory", self.memory, 1, 10_000)

    def start(self, seeds: Sequence[np.random.SeedSequence]) -> None:
        """Start without a best accuracy."""
        self._best = np.full(self.n, np.nan)

    def decide(self, view: View) -> np.ndarray:
        """Compare the gains."""
        setting = self.interface.deployment
        rate, count = self.recent_rate(self.memory)
        recent = np.where(count > 0, 1.0 - rate, np.nan)
        self._best = np.fmax(recent, self._best - self.fade)
        new = np.where(np.isnan(self._best), 0.0, self._best)
        rise = np.maximum(view["serving_ks"] - view["serving_ks_past"], 0.0).astype(np.float64)
        mine = np.where(count > 0, recent, new) - self.slope * rise
        known = view.slots("known") > 0.5
        beyond = np.maximum(view.slots("ks") - view["serving_ks"][:, None], 0.0)
        faded = view.slots("accuracy") - self.fade * UNIT * view.slots("since_seen")
        others = np.where(known, faded - self.slope * beyond, -np.inf)
        gains = np.zeros((self.n, self.interface.slots + 2))
        gains[:, 1:-1] = self.payoff * (others - mine[:, None]) - setting.switch_cost
        gains[:, -1] = self.payoff * (new - mine) - setting.switch_cost - setting.retrain_cost
        # what is on its way is the answer to what is wrong now
        gains[view["in_flight"] > 0.5, 1:] = -np.inf
        gains[~view.mask] = -np.inf
        self.believed = gains
        return np.asarray(np.argmax(gains, axis=1))
