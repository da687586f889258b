"""Detectors that compare windows of inputs with a reference."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from mlopsim.core.errors import DataError
from mlopsim.core.spec import check_range
from mlopsim.drift.detector import Detector, Run
from mlopsim.drift.signal import SignalKind


@dataclass(kw_only=True)
class Windowed(Detector):
    """Compares each window of rows with a reference: the first windows, again after each alarm.

    Parameters
    ----------
    reference : int
        Number of windows that make the reference; the score is NaN while they come in.
    """

    reads: ClassVar[SignalKind] = SignalKind.INPUTS
    effort: ClassVar[float] = 60.0
    #: True: a window's score depends on the windows before it, so that windows are compared one by one
    sequential: ClassVar[bool] = False
    limits: ClassVar[tuple[float, float] | None] = (0.5, 50.0)

    reference: int = 10

    def __post_init__(self) -> None:
        check_range(f"detector/{self.name}.reference", self.reference, 1, 10**6)

    # -- what such a detector must define --------------------------------------------------------------

    def learn(self, rows: np.ndarray) -> Any:
        """Return what is needed of the reference rows, float64 (reference * r, d)."""
        raise NotImplementedError

    def compare(self, reference: Any, windows: np.ndarray) -> np.ndarray:
        """Return the scores of windows (k, r, d) in order, float64 (k,).

        A window's score must not depend on how the windows are cut into calls, to the bit; what is carried
        from window to window belongs into ``reference``, which may be changed.
        """
        raise NotImplementedError

    # -- what follows ------------------------------------------------------------------------------------

    def begin(self) -> None:
        """Forget the number of features, too."""
        self._features: int | None = None
        super().begin()

    def restart(self) -> None:
        """Forget the reference."""
        self._rows: list[np.ndarray] = []
        self._reference: Any = None

    def begin_from(self, rows: np.ndarray, size: int) -> None:
        """Begin with these rows as the reference, however many they are."""
        self.begin()
        self._reference, self._rows, self._features = self.learn(rows), [], rows.shape[1]

    def tick(self, x: Any) -> float:
        """Read one window, float64 (r, d)."""
        return float(self._scores(x[None], np.inf)[0][0])

    def advance(self, data: np.ndarray) -> Run:
        """Read the next windows; between alarms all are compared in one call."""
        score, alarms = self._scores(data, self.threshold)
        return Run(score=score, alarms=np.array(alarms, dtype=np.int64))

    def advance_freely(self, data: np.ndarray) -> np.ndarray:
        """Return the scores of the next windows as if nothing were ever an alarm."""
        return self._scores(data, np.inf)[0]

    def _scores(self, data: np.ndarray, limit: float) -> tuple[np.ndarray, list[int]]:
        if len(data):
            if self._features not in (None, data.shape[2]):
                raise DataError(f"windows of {self._features} features, then one of {data.shape[2]}")
            self._features = data.shape[2]
        score, alarms = np.full(len(data), np.nan), []
        place = 0
        # as far ahead as is seldom in vain: windows after an alarm are compared again
        ahead = len(data) if limit == np.inf else 16
        while place < len(data):
            if self._reference is None:
                self._rows.append(np.array(data[place]))
                place += 1
                if len(self._rows) == self.reference:
                    self._reference = self.learn(np.concatenate(self._rows))
                    self._rows = []
                continue
            chunk = data[place : place + (1 if self.sequential else ahead)]
            found = self.compare(self._reference, chunk)
            over = np.flatnonzero(found > limit)
            if len(over):
                last = int(over[0])
                score[place : place + last + 1] = found[: last + 1]
                alarms.append(place + last)
                place += last + 1
                self.restart()
                continue
            score[place : place + len(chunk)] = found
            place += len(chunk)
        return score, alarms
