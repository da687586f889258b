"""Laney's p' chart."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from mlopsim.core.errors import DataError
from mlopsim.core.registry import register
from mlopsim.core.spec import check_range
from mlopsim.drift.signal import Side
from mlopsim.governance.monitoring.normal_scores import sided
from mlopsim.governance.monitoring.rate_chart import Counted, WindowChart, binomial_scores, tally
from mlopsim.governance.monitoring.reference import Reference

#: mean range of two standard normal numbers, d2 = 1.128
RANGE_OF_TWO = 2.0 / math.sqrt(math.pi)


@register("monitor", "laney")
@dataclass(kw_only=True)
class Laney(WindowChart):
    r"""Laney's p' chart: a p-chart whose limits are as wide as windows really differ.

    With the binomial z of ``p_chart`` and those of the m windows of phase I, the score is

    .. math::

        \frac{z_t}{\sigma_z}, \qquad \sigma_z = \frac{1}{d_2 (m - 1)} \sum_{i=2}^{m} |z_i - z_{i-1}|, \qquad
        d_2 = \frac{2}{\sqrt{\pi}}

    Of equal windows with intraclass correlation :math:`\rho`, :math:`\sigma_z` estimates
    :math:`\sqrt{1 + (n - 1) \rho}`. A phase I that drifts already widens the limits, and hides the drift:
    where a law in control is known, take a p-chart that is told its rho.

    Parameters
    ----------
    rate, by, side, tolerance, impact
        See :class:`mlopsim.governance.monitoring.rate_chart.WindowChart`.
    sigma : float or None
        sigma_z of all its charts, where it is known; by default it is estimated from the windows of phase I.

    Notes
    -----
    Use it where large windows make every p-chart alarm.

    References
    ----------
    .. [1] D. B. Laney, "Improved control charts for attributes", Quality Engineering 14, 2002, 531-537.
       doi:10.1081/QEN-120003555

    Examples
    --------
    >>> from mlopsim.governance.monitoring.reference import estimated
    >>> right = np.array([40, 60, 40, 60])
    >>> windows = np.stack([right, 50 - right // 2, 50 - right // 2, 0 * right], -1).reshape(1, 4, 1, 2, 2)
    >>> Laney().sigma_z(estimated(windows)).round(3)
    array([[3.545]])
    """

    sigma: float | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.sigma is not None:
            check_range("monitor/laney.sigma", self.sigma, 0.0, 1e6, open_low=True)

    def sigma_z(self, reference: Reference) -> np.ndarray:
        """Return how much wider than binomial the windows of phase I differ, float64 (N, K).

        Raises
        ------
        DataError
            If the reference has no windows of phase I.
        """
        windows = reference.windows
        if windows is None or windows.shape[1] < 2:
            raise DataError(
                "monitor/laney needs the windows of phase I, two or more",
                remedy="estimate the reference from windows, or give sigma",
            )
        binomial = Reference(cells=reference.cells, rho=np.zeros(1))
        found = tally(windows, self.rate, self.by).beside(binomial)
        z = binomial_scores(found, found.level, Side.UP)
        ranges = np.abs(np.diff(z, axis=1))
        known = ~np.isnan(ranges)
        total = np.where(known, ranges, 0.0).sum(axis=1)
        with np.errstate(invalid="ignore", divide="ignore"):
            mean: np.ndarray = total / known.sum(axis=1) / RANGE_OF_TWO
        return mean

    def on(self, counts: np.ndarray) -> Callable[[Reference], np.ndarray]:
        """Return what gives the scores on these counts, which are counted once."""
        binomial = super().on(counts)

        def scores(reference: Reference) -> np.ndarray:
            plain = binomial(Reference(cells=reference.cells, rho=np.zeros(1)))
            if self.sigma is not None:
                return plain / self.sigma
            sigma = self.sigma_z(reference)[..., None]
            # windows that do not differ at all say nothing of how much they do
            return np.where(sigma > 0.0, plain / np.where(sigma > 0.0, sigma, 1.0), np.nan)

        return scores

    def score(self, found: Counted, nearest: np.ndarray) -> np.ndarray:
        """Return the binomial scores against these levels."""
        return sided(binomial_scores(found, nearest, Side.UP), self.side)
