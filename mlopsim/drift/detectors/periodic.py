"""The control that alarms by the clock."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np

from mlopsim.core.errors import ConfigError
from mlopsim.core.registry import register
from mlopsim.core.spec import check_range
from mlopsim.drift.control import Control


@register("detector", "periodic")
@dataclass(kw_only=True)
class Periodic(Control):
    r"""Alarms every so many ticks: every run length is ``every``, whatever happens.

    The score is the number of ticks since the last alarm, the threshold ``every - 1``: the score is whole, so
    any threshold from ``every - 1`` up to below ``every`` gives the same alarms.

    Alarms come at the ticks :math:`t = k \cdot \mathrm{every} - \mathrm{phase}`, :math:`k = 1, 2, \ldots`,
    counted from 1.

    Parameters
    ----------
    every : int, default 1000
        Ticks from alarm to alarm.
    phase : int, default 0
        Ticks by which the first alarm comes earlier, below ``every`` (modulo it otherwise).

    Notes
    -----
    Use it as the control at the same rate of alarms: a detector must be sooner than its chance.

    Examples
    --------
    >>> Periodic(every=3).alarms([0.0] * 8)
    array([2, 5])
    >>> Periodic().limited(2.5).every
    3
    """

    limit: ClassVar[str] = "every"
    always_listed: ClassVar[bool] = True
    by_rate: ClassVar[bool] = True

    every: int = 1000
    phase: int = 0

    def __post_init__(self) -> None:
        check_range("detector/periodic.every", self.every, 1, 10**12)
        check_range("detector/periodic.phase", self.phase, 0, 10**12)

    def begin(self) -> None:
        """Stand ``phase`` ticks after an alarm."""
        self._count = self.phase % self.every

    @property
    def threshold(self) -> float:
        """What the number of ticks since the last alarm must exceed."""
        return float(self.every - 1)

    def limited(self, threshold: float) -> Self:
        """Return this control with the period whose alarms are those of the threshold."""
        if not math.isfinite(threshold):
            raise ConfigError(f"detector/periodic.every must be finite, got the threshold {threshold}")
        return dataclasses.replace(self, every=math.floor(threshold) + 1)

    def at_rate(self, arl0: float, rows: int, rng: np.random.Generator) -> Self:
        """Return this control with a period of ``arl0`` rows and a phase by chance."""
        every = max(1, round(arl0 / rows))
        return dataclasses.replace(self, every=every, phase=int(rng.integers(every)))

    def restart(self) -> None:
        """Start counting."""
        self._count = 0

    def one(self, limit: float) -> float:
        """Count the next tick."""
        number = self._count + 1
        if limit < np.inf:
            number = (number - 1) % self.every + 1
        # an alarm restarts the count
        self._count = 0 if number > limit else number
        return float(number)

    def scores(self, count: int, limit: float) -> np.ndarray:
        """Count the next ticks."""
        number = self._count + np.arange(1, count + 1)
        if limit < np.inf:
            number = (number - 1) % self.every + 1
        if count:
            # an alarm restarts the count
            self._count = 0 if number[-1] > limit else int(number[-1])
        return number.astype(np.float64)
