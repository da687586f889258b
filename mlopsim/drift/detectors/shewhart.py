"""Shewhart chart of individual ticks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from mlopsim.core.registry import register
from mlopsim.core.spec import check_range
from mlopsim.drift.chart import Chart
from mlopsim.drift.compiled import Kernel
from mlopsim.drift.forms import Individual
from mlopsim.drift.signal import Side


@register("detector", "shewhart")
@dataclass(kw_only=True)
class Shewhart(Chart):
    r"""Shewhart chart: alarm when one tick lies more than ``width`` standard deviations from the mean.

    The score is :math:`|x_t - \mu| / \sigma` (of one side: :math:`\pm (x_t - \mu) / \sigma`), and an alarm is
    a score above ``width``.

    Parameters
    ----------
    width : float, default 3.0
        Limit, in standard deviations.
    side : Side, default both
        Which changes it looks for.
    told, mean, sd, learn
        See :class:`mlopsim.drift.chart.Chart`.

    Notes
    -----
    Use it for large shifts and single outliers; not for small lasting shifts, which ``cusum`` and ``ewma``
    add up.

    References
    ----------
    .. [1] W. A. Shewhart, "Economic Control of Quality of Manufactured Product", Van Nostrand, 1931.

    Examples
    --------
    >>> Shewhart(told="p0", mean=0.0, sd=1.0).alarms([0.0, 2.9, -3.1, 0.0])
    array([2])
    """

    family: ClassVar[str] = "chart"
    limit: ClassVar[str] = "width"
    space: ClassVar[Mapping[str, tuple[Any, ...]]] = {"learn": (50, 100, 200, 400)}

    width: float = 3.0
    side: Side = Side.BOTH

    def __post_init__(self) -> None:
        super().__post_init__()
        check_range("detector/shewhart.width", self.width, 0.0, np.inf)

    @property
    def sides(self) -> Side:
        """Which changes it looks for."""
        return self.side

    def form(self) -> Individual:
        """Return what it computes, for exact run lengths."""
        return Individual(width=self.width, side=self.side)

    def kernel(self) -> Kernel:
        """Return the compiled loop."""
        from mlopsim.drift.kernels.shewhart import run

        return run  # type: ignore[no-any-return]

    def params(self) -> np.ndarray:
        """Return learn, up, down."""
        up, down = self.side is not Side.DOWN, self.side is not Side.UP
        return np.array([self.learn, up, down], dtype=np.float64)

    def zeros(self) -> list[float]:
        """Return nothing."""
        return []
