"""Retraining when the Page-Hinkley test alarms on the errors of what serves."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import ClassVar

import numpy as np

from mlopsim.core.registry import register
from mlopsim.core.spec import check_range
from mlopsim.delivery.detection import Detection
from mlopsim.delivery.selectors.trigger import TRIGGER_SPACE
from mlopsim.delivery.space import Choice, Range


class Side(Enum):
    """Which changes of the error rate count."""

    UP = "up"
    DOWN = "down"
    BOTH = "both"


@register("selector", "page_hinkley")
@dataclass(kw_only=True)
class PageHinkley(Detection):
    """Retrain when the Page-Hinkley test alarms (1 = error); alarms equal river's.

    Page: Continuous inspection schemes, Biometrika 41, 1954, with a fading factor: the cumulated
    deviation from the running mean, less ``delta``, is more than ``threshold`` above its minimum.

    Parameters
    ----------
    threshold : float, default 15.0
        In errors. river's default of 50 needs hundreds of rows to react.
    delta : float, default 0.005
        Tolerated deviation per row.
    alpha : float, default 0.9999
        Fading factor of the sums.
    min_instances : int, default 30
        Rows before an alarm is possible.
    side : Side, default up
        Rising error rates, falling ones or both (river's default).
    wait, cooldown : int
        See the other triggers: windows between alarm and retrain, and between retrains.

    Examples
    --------
    >>> from mlopsim.checks.toy_deployment import play
    >>> play(PageHinkley(), 12, error=[0.1] * 7 + [0.6] * 5)
    'kkkkkkkkRkkk'
    """

    threshold: float = 15.0
    delta: float = 0.005
    alpha: float = 0.9999
    min_instances: int = 30
    side: Side = Side.UP

    space: ClassVar[dict[str, Choice]] = {
        **TRIGGER_SPACE,
        "threshold": Range(1.0, 100.0, log=True),
        "delta": Range(0.0005, 0.2, log=True),
        "alpha": (0.99, 0.999, 0.9999, 1.0),
        "min_instances": Range(10, 500, log=True, integer=True),
    }

    def __post_init__(self) -> None:
        super().__post_init__()
        self.side = Side(self.side)
        check_range("selector/page_hinkley.threshold", self.threshold, 0.0, 1e9)
        check_range("selector/page_hinkley.delta", self.delta, 0.0, 1.0)
        check_range("selector/page_hinkley.alpha", self.alpha, 0.0, 1.0)
        check_range("selector/page_hinkley.min_instances", self.min_instances, 1, 1e9)

    def begin(self) -> None:
        """Start fresh detectors."""
        self._state = np.empty((self.n, 6))
        self.restart(np.ones(self.n, bool))

    def restart(self, which: np.ndarray) -> None:
        """Forget the rows so far."""
        self._state[which] = [0.0, 0.0, 0.0, 0.0, np.inf, -1.0]

    def feed(self, errors: np.ndarray, use: np.ndarray) -> np.ndarray:
        """Read one window of rows."""
        from mlopsim.delivery.selectors._kernels import page_hinkley

        alarms: np.ndarray = page_hinkley(
            errors,
            use,
            self._state,
            self.min_instances,
            self.delta,
            self.threshold,
            self.alpha,
            self.side is not Side.DOWN,
            self.side is not Side.UP,
        )
        return alarms > 0
