"""The control that alarms at random."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np

from mlopsim.core.registry import register
from mlopsim.core.spec import check_range
from mlopsim.drift.control import Control


@register("detector", "random")
@dataclass(kw_only=True)
class Random(Control):
    r"""Alarms with the same probability at every tick: run lengths are geometric with mean ``1 / rate``.

    The score is a number drawn uniformly from [0, 1) at each tick, the threshold is ``1 - rate``.

    .. math:: P(T = k) = \mathrm{rate} \, (1 - \mathrm{rate})^{k - 1}, \qquad \mathrm{E} T = 1 / \mathrm{rate}

    Parameters
    ----------
    rate : float, default 0.001
        Probability of an alarm at a tick.

    Notes
    -----
    Use it as the control at the same rate of alarms: a detector must be sooner than its chance.

    Examples
    --------
    >>> import numpy as np
    >>> Random(rate=0.25).alarms(np.zeros(12), np.random.default_rng(1))
    array([ 1,  3,  6, 10])
    """

    limit: ClassVar[str] = "rate"
    always_listed: ClassVar[bool] = True
    by_rate: ClassVar[bool] = True
    random: ClassVar[bool] = True

    rate: float = 0.001

    def __post_init__(self) -> None:
        check_range("detector/random.rate", self.rate, 0.0, 1.0)

    @property
    def threshold(self) -> float:
        """What the number drawn must exceed."""
        # the largest number that can be drawn is below 1, the smallest is 0 and does not exceed 0
        return 1.0 - self.rate if self.rate < 1.0 else -1.0

    def limited(self, threshold: float) -> Self:
        """Return this control with ``rate = 1 - threshold``; below 0 the rate is 1."""
        return dataclasses.replace(self, rate=1.0 - threshold if threshold >= 0.0 else 1.0)

    def at_rate(self, arl0: float, rows: int, rng: np.random.Generator) -> Self:
        """Return this control with the rate whose run lengths have the mean ``arl0`` rows."""
        return dataclasses.replace(self, rate=-math.expm1(-rows / arl0))

    def one(self, limit: float) -> float:
        """Draw the next number."""
        return self.rng.random()

    def scores(self, count: int, limit: float) -> np.ndarray:
        """Draw the next numbers."""
        return self.rng.random(count)
