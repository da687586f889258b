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

    The detector's formula stands at ``detector/ks``.

    Parameters
    ----------
    detector : spec of detector/ks
        With parameters of its own, if they are not to be the defaults.
    channel, limit, arl0, p0, wait, cooldown
        See :class:`OnAlarm`.

    Notes
    -----
    When to use it and when not stands at ``selector/on_alarm`` and ``detector/ks``.

    References
    ----------
    .. [1] N. V. Smirnov, "On the estimation of the discrepancy between empirical curves of distribution for
       two independent samples", Bulletin Mathématique de l'Université de Moscou 2, 1939.
    .. [2] J. L. Hodges, "The significance probability of the Smirnov two-sample test", Arkiv för Matematik 3,
       1958, 469-486. doi:10.1007/BF02589501

    Examples
    --------
    >>> from mlopsim.checks.toy_deployment import play
    >>> play(Ks(limit=1e-4), 9, shift=lambda version, t: 2.0 if version < 5 <= t else 0.0)
    'kkkkkRkkk'
    """

    preset: ClassVar[bool] = True

    detector: Any = part("detector", "ks")
