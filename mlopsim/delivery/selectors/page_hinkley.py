"""Retraining when the Page-Hinkley test alarms on the errors of what serves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from mlopsim.core.registry import register
from mlopsim.core.spec import part
from mlopsim.delivery.selectors.on_alarm import OnAlarm


@register("selector", "page_hinkley", version=2)
@dataclass(kw_only=True)
class PageHinkley(OnAlarm):
    """``{on_alarm: {detector: page_hinkley}}`` under a short name.

    The detector's formula stands at ``detector/page_hinkley``.

    Parameters
    ----------
    detector : spec of detector/page_hinkley
        With parameters of its own, if they are not to be the defaults.
    channel, limit, arl0, p0, wait, cooldown
        See :class:`OnAlarm`.

    Notes
    -----
    When to use it and when not stands at ``selector/on_alarm`` and ``detector/page_hinkley``.

    References
    ----------
    .. [1] E. S. Page, "Continuous inspection schemes", Biometrika 41, 1954, 100-115.
       doi:10.1093/biomet/41.1-2.100

    Examples
    --------
    >>> from mlopsim.checks.toy_deployment import play
    >>> play(PageHinkley(), 14, error=[0.1] * 7 + [0.8] * 7)
    'kkkkkkkkkkkRkk'
    """

    preset: ClassVar[bool] = True

    detector: Any = part("detector", "page_hinkley")
