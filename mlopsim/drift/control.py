"""Controls: detectors that do not look at the signal, so that a table shows what looking is worth."""

from __future__ import annotations

from typing import Any, ClassVar, Self

import numpy as np

from mlopsim.core.errors import ConfigError
from mlopsim.core.track import Attribute
from mlopsim.drift.detector import HUGE, Detector, Run
from mlopsim.drift.signal import SignalKind


class Control(Detector):
    """Reads any kind of signal and ignores what the ticks hold; tables list it apart from the detectors.

    Class attributes: ``always_listed`` (True: it stands in every table, as its own class says), ``by_rate``
    (True: its alarms follow from the asked run length by :meth:`at_rate`, and need no calibration),
    ``knows_changes`` (True: it alarms at the true changes), ``bound`` (``lower`` or ``upper``: the end of
    the scale on which others are scored as retrain triggers).

    Notes
    -----
    A streamed tick is looked at, whether it could be read at all: river's ``DummyDriftDetector`` and
    ``NoDrift``, which look at nothing, take less than half as long.
    """

    control: ClassVar[bool] = True
    family: ClassVar[str] = "control"
    always_listed: ClassVar[bool] = False
    by_rate: ClassVar[bool] = False
    knows_changes: ClassVar[bool] = False
    bound: ClassVar[str] = ""
    effort: ClassVar[float] = 0.02

    @classmethod
    def readable(cls) -> tuple[SignalKind, ...]:
        """Return every kind of signal."""
        return tuple(SignalKind)

    def facts(self) -> dict[str, Attribute]:
        """Return its attributes; it reads nothing of the signal."""
        facts = super().facts()
        facts |= {"role": "control", "reads": "nothing", "needs": "none", "bound": self.bound or None}
        facts["sides"] = None
        return facts | ({"known": "the truth"} if self.knows_changes else {})

    def at_rate(self, arl0: float, rows: int, rng: np.random.Generator) -> Self:
        """Return this control with one alarm every ``arl0`` rows on average.

        Parameters
        ----------
        arl0 : float
            In rows.
        rows : int
            Rows of a tick.
        rng : Generator
            For what is left to chance.

        Raises
        ------
        ConfigError
            If its alarms do not follow from a rate.
        """
        raise ConfigError(f"{self.full_name} has no rate to set")

    def scores(self, count: int, limit: float) -> np.ndarray:
        """Return the scores of the next ``count`` ticks, float64, with alarms above ``limit``."""
        raise NotImplementedError

    def one(self, limit: float) -> float:
        """Return the score of the next tick: what :meth:`scores` of one returns; ours need no array."""
        return float(self.scores(1, limit)[0])

    def update(self, x: Any) -> bool:
        """Count one tick; see :meth:`mlopsim.drift.detector.Detector.update`."""
        kind = x.__class__
        if (kind is float or kind is int) and -HUGE < x < HUGE and hasattr(self, "rng"):
            limit = self.threshold
            self.statistic = score = self.one(limit)
            return score > limit
        return super().update(x)

    def restart(self) -> None:
        """Forget nothing: there is nothing that an alarm changes."""

    def tick(self, x: Any) -> float:
        """Read one tick, without a limit."""
        return self.one(np.inf)

    def advance(self, data: np.ndarray) -> Run:
        """Count the next ticks."""
        score = self.scores(len(data), self.threshold)
        return Run(score=score, alarms=np.flatnonzero(score > self.threshold).astype(np.int64))

    def advance_freely(self, data: np.ndarray) -> np.ndarray:
        """Return the scores of the next ticks as if nothing were ever an alarm."""
        return self.scores(len(data), np.inf)
