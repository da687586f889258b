"""Shewhart chart of a rate, with the limits of each window's own rows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mlopsim.core.registry import register
from mlopsim.governance.monitoring.rate_chart import Counted, WindowChart, binomial_scores


@register("monitor", "p_chart")
@dataclass(kw_only=True)
class PChart(WindowChart):
    """p-chart: the rate of a window in standard deviations of so many rows.

    ``z = (k / n - p) / sqrt(p (1 - p) (1 + (n - 1) rho) / n)``, where rho is that of the reference: 0 is the
    customary chart.

    Parameters
    ----------
    rate, by, side, tolerance, impact
        See :class:`mlopsim.governance.monitoring.rate_chart.WindowChart`.

    References
    ----------
    Montgomery (2012), *Introduction to Statistical Quality Control*, section 7.2.3 (samples of different
    sizes); Woodall and Faltin (2019), *Rethinking control chart design and evaluation*, Quality Engineering
    31, 596-605 (tolerance).

    Examples
    --------
    >>> from mlopsim.governance.monitoring.in_control import law
    >>> told = law(base=(0.5,), recall=(0.8,), false_positive_rate=(0.2,), rows=(100,)).reference()
    >>> counts = np.array([[[[40, 10], [10, 40]]], [[[35, 15], [15, 35]]], [[[0, 0], [0, 0]]]])[None]
    >>> PChart().scores(counts, told)
    array([[[0. , 2.5, nan]]])
    >>> PChart(tolerance=0.05).scores(counts, told).round(3), PChart(impact=0.1).scores(counts, told)
    (array([[[0.   , 1.155,   nan]]]), array([[[ 0.,  0., nan]]]))
    """

    def score(self, found: Counted, nearest: np.ndarray) -> np.ndarray:
        """Return the scores against these levels."""
        return binomial_scores(found, nearest, self.side)
