"""Page-Hinkley test."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from mlopsim.core.registry import register
from mlopsim.core.spec import check_range
from mlopsim.drift.compiled import Compiled, Kernel
from mlopsim.drift.signal import Side


@register("detector", "page_hinkley")
@dataclass(kw_only=True)
class PageHinkley(Compiled):
    r"""Page-Hinkley test: the sum of deviations from the running mean, against its extreme so far.

    With the running mean :math:`\bar x_t`, :math:`\alpha` = ``alpha`` and :math:`\delta` = ``delta``, the
    score is the larger of :math:`m_t - \min m` and :math:`\max M - M_t` (of one side: that one), with the
    extremes so far:

    .. math::

        m_t = \alpha m_{t-1} + x_t - \bar x_t - \delta, \qquad M_t = \alpha M_{t-1} + x_t - \bar x_t + \delta

    Parameters
    ----------
    h : float, default 50.0
        Limit (river's ``threshold``).
    delta : float, default 0.005
        Deviation that is tolerated.
    alpha : float, default 0.9999
        Factor by which the sums are forgotten.
    warm_start : int, default 30
        Ticks before the score is defined (river's ``min_instances``).
    side : Side, default both
        Which changes it looks for.

    Notes
    -----
    Use it for values or errors whose mean before the change is not known. ``h`` is in the units of the
    signal, so a limit does not carry over from one signal to another. Alarms equal river's.

    References
    ----------
    .. [1] E. S. Page, "Continuous inspection schemes", Biometrika 41, 1954, 100-115.
       doi:10.1093/biomet/41.1-2.100
    .. [2] R. Sebastião and J. M. Fernandes, "Supporting the Page-Hinkley test with empirical mode
       decomposition for change detection", ISMIS, 2017, 492-498.

    Examples
    --------
    >>> PageHinkley(h=5.0).alarms(np.r_[np.zeros(50), np.ones(20)])
    array([55])
    """

    family: ClassVar[str] = "chart"
    limit: ClassVar[str] = "h"
    space: ClassVar[Mapping[str, tuple[Any, ...]]] = {
        "delta": (0.001, 0.005, 0.02, 0.05),
        "alpha": (0.99, 0.999, 0.9999, 1.0),
        "side": (Side.UP, Side.BOTH),
    }

    h: float = 50.0
    delta: float = 0.005
    alpha: float = 0.9999
    warm_start: int = 30
    side: Side = Side.BOTH

    def __post_init__(self) -> None:
        check_range("detector/page_hinkley.h", self.h, 0.0, np.inf)
        check_range("detector/page_hinkley.delta", self.delta, 0.0, 1e300)
        check_range("detector/page_hinkley.alpha", self.alpha, 0.0, 1.0)
        check_range("detector/page_hinkley.warm_start", self.warm_start, 1, 10**9)

    @property
    def sides(self) -> Side:
        """Which changes it looks for."""
        return self.side

    def kernel(self) -> Kernel:
        """Return the compiled loop."""
        from mlopsim.drift.kernels.page_hinkley import run

        return run  # type: ignore[no-any-return]

    def params(self) -> np.ndarray:
        """Return warm_start, delta, alpha, up, down."""
        up, down = self.side is not Side.DOWN, self.side is not Side.UP
        return np.array([self.warm_start, self.delta, self.alpha, up, down], dtype=np.float64)

    def fresh(self) -> np.ndarray:
        """Return n, mean, rise, fall, lowest rise, highest fall."""
        return np.array([0.0, 0.0, 0.0, 0.0, np.inf, -1.0])
