"""Retraining when the error rate of what serves is too high."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from mlopsim.core.registry import register
from mlopsim.core.spec import check_range
from mlopsim.delivery.search_space import Choice, Range
from mlopsim.delivery.selector import View
from mlopsim.delivery.selectors._trigger_levels import ErrorLevel, Reference
from mlopsim.delivery.selectors.trigger import TRIGGER_SPACE, Trigger


@register("selector", "error_threshold")
@dataclass(kw_only=True)
class ErrorThreshold(Trigger):
    r"""Retrain when the recent error rate is above a reference by more than a threshold.

    The performance-based trigger of the retraining literature, with a cool-down.

    With the mean error rate :math:`e_t` of the last ``memory`` known windows of what serves and the reference
    :math:`r_t`, it retrains if

    .. math:: e_t - r_t > \mathrm{rise}, \qquad r_t = \min_{s \le t} e_s \quad (\text{best})

    Parameters
    ----------
    rise : float, default 0.06
        Retrain above this rise of the error rate.
    memory : int, default 1
        Known windows of the version that serves that are averaged.
    reference : Reference, default best
        ``best``: the lowest such average so far; ``own``: the first one of the version that serves;
        ``absolute``: zero.
    wait, cooldown : int
        Windows between alarm and retrain, and between retrains.

    Notes
    -----
    Use it where labels come soon. ``rise`` is no test: in windows of few rows it is exceeded by chance.

    References
    ----------
    .. [1] J. Gama, I. Žliobaitė, A. Bifet, M. Pechenizkiy and A. Bouchachia, "A survey on concept drift
       adaptation", ACM Computing Surveys 46(4), 2014. doi:10.1145/2523813

    Examples
    --------
    >>> from mlopsim.checks.toy_deployment import play
    >>> play(ErrorThreshold(rise=0.2, cooldown=3), 12, error=[0.1] * 5 + [0.5] * 7)
    'kkkkkRkkRkkR'
    """

    rise: float = 0.06
    memory: int = 1
    reference: Reference = Reference.BEST
    cooldown: int = 5

    space: ClassVar[dict[str, Choice]] = {
        **TRIGGER_SPACE,
        "rise": Range(0.005, 0.4, log=True),
        "memory": Range(1, 6, integer=True),
        "reference": (Reference.BEST, Reference.OWN, Reference.ABSOLUTE),
    }

    def __post_init__(self) -> None:
        super().__post_init__()
        self.reference = Reference(self.reference)
        check_range("selector/error_threshold.rise", self.rise, 0.0, 1.0)
        check_range("selector/error_threshold.memory", self.memory, 1, 10_000)

    def begin(self) -> None:
        """Start without a reference."""
        self._level = ErrorLevel(self, self.memory, self.reference)

    def alarm(self, view: View) -> np.ndarray:
        """Compare the rise with the threshold (not known: no alarm)."""
        return self._level.rise() > self.rise
