"""Retraining when ADWIN alarms on the errors of what serves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from mlopsim.core.registry import register
from mlopsim.core.spec import check_range
from mlopsim.delivery.detection import Detection
from mlopsim.delivery.selectors.trigger import TRIGGER_SPACE
from mlopsim.delivery.space import Choice, Range

#: capacity of a level, as in the paper's M and river's default
BUCKETS = 5


@register("selector", "adwin")
@dataclass(kw_only=True)
class Adwin(Detection):
    """Retrain when ADWIN alarms (1 = error); its alarms equal river's.

    Bifet and Gavalda: Learning from time-changing data with adaptive windowing, SDM 2007: alarm when
    some cut of the adaptive window leaves two parts whose means differ by more than a bound.

    Parameters
    ----------
    delta : float, default 0.002
        Confidence of the bound; larger alarms sooner.
    clock : int, default 32
        Rows between tests.
    rising : bool, default True
        Whether only alarms with a higher error rate in the newer part lead to a retrain.
    wait, cooldown : int
        See the other triggers: windows between alarm and retrain, and between retrains.

    Examples
    --------
    >>> from mlopsim.checks.toy_deployment import play
    >>> play(Adwin(), 12, error=[0.1] * 7 + [0.8] * 5)
    'kkkkkkkkRkkk'
    """

    delta: float = 0.002
    clock: int = 32
    rising: bool = True

    space: ClassVar[dict[str, Choice]] = {
        **TRIGGER_SPACE,
        "delta": Range(1e-6, 0.9, log=True),
        "clock": (4, 8, 16, 32),
        "rising": (False, True),
    }

    def __post_init__(self) -> None:
        super().__post_init__()
        check_range("selector/adwin.delta", self.delta, 0.0, 1.0, open_low=True)
        check_range("selector/adwin.clock", self.clock, 1, 1e9)

    def begin(self) -> None:
        """Start fresh detectors."""
        from mlopsim.delivery.selectors._kernels import ADWIN_COLUMNS, ADWIN_LEVELS

        self._scalars = np.zeros((self.n, ADWIN_COLUMNS))
        self._counts = np.zeros((self.n, ADWIN_LEVELS), np.int64)
        self._totals = np.zeros((self.n, ADWIN_LEVELS, BUCKETS + 1))
        self._variances = np.zeros((self.n, ADWIN_LEVELS, BUCKETS + 1))
        self._rises = np.zeros(self.n, np.int64)

    def restart(self, which: np.ndarray) -> None:
        """Forget the rows so far."""
        self._scalars[which] = 0.0
        self._counts[which] = 0

    def feed(self, errors: np.ndarray, use: np.ndarray) -> np.ndarray:
        """Read one window of rows."""
        from mlopsim.delivery.selectors._kernels import adwin

        alarms: np.ndarray = adwin(
            errors,
            use,
            self._scalars,
            self._counts,
            self._totals,
            self._variances,
            self.delta,
            self.clock,
            BUCKETS,
            5,  # shortest part that is compared, river's default
            10,  # rows before the first test, river's default
            self._rises,
        )
        return (self._rises if self.rising else alarms) > 0
