"""Drift detection by Hoeffding's bound, with running means."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np

from mlopsim.core.registry import register
from mlopsim.core.spec import check_range
from mlopsim.drift.compiled import Compiled, Kernel
from mlopsim.drift.confidence_search import confidence_of
from mlopsim.drift.signal import Side, SignalKind


@register("detector", "hddm_a")
@dataclass(kw_only=True)
class HDDM_A(Compiled):
    r"""HDDM with the A-test: the error rate has risen since the row at which its upper bound was lowest.

    The score is minus the log of the confidence at which Hoeffding's bound makes the rise significant, 0 if
    there is none. The row that is compared with (the cut) depends on ``delta``, and so does the score.

    With mean :math:`\bar x_n` of n rows and :math:`\bar x_c` of the first c, the cut c at which
    :math:`\bar x_c + \sqrt{\log(1/\delta) / (2 c)}` was lowest, the score is (alarm above
    :math:`\log(1/\delta)`)

    .. math::

        \max\left(0, \frac{2 (\bar x_n - \bar x_c)^2}{m} - \log 2\right), \qquad m = \frac{1}{c} - \frac{1}{n}

    if the mean has risen, and 0 else.

    Parameters
    ----------
    delta : float, default 0.001
        Confidence of the bound, in (0, 1].
    side : Side, default up
        Which changes it looks for; ``both`` is river's ``two_sided_test``.

    Notes
    -----
    Use it for abrupt rises of errors; ``hddm_w`` weighs new rows more and is meant for gradual ones.
    ``delta`` is the level of one test, not a run length. Alarms equal river's.

    References
    ----------
    .. [1] I. Frías-Blanco, J. del Campo-Ávila, G. Ramos-Jiménez, R. Morales-Bueno, A. Ortiz-Díaz and Y.
       Caballero-Mota, "Online and non-parametric drift detection methods based on Hoeffding's bounds",
       IEEE Transactions on Knowledge and Data Engineering 27, 2015, 810-823.
       doi:10.1109/TKDE.2014.2345382

    Examples
    --------
    >>> import numpy as np
    >>> signal = np.r_[np.tile([0.0, 0.0, 0.0, 0.0, 1.0], 40), np.ones(20)]
    >>> HDDM_A().alarms(signal)
    array([205])
    """

    family: ClassVar[str] = "error rate"
    reads: ClassVar[SignalKind] = SignalKind.ERRORS
    limit: ClassVar[str] = "delta"
    separable: ClassVar[bool] = False

    delta: float = 0.001
    side: Side = Side.UP

    def __post_init__(self) -> None:
        check_range("detector/hddm_a.delta", self.delta, 0.0, 1.0, open_low=True)

    @property
    def sides(self) -> Side:
        """Which changes it looks for."""
        return self.side

    @property
    def threshold(self) -> float:
        """What the score must exceed: ``log(1 / delta)``."""
        return _log(self.delta)

    def limited(self, threshold: float) -> Self:
        """Return this detector with the confidence that gives this threshold."""
        return dataclasses.replace(self, delta=confidence_of(_log, threshold, "detector/hddm_a.delta"))

    def kernel(self) -> Kernel:
        """Return the compiled loop."""
        from mlopsim.drift.kernels.hddm_a import run

        return run  # type: ignore[no-any-return]

    def certain(self, signal: Any, rng: np.random.Generator | None = None) -> tuple[bool, float, float]:
        """Return whether a signal has an alarm, and between which thresholds no cut of it changes."""
        from mlopsim.drift.kernels.hddm_a import certain

        alarm, low, high = certain(self.ticks_of(signal), self.params(), self.threshold)
        return bool(alarm), float(low), float(high)

    def params(self) -> np.ndarray:
        """Return log(1 / delta), log(2 / delta), up, down: the cut needs the confidence."""
        up, down = self.side is not Side.DOWN, self.side is not Side.UP
        return np.array([self.threshold, math.log(2.0 / self.delta), up, down])

    def fresh(self) -> np.ndarray:
        """Return zeros."""
        return np.zeros(8)


def _log(delta: float) -> float:
    return math.log(1.0 / delta)
