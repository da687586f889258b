"""Serving the version with the best delayed accuracy, retraining on a schedule."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from mlopsim.core.registry import register
from mlopsim.core.spec import check_range
from mlopsim.delivery.search_space import Choice, Range
from mlopsim.delivery.selector import View
from mlopsim.delivery.selectors.periodic import Periodic


@register("selector", "best_in_registry")
@dataclass(kw_only=True)
class BestInRegistry(Periodic):
    r"""Deploy the version whose last observed accuracy is the highest; retrain on a schedule.

    A version is compared once it was observed; the one that serves is left alone until then. With
    feedback of what serves only, the accuracy of the others is old news: the trap of this rule.

    With the last observed accuracy :math:`a_i` of the version in slot i and :math:`a_s` of what serves, it
    deploys :math:`\mathrm{argmax}_i a_i` if :math:`\max_i a_i > a_s + \mathrm{margin}`.

    Parameters
    ----------
    every, phase : int
        The schedule, as in ``periodic``.
    margin : float, default 0.03
        Switch only if the accuracy is higher by more than this.

    Notes
    -----
    Use it with ``feedback=full``, where all versions are seen; not where only what serves is.

    Examples
    --------
    >>> from mlopsim.checks.toy_deployment import play
    >>> play(BestInRegistry(every=4), 8, error=lambda version, t: 0.1 if version == 0 else 0.3)
    'kkkkR1kk'
    """

    every: int = 15
    margin: float = 0.03

    space: ClassVar[dict[str, Choice]] = {
        "every": Range(1, 60, log=True, integer=True),
        "phase": Range(0, 20, integer=True),
        "margin": Range(0.002, 0.5, log=True),
    }
    uses_errors: ClassVar[bool] = False
    reads: ClassVar[str] = "errors"

    def __post_init__(self) -> None:
        super().__post_init__()
        check_range("selector/best_in_registry.margin", self.margin, 0.0, 1.0)

    def decide(self, view: View) -> np.ndarray:
        """Compare what was observed, else follow the schedule."""
        known = view.slots("known") > 0.5
        accuracy = np.where(known, view.slots("accuracy"), -np.inf)
        deploy = view.mask[:, 1 : 1 + self.interface.slots]
        rival = np.where(deploy, accuracy, -np.inf)
        slot = np.argmax(rival, axis=1)
        mine = known[self.walk, view.serving]
        better = mine & (rival[self.walk, slot] > accuracy[self.walk, view.serving] + self.margin)
        actions = super().decide(view)
        return np.where((actions == 0) & better, slot + 1, actions)
