"""Levels that triggers watch: the rise of the error rate, the shift of the inputs."""

from __future__ import annotations

from enum import Enum
from typing import Protocol

import numpy as np

from mlopsim.delivery.selector import View


class Reference(Enum):
    """What the recent error rate is compared with."""

    #: the lowest mean over ``memory`` windows in this deployment so far
    BEST = "best"
    #: the first ``memory`` known windows of the version that serves
    OWN = "own"
    #: zero
    ABSOLUTE = "absolute"


class Statistic(Enum):
    """Which input shift is watched."""

    KS = "ks"
    PSI = "psi"
    MEAN = "mean"


class Against(Enum):
    """What the shift of the version that serves is compared with."""

    #: zero
    ZERO = "zero"
    #: the shift of the version that a retrain decided now would train
    NEWEST = "newest"


class Walk(Protocol):
    """What a level reads of a rule."""

    n: int
    changed: np.ndarray

    def recent_rate(self, memory: int) -> tuple[np.ndarray, np.ndarray]:
        """Mean error rate and number of the newest known windows."""
        ...


class ErrorLevel:
    """The rise of the recent error rate over a reference, roll-out by roll-out.

    Parameters
    ----------
    walk : Walk
        The rule whose record is read.
    memory : int
        Windows that are averaged.
    reference : Reference
        What is subtracted.
    """

    def __init__(self, walk: Walk, memory: int, reference: Reference) -> None:
        self.walk, self.memory, self.reference = walk, memory, reference
        self._base = np.full(walk.n, np.nan)

    def rise(self) -> np.ndarray:
        """Return the rise at this decision, float64 (n,); NaN where it is not known."""
        rate, count = self.walk.recent_rate(self.memory)
        if self.reference is Reference.ABSOLUTE:
            return rate
        if self.reference is Reference.OWN:
            self._base = np.where(self.walk.changed, np.nan, self._base)
            first = np.isnan(self._base) & (count >= self.memory)
            self._base = np.where(first, rate, self._base)
        else:
            self._base = np.where(count >= self.memory, np.fmin(rate, self._base), self._base)
        return np.asarray(rate - self._base)


def shift_level(view: View, statistic: Statistic, against: Against) -> np.ndarray:
    """Return the input shift of the version that serves, float32 (n,)."""
    level = view[f"serving_{statistic.value}"]
    if against is Against.NEWEST:
        level = level - view[f"newest_{statistic.value}"]
    return level
