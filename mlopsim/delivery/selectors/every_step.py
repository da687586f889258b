"""The control that retrains all the time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from mlopsim.core.registry import register
from mlopsim.delivery.selector import View
from mlopsim.delivery.selectors.base import Rule


@register("selector", "every_step")
@dataclass(kw_only=True)
class EveryStep(Rule):
    """Retrain whenever it is possible.

    Notes
    -----
    Use it as the control that shows what retraining costs; a rule that does not beat it has no use for its
    alarms.

    Examples
    --------
    >>> from mlopsim.checks.toy_deployment import play
    >>> play(EveryStep(), 6, latency=1)
    'kRkRkR'
    """

    uses_errors: ClassVar[bool] = False
    reads: ClassVar[str] = "nothing"
    control: ClassVar[bool] = True

    def decide(self, view: View) -> np.ndarray:
        """Retrain where the mask allows."""
        return self.retrain_where(view.mask[:, self.interface.retrain])
