"""Shewhart chart of shares of errors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from mlopsim.core.registry import register
from mlopsim.core.spec import check_range
from mlopsim.drift.chart import Chart
from mlopsim.drift.compiled import Kernel
from mlopsim.drift.forms import Batches
from mlopsim.drift.signal import Side, SignalKind


@register("detector", "p_chart")
@dataclass(kw_only=True)
class PChart(Chart):
    r"""p-chart: the share of errors in batches of ``size`` rows, in binomial standard deviations.

    With the share of errors :math:`\hat p` of a batch, the score is the absolute value (of one side: the
    signed value) of

    .. math:: \frac{\hat p - p_0}{\sqrt{p_0 (1 - p_0) / \mathrm{size}}}

    It is NaN within a batch.

    Parameters
    ----------
    size : int, default 50
        Rows in a batch.
    width : float, default 3.0
        Limit, in standard deviations ``sqrt(p0 (1 - p0) / size)``.
    side : Side, default both
        Which changes it looks for.
    told, mean, sd, learn
        See :class:`mlopsim.drift.chart.Chart`. Of errors sd does not matter here.

    Notes
    -----
    Use it where rows come in batches anyway and a chart must be explained; not for small lasting shifts,
    which ``bernoulli_cusum`` and ``ewma`` add up over batches.

    References
    ----------
    .. [1] D. C. Montgomery, "Introduction to Statistical Quality Control", 7th edition, Wiley, 2012, section
       7.2.

    Examples
    --------
    >>> errors = np.r_[np.tile([1.0, 0.0, 0.0, 0.0], 10), np.ones(20)]
    >>> PChart(size=10, told="p0", mean=0.25, sd=0.5).alarms(errors)
    array([49, 59])
    """

    family: ClassVar[str] = "chart"
    reads: ClassVar[SignalKind] = SignalKind.ERRORS
    limit: ClassVar[str] = "width"
    space: ClassVar[Mapping[str, tuple[Any, ...]]] = {
        "size": (25, 50, 100, 200),
        "learn": (50, 100, 200, 400),
    }

    size: int = 50
    width: float = 3.0
    side: Side = Side.BOTH

    def __post_init__(self) -> None:
        super().__post_init__()
        check_range("detector/p_chart.size", self.size, 1, 10**9)
        check_range("detector/p_chart.width", self.width, 0.0, np.inf)

    @property
    def sides(self) -> Side:
        """Which changes it looks for."""
        return self.side

    def form(self) -> Batches:
        """Return what it computes, for exact run lengths."""
        return Batches(size=self.size, width=self.width, side=self.side, mean=self.mean)

    def kernel(self) -> Kernel:
        """Return the compiled loop."""
        from mlopsim.drift.kernels.p_chart import run

        return run  # type: ignore[no-any-return]

    def params(self) -> np.ndarray:
        """Return learn, size, up, down."""
        up, down = self.side is not Side.DOWN, self.side is not Side.UP
        return np.array([self.learn, self.size, up, down], dtype=np.float64)

    def zeros(self) -> list[float]:
        """Return rows and errors in the batch."""
        return [0.0, 0.0]
