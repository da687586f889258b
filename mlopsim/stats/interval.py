"""A number with its interval, its n and, where it is undefined, the reason."""

from __future__ import annotations

import math
from dataclasses import dataclass

from mlopsim.core.errors import ConfigError

NAN = float("nan")
#: a mean gain U - R_never of at most this (in units of the return) is round-off: there is nothing to gain
NOTHING = 1e-6


@dataclass(frozen=True, kw_only=True)
class Interval:
    """An estimate with a confidence interval.

    Parameters
    ----------
    value : float
        The estimate; NaN where it is undefined.
    low, high : float
        Ends of the interval; NaN where there is none (then ``reason`` says why).
    n : int
        Number of independent units that were resampled or counted (seeds, rows, trials).
    level : float, default 0.95
        Nominal coverage.
    reason : str
        Why something is NaN; empty where nothing is.
    cells : int
        Number of values that entered (seeds times tasks, repetitions included); 0 where it is not counted.
    excluded : int
        Number of values left out because they or their partners were undefined.
    repetitions : int
        Training seeds that were resampled beside the n units; 0 where there was no such axis.

    Examples
    --------
    >>> Interval(value=.83, low=.79, high=.87, n=30)
    Interval(0.83 [0.79, 0.87], n=30)
    >>> Interval(value=.83, n=1, reason="1 seed").bounded
    False
    """

    value: float
    low: float = NAN
    high: float = NAN
    n: int
    level: float = 0.95
    reason: str = ""
    cells: int = 0
    excluded: int = 0
    repetitions: int = 0

    def __post_init__(self) -> None:
        check_level(self.level)
        if not self.bounded and not self.reason:
            raise ValueError("an interval without ends needs a reason")

    @property
    def bounded(self) -> bool:
        """True where value and both ends are numbers."""
        return not (math.isnan(self.value) or math.isnan(self.low) or math.isnan(self.high))

    def excludes(self, point: float = 0.0) -> bool:
        """Return True if the interval exists and lies wholly on one side of ``point``."""
        return self.bounded and (self.low > point or self.high < point)

    def __repr__(self) -> str:
        note = f", {self.reason}" if self.reason else ""
        return f"Interval({self.value:.3g} [{self.low:.3g}, {self.high:.3g}], n={self.n}{note})"


@dataclass(frozen=True, kw_only=True)
class Score:
    """A point estimate with what it rests on; ``float(score)`` is its value.

    Parameters
    ----------
    value : float
        NaN where undefined.
    n : int
        Number of values that entered.
    excluded : int
        Number of values left out because they or their partners were undefined.
    reason : str
        Why ``value`` is NaN.

    Examples
    --------
    >>> float(Score(value=.5, n=4))
    0.5
    """

    value: float
    n: int
    excluded: int = 0
    reason: str = ""

    def __float__(self) -> float:
        return self.value


def check_level(level: float) -> None:
    """Raise ConfigError unless 0 < level < 1.

    Examples
    --------
    >>> check_level(95)
    Traceback (most recent call last):
    mlopsim.core.errors.ConfigError: a confidence level must lie between 0 and 1, got 95
      remedy: for 95 % write 0.95
    """
    if not 0.0 < level < 1.0:
        raise ConfigError(
            f"a confidence level must lie between 0 and 1, got {level}", remedy="for 95 % write 0.95"
        )
