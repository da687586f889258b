"""Shewhart chart of a rate, with the limits of each window's own rows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mlopsim.core.registry import register
from mlopsim.governance.monitoring.rate_chart import Counted, WindowChart, binomial_scores


@register("monitor", "p_chart")
@dataclass(kw_only=True)
class PChart(WindowChart):
    r"""p-chart: the rate of a window in standard deviations of so many rows.

    With k of n rows and the level p in control,

    .. math:: z = \frac{k / n - p}{\sqrt{p (1 - p) (1 + (n - 1) \rho) / n}}

    where :math:`\rho` is that of the reference: 0 is the customary chart.

    Parameters
    ----------
    rate, by, side, tolerance, impact
        See :class:`mlopsim.governance.monitoring.rate_chart.WindowChart`.

    Notes
    -----
    Use it for large sudden changes of a rate; ``ewma`` and ``cusum`` add small ones up.

    References
    ----------
    .. [1] D. C. Montgomery, "Introduction to Statistical Quality Control", 7th edition, Wiley, 2012, section
       7.2.
    .. [2] W. H. Woodall and F. W. Faltin, "Rethinking control chart design and evaluation", Quality
       Engineering 31, 2019, 596-605 (tolerance).

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
