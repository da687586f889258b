"""The control that never alarms."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from mlopsim.core.registry import register
from mlopsim.drift.control import Control


@register("detector", "never")
@dataclass(kw_only=True)
class Never(Control):
    """Never alarms: the lower end of every table. Its score is 0, its threshold infinite.

    Examples
    --------
    >>> Never().alarms([0.0, 5.0, 9.0])
    array([], dtype=int64)
    """

    limit: ClassVar[str] = ""
    always_listed: ClassVar[bool] = True
    bound: ClassVar[str] = "lower"

    @property
    def threshold(self) -> float:
        """Infinity."""
        return np.inf

    def one(self, limit: float) -> float:
        """Return 0."""
        return 0.0

    def scores(self, count: int, limit: float) -> np.ndarray:
        """Return zeros."""
        return np.zeros(count)
