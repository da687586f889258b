"""Retraining when the Drift Detection Method alarms on the errors of what serves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from mlopsim.core.registry import register
from mlopsim.core.spec import part
from mlopsim.delivery.selectors.on_alarm import OnAlarm


@register("selector", "ddm", version=2)
@dataclass(kw_only=True)
class Ddm(OnAlarm):
    """``{on_alarm: {detector: ddm}}`` under a short name.

    The detector's formula stands at ``detector/ddm``.

    Parameters
    ----------
    detector : spec of detector/ddm
        With parameters of its own, if they are not to be the defaults.
    channel, limit, arl0, p0, wait, cooldown
        See :class:`OnAlarm`.

    Notes
    -----
    When to use it and when not stands at ``selector/on_alarm`` and ``detector/ddm``.

    References
    ----------
    .. [1] J. Gama, P. Medas, G. Castillo and P. Rodrigues, "Learning with drift detection", SBIA, 2004,
       286-295. doi:10.1007/978-3-540-28645-5_29

    Examples
    --------
    >>> from mlopsim.checks.toy_deployment import play
    >>> play(Ddm(), 14, error=[0.1] * 7 + [0.8] * 7)
    'kkkkkkkRkkkkkk'
    """

    preset: ClassVar[bool] = True

    detector: Any = part("detector", "ddm")
