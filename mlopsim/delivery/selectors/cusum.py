"""Retraining when a CUSUM chart of the error rate alarms."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from mlopsim.core.registry import register
from mlopsim.core.spec import check_range
from mlopsim.delivery.detection import Detection
from mlopsim.delivery.selectors.trigger import TRIGGER_SPACE
from mlopsim.delivery.space import Choice, Range


@register("selector", "cusum")
@dataclass(kw_only=True)
class Cusum(Detection):
    """Retrain when a one-sided CUSUM of the standardised error rate per window alarms.

    Page 1954: ``S = max(0, S + z - k)``, alarm when ``S > h``, with
    ``z = (errors - m p) / sqrt(m p (1 - p))`` of the m labelled rows of a window. The rate p is
    estimated from the first ``learn`` windows of the version that serves, with one error and one
    right answer added, so that it is never 0 or 1.

    Parameters
    ----------
    k : float, default 0.5
        Allowance in standard deviations of a window's error rate.
    h : float, default 4.0
        Decision limit.
    learn : int, default 2
        Windows from which p is estimated.
    wait, cooldown : int
        Windows between alarm and retrain, and between retrains.

    Examples
    --------
    >>> from mlopsim.checks.toy_deployment import play
    >>> play(Cusum(), 12, error=[0.1] * 6 + [0.3] * 6)
    'kkkkkkkkRkkk'
    """

    k: float = 0.5
    h: float = 4.0
    learn: int = 2

    space: ClassVar[dict[str, Choice]] = {
        **TRIGGER_SPACE,
        "k": Range(0.1, 4.0, log=True),
        "h": Range(0.2, 20.0, log=True),
        "learn": Range(1, 8, integer=True),
    }

    def __post_init__(self) -> None:
        super().__post_init__()
        check_range("selector/cusum.k", self.k, 0.0, 1e6)
        check_range("selector/cusum.h", self.h, 0.0, 1e6)
        check_range("selector/cusum.learn", self.learn, 1, 10_000)

    def begin(self) -> None:
        """Start fresh charts."""
        self._windows = np.zeros(self.n, np.int64)
        self._wrong = np.zeros(self.n, np.int64)
        self._rows = np.zeros(self.n, np.int64)
        self._sum = np.zeros(self.n)

    def restart(self, which: np.ndarray) -> None:
        """Forget rate and sum."""
        for state in (self._windows, self._wrong, self._rows, self._sum):
            state[which] = 0

    def feed(self, errors: np.ndarray, use: np.ndarray) -> np.ndarray:
        """Learn the rate or add to the sum."""
        rows = np.count_nonzero(errors >= 0, axis=1)
        wrong = np.count_nonzero(errors > 0, axis=1)
        learning = use & (self._windows < self.learn)
        chart = use & ~learning
        self._windows += learning
        self._wrong += np.where(learning, wrong, 0)
        self._rows += np.where(learning, rows, 0)
        p = (self._wrong + 1.0) / (self._rows + 2.0)
        z = (wrong - rows * p) / np.sqrt(np.maximum(rows, 1) * p * (1.0 - p))
        self._sum = np.where(chart, np.maximum(0.0, self._sum + z - self.k), self._sum)
        alarm = chart & (self._sum > self.h)
        self._sum = np.where(alarm, 0.0, self._sum)
        return alarm
