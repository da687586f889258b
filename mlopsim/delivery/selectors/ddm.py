"""Retraining when DDM alarms on the errors of what serves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from mlopsim.core.registry import register
from mlopsim.core.spec import check_range
from mlopsim.delivery.detection import Detection
from mlopsim.delivery.selectors.trigger import TRIGGER_SPACE
from mlopsim.delivery.space import Choice, Range


@register("selector", "ddm")
@dataclass(kw_only=True)
class Ddm(Detection):
    """Retrain when the Drift Detection Method alarms (1 = error); alarms equal river's.

    Gama, Medas, Castillo, Rodrigues: Learning with drift detection, SBIA 2004: alarm when
    ``p + s > p_min + threshold * s_min`` with the running error rate p and ``s = sqrt(p (1 - p) / n)``.

    Parameters
    ----------
    threshold : float, default 3.0
        Drift threshold in standard deviations.
    warm_start : int, default 30
        Rows before an alarm is possible.
    wait, cooldown : int
        See the other triggers: windows between alarm and retrain, and between retrains.

    Examples
    --------
    >>> from mlopsim.checks.toy_deployment import play
    >>> play(Ddm(), 12, error=[0.1] * 7 + [0.5] * 5)
    'kkkkkkkRkkkk'
    """

    threshold: float = 3.0
    warm_start: int = 30

    space: ClassVar[dict[str, Choice]] = {
        **TRIGGER_SPACE,
        "threshold": Range(0.5, 8.0, log=True),
        "warm_start": Range(10, 500, log=True, integer=True),
    }

    def __post_init__(self) -> None:
        super().__post_init__()
        check_range("selector/ddm.threshold", self.threshold, 0.0, 1e6)
        check_range("selector/ddm.warm_start", self.warm_start, 1, 1e9)

    def begin(self) -> None:
        """Start fresh detectors."""
        self._state = np.empty((self.n, 4))
        self.restart(np.ones(self.n, bool))

    def restart(self, which: np.ndarray) -> None:
        """Forget the rows so far."""
        self._state[which] = [0.0, 0.0, np.inf, np.inf]

    def feed(self, errors: np.ndarray, use: np.ndarray) -> np.ndarray:
        """Read one window of rows."""
        from mlopsim.delivery.selectors._kernels import ddm

        alarms: np.ndarray = ddm(errors, use, self._state, self.warm_start, self.threshold)
        return alarms > 0
