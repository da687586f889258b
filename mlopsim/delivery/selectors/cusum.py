"""Retraining when a CUSUM chart alarms on the errors of what serves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from mlopsim.core.registry import register
from mlopsim.core.spec import part
from mlopsim.delivery.selectors.on_alarm import OnAlarm


@register("selector", "cusum", version=2)
@dataclass(kw_only=True)
class Cusum(OnAlarm):
    """``{on_alarm: {detector: cusum}}`` under a short name.

    The detector's formula stands at ``detector/cusum``.

    Parameters
    ----------
    detector : spec of detector/cusum
        With parameters of its own, if they are not to be the defaults.
    channel, limit, arl0, p0, wait, cooldown
        See :class:`OnAlarm`.

    Notes
    -----
    When to use it and when not stands at ``selector/on_alarm`` and ``detector/cusum``.

    References
    ----------
    .. [1] E. S. Page, "Continuous inspection schemes", Biometrika 41, 1954, 100-115.
       doi:10.1093/biomet/41.1-2.100

    Examples
    --------
    >>> from mlopsim.checks.toy_deployment import play
    >>> play(Cusum(), 14, error=[0.1] * 7 + [0.8] * 7)
    'kkkkkkkRkkkkkk'
    """

    preset: ClassVar[bool] = True

    detector: Any = part("detector", "cusum")
