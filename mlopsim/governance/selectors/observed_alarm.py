"""Retraining where the inputs of what serves have moved, as a governed deployment observes it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from mlopsim.core.registry import register
from mlopsim.core.spec import check_range
from mlopsim.delivery.search_space import Choice
from mlopsim.delivery.selector import View
from mlopsim.delivery.selectors.trigger import TRIGGER_SPACE, Trigger


@register("selector", "observed_alarm")
@dataclass(kw_only=True)
class ObservedAlarm(Trigger):
    r"""Retrain where the drift alarm that a governed deployment shows is on.

    What alarms is the deployment's (``deployment.governed.trigger``): a detector of inputs, about what
    serves. Where a deployment has no trigger, or it is switched off, there is no alarm. How strict a
    detector should be is a question of what a retrain is worth, and tuning is offered the answers: a limit of
    its own on the distance of inputs that is observed with the alarm, as a schedule is offered its period.

    Parameters
    ----------
    wait, cooldown
        See :class:`mlopsim.delivery.selectors.trigger.Trigger`.
    distance : float or None, default None
        Alarm where the Kolmogorov-Smirnov distance of the newest window from what the serving version was
        trained on (feature ``serving_ks``) is above this, instead of where the deployment does.

    Notes
    -----
    With 1,500 rows of 4 features in training and 300 in a window, distances of .08, .1 and .15 have a
    probability of about .33, .05 and 1e-4 where nothing changes (the sum over the features of
    :math:`2 \exp(-2 m D^2)`, m = 1500 300 / 1800); the detector ``ks`` at its ``alpha`` of .01 is about .115.

    Use it where the deployment's trigger is to decide; without a trigger it is ``never``.

    Examples
    --------
    >>> from mlopsim.checks.toy_deployment import play
    >>> play(ObservedAlarm(), 6, shift=1.0)
    'kkkkkk'
    """

    distance: float | None = None

    space: ClassVar[dict[str, Choice]] = {**TRIGGER_SPACE, "distance": (None, 0.08, 0.1, 0.15)}
    uses_errors: ClassVar[bool] = False
    reads: ClassVar[str] = "inputs"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.distance is not None:
            check_range("selector/observed_alarm.distance", self.distance, 0.0, 1.0)

    def alarm(self, view: View) -> np.ndarray:
        """Return where the alarm is on."""
        if "alarm" not in self.interface.names:
            return np.zeros(self.n, bool)
        if self.distance is None:
            return np.asarray(view["alarm"] > 0.0)
        return np.asarray((view["has_trigger"] > 0.0) & (view["serving_ks"] > self.distance))
