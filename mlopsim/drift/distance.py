"""Distances of windows from a reference, feature by feature."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import Enum
from typing import Any, ClassVar

import numpy as np

from mlopsim.core.spec import check_range
from mlopsim.drift.windowed import Windowed


class Over(Enum):
    """What of the features' distances is the score: the largest (``max``) or the average (``mean``)."""

    MAX = "max"
    MEAN = "mean"


@dataclass(kw_only=True)
class Distance(Windowed):
    """Measures each window's features against the reference's; the score is the distance itself.

    There is no p-value, hence none to correct for the number of features: the largest of more features is
    larger, and calibration sets the limit to that.

    Parameters
    ----------
    h : float
        Limit of the distance.
    over : Over, default max
        See :class:`Over`.
    reference
        See :class:`mlopsim.drift.windowed.Windowed`.
    """

    family: ClassVar[str] = "distance"
    limit: ClassVar[str] = "h"
    limits: ClassVar[tuple[float, float] | None] = (0.005, 3.0)

    h: float = 0.1
    over: Over = Over.MAX

    def __post_init__(self) -> None:
        super().__post_init__()
        check_range(f"detector/{self.name}.h", self.h, 0.0, math.inf)

    def distances(self, reference: Any, windows: np.ndarray) -> np.ndarray:
        """Return the distances (k, d) of windows (k, r, d)."""
        raise NotImplementedError

    def compare(self, reference: Any, windows: np.ndarray) -> np.ndarray:
        """Return the scores of windows."""
        found = self.distances(reference, windows)
        if self.over is Over.MAX:
            largest: np.ndarray = found.max(axis=1)
            return largest
        # rounded once, whatever the order of the sum
        return np.array([math.fsum(row) / len(row) for row in found.tolist()])
