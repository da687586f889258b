"""Retraining when ADWIN alarms on the errors of what serves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from mlopsim.core.registry import register
from mlopsim.core.spec import part
from mlopsim.delivery.selectors.on_alarm import OnAlarm


@register("selector", "adwin", version=2)
@dataclass(kw_only=True)
class Adwin(OnAlarm):
    """``{on_alarm: {detector: adwin}}`` under a short name.

    The detector's formula stands at ``detector/adwin``.

    Parameters
    ----------
    detector : spec of detector/adwin
        With parameters of its own, if they are not to be the defaults.
    channel, limit, arl0, p0, wait, cooldown
        See :class:`OnAlarm`.

    Notes
    -----
    When to use it and when not stands at ``selector/on_alarm`` and ``detector/adwin``.

    References
    ----------
    .. [1] A. Bifet and R. Gavaldà, "Learning from time-changing data with adaptive windowing", SIAM
       International Conference on Data Mining, 2007, 443-448. doi:10.1137/1.9781611972771.42

    Examples
    --------
    >>> from mlopsim.checks.toy_deployment import play
    >>> play(Adwin(), 14, error=[0.1] * 7 + [0.8] * 7)
    'kkkkkkkkRkkkkk'
    """

    preset: ClassVar[bool] = True

    detector: Any = part("detector", "adwin")
