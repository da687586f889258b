"""Generalised likelihood ratio chart."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from mlopsim.core.registry import register
from mlopsim.core.spec import check_range
from mlopsim.drift.chart import Chart
from mlopsim.drift.compiled import Kernel
from mlopsim.drift.signal import Side


@register("detector", "glr")
@dataclass(kw_only=True)
class GLR(Chart):
    r"""GLR chart of the mean: the likeliest shift of unknown size that began within the last ticks.

    With standardised ticks z the score is

    .. math:: \max_{1 \le j \le \mathrm{window}} \frac{1}{2 j} \left(\sum_{i=n-j+1}^{n} z_i\right)^2

    over those sums whose sign is looked for (``side``).

    Parameters
    ----------
    window : int, default 200
        Ticks back to which a change may lie; the time is linear in it.
    h : float, default 8.0
        Limit.
    side : Side, default both
        Which changes it looks for.
    told, mean, sd, learn
        See :class:`mlopsim.drift.chart.Chart`.

    Notes
    -----
    Use it where the size of the shift is unknown: it needs no k to be chosen. Not for long streams at a large
    ``window`` where a chart would do: each tick costs ``window`` steps.

    References
    ----------
    .. [1] T. L. Lai, "Sequential changepoint detection in quality control and dynamical systems", Journal of
       the Royal Statistical Society B 57, 1995, 613-658. doi:10.1111/j.2517-6161.1995.tb02052.x

    Examples
    --------
    >>> GLR(told="p0", mean=0.0, sd=1.0).alarms(np.r_[np.zeros(10), np.full(10, 2.0)])
    array([14, 19])
    """

    family: ClassVar[str] = "chart"
    effort: ClassVar[float] = 0.2
    limit: ClassVar[str] = "h"
    space: ClassVar[Mapping[str, tuple[Any, ...]]] = {
        "window": (50, 100, 200, 400),
        "learn": (50, 100, 200, 400),
    }

    window: int = 200
    h: float = 8.0
    side: Side = Side.BOTH

    def __post_init__(self) -> None:
        super().__post_init__()
        check_range("detector/glr.window", self.window, 1, 10**6)
        check_range("detector/glr.h", self.h, 0.0, np.inf)

    @property
    def sides(self) -> Side:
        """Which changes it looks for."""
        return self.side

    def kernel(self) -> Kernel:
        """Return the compiled loop."""
        from mlopsim.drift.kernels.glr import run

        return run  # type: ignore[no-any-return]

    def params(self) -> np.ndarray:
        """Return learn, up, down."""
        up, down = self.side is not Side.DOWN, self.side is not Side.UP
        return np.array([self.learn, up, down], dtype=np.float64)

    def zeros(self) -> list[float]:
        """Return ticks and the ring."""
        return [0.0] * (1 + self.window)
