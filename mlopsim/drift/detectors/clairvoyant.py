"""The control that knows the changes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np

from mlopsim.core.registry import register
from mlopsim.core.spec import check_range
from mlopsim.drift.control import Control


@register("detector", "clairvoyant", version=2)
@dataclass(kw_only=True)
class Clairvoyant(Control):
    """Alarms at the true changes, which it is given: the least delay, though not the alarm most worth.

    Its score is 1 at a change and 0 elsewhere, its threshold 0. Whoever runs it fills in the changes of each
    signal with ``dataclasses.replace``.

    Parameters
    ----------
    changes : list of int, default none
        Ticks at which the law changes, counted from 0; those beyond the end of the signal are not reached.

    Examples
    --------
    >>> Clairvoyant(changes=[2, 5]).alarms([0.0] * 8)
    array([2, 5])
    """

    limit: ClassVar[str] = ""
    always_listed: ClassVar[bool] = True
    knows_changes: ClassVar[bool] = True
    bound: ClassVar[str] = "upper"

    changes: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        for i, change in enumerate(self.changes):
            check_range(f"detector/clairvoyant.changes[{i}]", change, 0, 10**12)

    @property
    def threshold(self) -> float:
        """Zero."""
        return 0.0

    def begin(self) -> None:
        """Stand before the first tick."""
        self._place = 0

    def one(self, limit: float) -> float:
        """Return 1 if the next tick is a change."""
        found = 1.0 if self._place in self.changes else 0.0
        self._place += 1
        return found

    def scores(self, count: int, limit: float) -> np.ndarray:
        """Return 1 at the changes among the next ticks."""
        score = np.zeros(count)
        ahead = np.array(self.changes, dtype=np.int64) - self._place
        score[ahead[(ahead >= 0) & (ahead < count)]] = 1.0
        self._place += count
        return score
