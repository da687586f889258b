"""Retraining when a Kolmogorov-Smirnov test finds the inputs to differ from the training rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from mlopsim.core.registry import register
from mlopsim.core.spec import part
from mlopsim.delivery.selectors.on_alarm import OnAlarm


@register("selector", "ks", version=2)
@dataclass(kw_only=True)
class Ks(OnAlarm):
    """``{on_alarm: {detector: ks}}`` under a short name: it needs no labels.

    Parameters
    ----------
    detector : spec of detector/ks
        With parameters of its own, if they are not to be the defaults.
    channel, limit, arl0, p0, wait, cooldown
        See :class:`OnAlarm`.

    Examples
    --------
    >>> from mlopsim.checks.toy_deployment import play
    >>> play(Ks(limit=1e-4), 9, shift=lambda version, t: 2.0 if version < 5 <= t else 0.0)
    'kkkkkRkkk'
    """

    preset: ClassVar[bool] = True

    detector: Any = part("detector", "ks")
