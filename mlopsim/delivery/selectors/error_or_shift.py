"""Retraining when errors rise or inputs shift."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from mlopsim.core.registry import register
from mlopsim.core.spec import check_range
from mlopsim.delivery.search_space import Choice, Range
from mlopsim.delivery.selector import View
from mlopsim.delivery.selectors._trigger_levels import Against, ErrorLevel, Reference, Statistic, shift_level
from mlopsim.delivery.selectors.trigger import TRIGGER_SPACE, Trigger


@register("selector", "error_or_shift")
@dataclass(kw_only=True)
class ErrorOrShift(Trigger):
    r"""Retrain when ``error_threshold`` or ``ks`` would.

    The inputs speak without delay but not of the labels; the errors speak of all but late.

    It retrains if :math:`e_t - r_t > \mathrm{rise}` (``error_threshold``) or :math:`s_t > \mathrm{limit}`,
    the shift of the newest inputs, less that of the newest version's with ``against="newest"``.

    Parameters
    ----------
    rise, memory, reference
        As in ``error_threshold``.
    limit, statistic, against
        As in ``ks``.
    wait, cooldown : int
        Windows between alarm and retrain, and between retrains.

    Notes
    -----
    Use it where labels are late and inputs may tell first; not where inputs move without harm: each such move
    costs a retrain.

    Examples
    --------
    >>> from mlopsim.checks.toy_deployment import play
    >>> play(ErrorOrShift(rise=0.2), 9, shift=lambda version, t: 0.5 if version < 5 <= t else 0.1)
    'kkkkkRkkk'
    >>> play(ErrorOrShift(rise=0.2), 9, error=lambda version, t: 0.5 if version < 5 <= t else 0.1)
    'kkkkkRkkk'
    """

    rise: float = 0.06
    memory: int = 1
    reference: Reference = Reference.BEST
    limit: float = 0.15
    statistic: Statistic = Statistic.KS
    against: Against = Against.ZERO
    cooldown: int = 5

    space: ClassVar[dict[str, Choice]] = {
        **TRIGGER_SPACE,
        "rise": Range(0.005, 0.4, log=True),
        "memory": Range(1, 6, integer=True),
        "reference": (Reference.BEST, Reference.OWN, Reference.ABSOLUTE),
        "limit": Range(0.005, 3.0, log=True),
        "statistic": (Statistic.KS, Statistic.PSI, Statistic.MEAN),
        "against": (Against.ZERO, Against.NEWEST),
    }
    reads: ClassVar[str] = "errors and inputs"

    def __post_init__(self) -> None:
        super().__post_init__()
        self.reference = Reference(self.reference)
        self.statistic, self.against = Statistic(self.statistic), Against(self.against)
        check_range("selector/error_or_shift.rise", self.rise, 0.0, 1.0)
        check_range("selector/error_or_shift.memory", self.memory, 1, 10_000)
        check_range("selector/error_or_shift.limit", self.limit, 0.0, 1e9)

    def begin(self) -> None:
        """Start without a reference."""
        self._level = ErrorLevel(self, self.memory, self.reference)

    def alarm(self, view: View) -> np.ndarray:
        """Compare both levels with their limits."""
        shift = shift_level(view, self.statistic, self.against) > self.limit
        return (self._level.rise() > self.rise) | shift
