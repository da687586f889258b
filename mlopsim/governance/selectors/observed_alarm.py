"""Retraining where the deployment's own trigger alarms."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from mlopsim.core.registry import register
from mlopsim.delivery.search_space import Choice
from mlopsim.delivery.selector import View
from mlopsim.delivery.selectors.trigger import TRIGGER_SPACE, Trigger


@register("selector", "observed_alarm")
@dataclass(kw_only=True)
class ObservedAlarm(Trigger):
    """Retrain where the drift alarm that a governed deployment shows is on.

    What alarms is the deployment's (``deployment.governed.trigger``): a detector of inputs, about what
    serves. Where a deployment has no trigger, or it is switched off, there is no alarm.

    Parameters
    ----------
    wait, cooldown
        See :class:`mlopsim.delivery.selectors.trigger.Trigger`.

    Examples
    --------
    >>> from mlopsim.checks.toy_deployment import play
    >>> play(ObservedAlarm(), 6, shift=1.0)
    'kkkkkk'
    """

    space: ClassVar[dict[str, Choice]] = TRIGGER_SPACE
    uses_errors: ClassVar[bool] = False
    reads: ClassVar[str] = "inputs"

    def alarm(self, view: View) -> np.ndarray:
        """Return where the alarm is on."""
        if "alarm" not in self.interface.names:
            return np.zeros(self.n, bool)
        return np.asarray(view["alarm"] > 0.0)
