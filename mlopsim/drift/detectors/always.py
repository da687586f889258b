"""The control that alarms at every tick."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from mlopsim.core.registry import register
from mlopsim.drift.control import Control


@register("detector", "always")
@dataclass(kw_only=True)
class Always(Control):
    """Alarms at every tick: a metric that it looks good in measures nothing. Its score is 1, its threshold 0.

    Examples
    --------
    >>> Always().alarms([0.0, 5.0, 9.0])
    array([0, 1, 2])
    """

    limit: ClassVar[str] = ""
    always_listed: ClassVar[bool] = True

    @property
    def threshold(self) -> float:
        """Zero."""
        return 0.0

    def one(self, limit: float) -> float:
        """Return 1."""
        return 1.0

    def scores(self, count: int, limit: float) -> np.ndarray:
        """Return ones."""
        return np.ones(count)
