"""The control that acts by chance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from mlopsim.core.registry import register
from mlopsim.core.spec import check_range
from mlopsim.delivery.search_space import Choice, Range
from mlopsim.delivery.selector import View
from mlopsim.delivery.selectors.base import Rule, generators


@register("selector", "random", version=2)
@dataclass(kw_only=True)
class Random(Rule):
    r"""Retrain and deploy at random moments.

    :math:`P(\mathrm{retrain}) = \mathrm{retrain}` and
    :math:`P(\mathrm{deploy}) = (1 - \mathrm{retrain}) \, \mathrm{deploy}` at each decision, where possible.

    Parameters
    ----------
    retrain : float, default 0.1
        Chance of wanting a retrain at a decision.
    deploy : float, default 0.02
        Chance of wanting another slot (an even draw among the possible ones), where no retrain is wanted.

    Notes
    -----
    Use it as the control for what retrains at any time are worth.

    Examples
    --------
    >>> from mlopsim.checks.toy_deployment import play
    >>> play(Random(retrain=0.3), 12, latency=0)
    'kRkkkRRRkkkk'
    """

    retrain: float = 0.1
    deploy: float = 0.02

    space: ClassVar[dict[str, Choice]] = {
        "retrain": Range(0.005, 1.0, log=True),
        "deploy": (0.0, 0.01, 0.02, 0.05, 0.1),
    }
    uses_errors: ClassVar[bool] = False
    reads: ClassVar[str] = "nothing"
    control: ClassVar[bool] = True

    def __post_init__(self) -> None:
        check_range("selector/random.retrain", self.retrain, 0.0, 1.0)
        check_range("selector/random.deploy", self.deploy, 0.0, 1.0)

    def start(self, seeds: Sequence[np.random.SeedSequence]) -> None:
        """Draw everything that chance decides, one roll-out at a time."""
        length = self.interface.horizon + 1
        self._chance = np.stack([rng.random((length, 3)) for rng in generators(seeds)])

    def decide(self, view: View) -> np.ndarray:
        """Compare the chances of this step with the rates."""
        chance = self._chance[:, self.step]
        slots = view.mask[:, 1 : 1 + self.interface.slots]
        count = slots.sum(axis=1)
        # number of the possible slot that is drawn, then its position among all slots
        pick = np.minimum((chance[:, 2] * count).astype(np.int64), np.maximum(count - 1, 0))
        place = np.argmax(np.cumsum(slots, axis=1) == (pick + 1)[:, None], axis=1)
        deploy = (chance[:, 1] < self.deploy) & (count > 0)
        actions = np.where(deploy, place + 1, self.keep())
        return np.where(chance[:, 0] < self.retrain, self.interface.retrain, actions)
