"""A detector of one's own: `mlopsim bench suite=drift-quick --plugin detector.py methods=[last_mean,ddm]`."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Any, ClassVar

import mlopsim
from mlopsim.drift import Detector, Side, SignalKind


@mlopsim.register("detector", "last_mean")
@dataclass(kw_only=True)
class LastMean(Detector):
    """Alarm when the mean of the last ticks exceeds that of all before by more than a threshold.

    Parameters
    ----------
    window : int
        How many ticks are the last ones.
    threshold_ : float
        Difference of means that is tolerated.

    Examples
    --------
    >>> LastMean(window=10, threshold_=0.5).alarms([0.0] * 50 + [1.0] * 20)
    array([55])
    """

    family: ClassVar[str] = "error rate"
    reads: ClassVar[SignalKind] = SignalKind.ERRORS

    window: int = 50
    threshold_: float = 0.3

    @property
    def sides(self) -> Side:
        """It looks for a rise of the error rate."""
        return Side.UP

    def restart(self) -> None:
        """Forget everything."""
        self.last: deque[float] = deque()
        self.before, self.count = 0.0, 0

    def tick(self, x: Any) -> float:
        """Read one error and return the difference."""
        self.last.append(float(x))
        if len(self.last) > self.window:
            self.before += self.last.popleft()
            self.count += 1
        if self.count == 0:
            return float("nan")
        return sum(self.last) / self.window - self.before / self.count
