"""Drift detection by McDiarmid's bound, with exponentially weighted means."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np

from mlopsim.core.registry import register
from mlopsim.core.spec import check_range
from mlopsim.drift.compiled import Compiled, Kernel
from mlopsim.drift.confidence_search import confidence_of
from mlopsim.drift.signal import Side, SignalKind


@register("detector", "hddm_w")
@dataclass(kw_only=True)
class HDDM_W(Compiled):
    r"""HDDM with the W-test: the weighted error rate since the cut is above the one before it.

    The cut is the row at which the upper bound of the weighted mean was lowest. The score is minus the log of
    the confidence at which McDiarmid's bound makes the rise significant, 0 if there is none. The cut depends
    on ``delta``, and so does the score.

    With :math:`\lambda` = ``lam`` and :math:`v_n = \lambda^2 + (1 - \lambda)^2 v_{n-1}`, :math:`v_0 = 1`, the
    cut is where :math:`\hat x_n + \sqrt{v_n \log(1/\delta) / 2}` was lowest,
    :math:`\hat x_n = \lambda x_n + (1 - \lambda) \hat x_{n-1}`. With both at the cut (:math:`\hat x`, v) and
    the same of the rows after it (:math:`\hat y`, u), the score is (alarm above :math:`\log(1/\delta)`)

    .. math:: \frac{2 (\hat y - \hat x)^2}{v + u}

    if :math:`\hat y > \hat x`, and 0 else.

    Parameters
    ----------
    delta : float, default 0.001
        Confidence of the bound, in (0, 1].
    lam : float, default 0.05
        Weight of the newest row, in (0, 1].
    side : Side, default up
        Which changes it looks for; ``both`` is river's ``two_sided_test``.

    Notes
    -----
    Use it for gradual rises of errors; ``hddm_a`` weighs all rows alike and is meant for abrupt ones.
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
    >>> HDDM_W().alarms(signal)
    array([212])
    """

    family: ClassVar[str] = "error rate"
    reads: ClassVar[SignalKind] = SignalKind.ERRORS
    limit: ClassVar[str] = "delta"
    space: ClassVar[Mapping[str, tuple[Any, ...]]] = {"lam": (0.01, 0.02, 0.05, 0.1)}
    separable: ClassVar[bool] = False

    delta: float = 0.001
    lam: float = 0.05
    side: Side = Side.UP

    def __post_init__(self) -> None:
        check_range("detector/hddm_w.delta", self.delta, 0.0, 1.0, open_low=True)
        check_range("detector/hddm_w.lam", self.lam, 0.0, 1.0, open_low=True)

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
        return dataclasses.replace(self, delta=confidence_of(_log, threshold, "detector/hddm_w.delta"))

    def kernel(self) -> Kernel:
        """Return the compiled loop."""
        from mlopsim.drift.kernels.hddm_w import run

        return run  # type: ignore[no-any-return]

    def certain(self, signal: Any, rng: np.random.Generator | None = None) -> tuple[bool, float, float]:
        """Return whether a signal has an alarm, and between which thresholds no cut of it changes."""
        from mlopsim.drift.kernels.hddm_w import certain

        alarm, low, high = certain(self.ticks_of(signal), self.params(), self.threshold)
        return bool(alarm), float(low), float(high)

    def params(self) -> np.ndarray:
        """Return log(1 / delta), lam, lam^2, (1 - lam)^2, up, down: the cut needs the confidence."""
        up, down = self.side is not Side.DOWN, self.side is not Side.UP
        return np.array([self.threshold, self.lam, self.lam * self.lam, (1 - self.lam) ** 2, up, down])

    def fresh(self) -> np.ndarray:
        """Return the state before the first row."""
        after = [0.0, 0.0, np.nan, 1.0]
        return np.array([np.nan, 1.0, np.inf, *after, -np.inf, *after])


def _log(delta: float) -> float:
    return math.log(1.0 / delta)
