"""CUSUM chart of a rate."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from mlopsim.core.registry import register
from mlopsim.core.spec import check_range
from mlopsim.drift.signal import Known
from mlopsim.governance.monitoring.sequential import Sequential

if TYPE_CHECKING:
    from mlopsim.drift.detectors.cusum import CUSUM


@register("monitor", "cusum")
@dataclass(kw_only=True)
class Cusum(Sequential):
    r"""CUSUM of a rate: the sum of what the z of a p-chart exceed an allowance by, and its mirror image.

    The loop is that of ``detector/cusum``. A sum is no normal number: its limit is found by simulation.

    .. math:: s_t^+ = \max(0, s_{t-1}^+ + z_t - k), \qquad s_t^- = \max(0, s_{t-1}^- - z_t - k)

    Parameters
    ----------
    k : float, default 0.5
        Allowance in standard deviations of a window: smaller changes do not add up.
    rate, by, side
        See :class:`mlopsim.governance.monitoring.rate_chart.RateChart`.

    Notes
    -----
    Use it for small lasting changes of a rate; not for one bad window, which ``p_chart`` sees at once.

    References
    ----------
    .. [1] E. S. Page, "Continuous inspection schemes", Biometrika 41, 1954, 100-115.
       doi:10.1093/biomet/41.1-2.100

    Examples
    --------
    >>> import numpy as np
    >>> from mlopsim.governance.monitoring.in_control import law
    >>> told = law(base=(0.5,), recall=(0.8,), false_positive_rate=(0.2,), rows=(100,)).reference()
    >>> counts = np.tile([[38, 12], [12, 38]], (1, 4, 1, 1, 1))
    >>> Cusum().scores(counts, told).round(2)
    array([[[0.5, 1. , 1.5, 2. ]]])
    """

    normal: ClassVar[bool] = False

    k: float = 0.5

    def __post_init__(self) -> None:
        check_range("monitor/cusum.k", self.k, 0.0, 1e6)

    def detector(self) -> CUSUM:
        """Return the chart."""
        from mlopsim.drift.detectors.cusum import CUSUM

        return CUSUM(k=self.k, side=self.side, told=Known.P0, mean=0.0, sd=1.0)
