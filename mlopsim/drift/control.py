"""Controls: detectors that do not look at the signal, so that a table shows what looking is worth."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from mlopsim.drift.detector import Detector, Run
from mlopsim.drift.signal import SignalKind


class Control(Detector):
    """Reads any kind of signal and ignores what the ticks hold; tables list it apart from the detectors."""

    control: ClassVar[bool] = True
    effort: ClassVar[float] = 0.02

    @classmethod
    def readable(cls) -> tuple[SignalKind, ...]:
        """Return every kind of signal."""
        return tuple(SignalKind)

    def scores(self, count: int, limit: float) -> np.ndarray:
        """Return the scores of the next ``count`` ticks, float64, with alarms above ``limit``."""
        raise NotImplementedError

    def restart(self) -> None:
        """Forget nothing: there is nothing that an alarm changes."""

    def tick(self, x: Any) -> float:
        """Read one tick, without a limit."""
        return float(self.scores(1, np.inf)[0])

    def advance(self, data: np.ndarray) -> Run:
        """Count the next ticks."""
        score = self.scores(len(data), self.threshold)
        return Run(score=score, alarms=np.flatnonzero(score > self.threshold).astype(np.int64))

    def advance_freely(self, data: np.ndarray) -> np.ndarray:
        """Return the scores of the next ticks as if nothing were ever an alarm."""
        return self.scores(len(data), np.inf)
