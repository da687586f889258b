"""EWMA chart of standardised ticks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from mlopsim.core.registry import register
from mlopsim.core.spec import check_range
from mlopsim.drift.chart import Chart
from mlopsim.drift.compiled import Kernel
from mlopsim.drift.forms import Ewma
from mlopsim.drift.signal import Side


@register("detector", "ewma")
@dataclass(kw_only=True)
class EWMA(Chart):
    r"""EWMA chart: a moving average that forgets, alarm when it exceeds ``width`` of its standard deviations.

    With :math:`z_t = (x_t - \mu) / \sigma` and :math:`\lambda` = ``lam``, from :math:`e_0 = 0`, the score is
    :math:`|e_t| / s` (of one side: :math:`\pm e_t / s`):

    .. math::

        e_t = (1 - \lambda) e_{t-1} + \lambda z_t, \qquad s^2 = \frac{\lambda}{2 - \lambda}
        \left(1 - (1 - \lambda)^{2t}\right)

    the last factor only with ``exact``.

    Parameters
    ----------
    lam : float, default 0.1
        Weight of the newest tick.
    width : float, default 2.7
        Limit, in standard deviations of e.
    exact : bool, default False
        Whether these are those after so many ticks, or those that they settle at,
        ``sqrt(lam / (2 - lam))``.
    side : Side, default both
        Which changes it looks for.
    told, mean, sd, learn
        See :class:`mlopsim.drift.chart.Chart`.

    Notes
    -----
    Use it for lasting shifts of a mean, a small ``lam`` for small ones. A single large value is what
    ``shewhart`` is for.

    References
    ----------
    .. [1] S. W. Roberts, "Control chart tests based on geometric moving averages", Technometrics 1, 1959,
       239-250. doi:10.1080/00401706.1959.10489860
    .. [2] J. M. Lucas and M. S. Saccucci, "Exponentially weighted moving average control schemes: properties
       and enhancements", Technometrics 32, 1990, 1-12. doi:10.1080/00401706.1990.10484583

    Examples
    --------
    >>> EWMA(told="p0", mean=0.0, sd=1.0).alarms(np.r_[np.zeros(10), np.ones(20)])
    array([19, 29])
    """

    family: ClassVar[str] = "chart"
    limit: ClassVar[str] = "width"
    space: ClassVar[Mapping[str, tuple[Any, ...]]] = {
        "lam": (0.02, 0.05, 0.1, 0.2),
        "learn": (50, 100, 200, 400),
    }

    lam: float = 0.1
    width: float = 2.7
    exact: bool = False
    side: Side = Side.BOTH

    def __post_init__(self) -> None:
        super().__post_init__()
        check_range("detector/ewma.lam", self.lam, 0.0, 1.0, open_low=True)
        check_range("detector/ewma.width", self.width, 0.0, np.inf)

    @property
    def sides(self) -> Side:
        """Which changes it looks for."""
        return self.side

    def form(self) -> Ewma | None:
        """Return what it computes, for exact run lengths."""
        # limits that widen with the first ticks have no settled law
        if self.exact:
            return None
        return Ewma(lam=self.lam, width=self.width, side=self.side)

    def kernel(self) -> Kernel:
        """Return the compiled loop."""
        from mlopsim.drift.kernels.ewma import run

        return run  # type: ignore[no-any-return]

    def params(self) -> np.ndarray:
        """Return learn, lam, exact, up, down."""
        up, down = self.side is not Side.DOWN, self.side is not Side.UP
        return np.array([self.learn, self.lam, self.exact, up, down], dtype=np.float64)

    def zeros(self) -> list[float]:
        """Return average and the variance's factor."""
        return [0.0, 0.0]
