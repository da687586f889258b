"""CUSUM chart of standardised ticks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from mlopsim.core.registry import register
from mlopsim.core.spec import check_range
from mlopsim.drift.chart import Chart
from mlopsim.drift.compiled import Kernel
from mlopsim.drift.forms import Cusum
from mlopsim.drift.signal import Side


@register("detector", "cusum")
@dataclass(kw_only=True)
class CUSUM(Chart):
    r"""CUSUM chart: the sum of what standardised ticks exceed an allowance by; two of them look both ways.

    With :math:`z_t = (x_t - \mu) / \sigma`, alarm when the larger of the sums that are looked at exceeds h:

    .. math:: S_t^+ = \max(0, S_{t-1}^+ + z_t - k), \qquad S_t^- = \max(0, S_{t-1}^- - z_t - k)

    Parameters
    ----------
    k : float, default 0.5
        Allowance, half of the shift to find, in standard deviations.
    h : float, default 5.0
        Decision limit.
    side : Side, default both
        Which changes it looks for.
    told, mean, sd, learn
        See :class:`mlopsim.drift.chart.Chart`.

    Notes
    -----
    Use it for small lasting shifts of a mean, with k half of the shift. A single large value is what
    ``shewhart`` is for.

    References
    ----------
    .. [1] E. S. Page, "Continuous inspection schemes", Biometrika 41, 1954, 100-115.
       doi:10.1093/biomet/41.1-2.100

    Examples
    --------
    >>> import numpy as np
    >>> signal = np.r_[np.zeros(10), np.ones(10)]
    >>> from mlopsim.drift.signal import Known
    >>> CUSUM(told=Known.P0, mean=0.0, sd=1.0, h=2.0).alarms(signal)
    array([14, 19])
    """

    family: ClassVar[str] = "chart"
    limit: ClassVar[str] = "h"
    space: ClassVar[Mapping[str, tuple[Any, ...]]] = {
        "k": (0.1, 0.25, 0.5, 1.0),
        "learn": (50, 100, 200, 400),
        "side": (Side.UP, Side.BOTH),
    }

    k: float = 0.5
    h: float = 5.0
    side: Side = Side.BOTH

    def __post_init__(self) -> None:
        super().__post_init__()
        check_range("detector/cusum.k", self.k, 0.0, 1e6)
        check_range("detector/cusum.h", self.h, 0.0, np.inf)

    @property
    def sides(self) -> Side:
        """Which changes it looks for."""
        return self.side

    def form(self) -> Cusum:
        """Return what it computes, for exact run lengths."""
        return Cusum(k=self.k, h=self.h, side=self.side)

    def kernel(self) -> Kernel:
        """Return the compiled loop."""
        from mlopsim.drift.kernels.cusum import run

        return run  # type: ignore[no-any-return]

    def params(self) -> np.ndarray:
        """Return learn, k, up, down."""
        up, down = self.side is not Side.DOWN, self.side is not Side.UP
        return np.array([self.learn, self.k, up, down], dtype=np.float64)

    def zeros(self) -> list[float]:
        """Return the two sums."""
        return [0.0, 0.0]
