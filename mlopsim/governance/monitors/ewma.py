"""EWMA chart of a rate."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mlopsim.core.registry import register
from mlopsim.core.spec import check_range
from mlopsim.drift.signal import Known
from mlopsim.governance.monitoring.sequential import Sequential

if TYPE_CHECKING:
    from mlopsim.drift.detectors.ewma import EWMA


@register("monitor", "ewma")
@dataclass(kw_only=True)
class Ewma(Sequential):
    r"""EWMA of a rate: a moving average over the z of a p-chart, in its own deviations so far.

    The loop is that of ``detector/ewma``. Small lasting changes are found sooner than by a p-chart.

    With :math:`\lambda` = ``lam`` and :math:`e_0 = 0`, the score is :math:`|e_t| / s_t`:

    .. math::

        e_t = (1 - \lambda) e_{t-1} + \lambda z_t, \qquad
        s_t^2 = \frac{\lambda}{2 - \lambda} \left(1 - (1 - \lambda)^{2t}\right)

    Parameters
    ----------
    lam : float, default 0.2
        Weight of the newest window.
    rate, by, side
        See :class:`mlopsim.governance.monitoring.rate_chart.RateChart`.

    Notes
    -----
    Use it for small lasting changes of a rate; not for one bad window, which ``p_chart`` sees at once.

    References
    ----------
    .. [1] S. W. Roberts, "Control chart tests based on geometric moving averages", Technometrics 1, 1959,
       239-250. doi:10.1080/00401706.1959.10489860

    Examples
    --------
    >>> import numpy as np
    >>> from mlopsim.governance.monitoring.in_control import law
    >>> told = law(base=(0.5,), recall=(0.8,), false_positive_rate=(0.2,), rows=(100,)).reference()
    >>> counts = np.tile([[38, 12], [12, 38]], (1, 4, 1, 1, 1))
    >>> Ewma().scores(counts, told).round(2)
    array([[[1.  , 1.41, 1.7 , 1.94]]])
    """

    lam: float = 0.2

    def __post_init__(self) -> None:
        check_range("monitor/ewma.lam", self.lam, 0.0, 1.0, open_low=True)

    def detector(self) -> EWMA:
        """Return the chart, with the exact standard deviation after each window."""
        from mlopsim.drift.detectors.ewma import EWMA

        return EWMA(lam=self.lam, exact=True, side=self.side, told=Known.P0, mean=0.0, sd=1.0)
