"""Exact chart of F1."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mlopsim.core.registry import register
from mlopsim.governance.monitoring.rate_chart import Counted, WindowChart, exact_scores
from mlopsim.governance.monitoring.rates import Rate


@register("monitor", "f1_chart")
@dataclass(kw_only=True)
class F1Chart(WindowChart):
    r"""Exact chart of F1 by binomial tails, given the rows that are or are called 1.

    .. math::

        J = \frac{\mathrm{TP}}{\mathrm{TP} + \mathrm{FP} + \mathrm{FN}}, \qquad
        F_1 = \frac{2 J}{1 + J}, \qquad
        \mathrm{score} = \Phi^{-1}(1 - p)

    with the smaller tail p of J's law (at most 1/2; of one side, its own). F1 rises with J, so that a chart
    of one is a chart of the other; given TP + FP + FN = n' rows, TP is binomial (beta-binomial if the
    reference says so; of all rows together where groups are correlated: a beta-binomial of the right
    variance). Any other rate has its exact chart here, too.

    Parameters
    ----------
    rate : Rate, default f1
        What is charted.
    by, side, tolerance, impact
        See :class:`mlopsim.governance.monitoring.rate_chart.WindowChart`; tolerance and impact are of F1.

    Notes
    -----
    Use it where windows have few rows of class 1 and the normal law of ``p_chart`` is far off.

    Examples
    --------
    >>> from mlopsim.governance.monitoring.in_control import law
    >>> told = law(base=(0.5,), recall=(0.8,), false_positive_rate=(0.2,), rows=(100,)).reference()
    >>> float(F1Chart().rate.shown(told.levels(Rate.F1)[0][0, 0]).round(6))
    0.8
    >>> counts = np.array([[[[40, 10], [10, 40]]], [[[35, 15], [15, 35]]]])[None]
    >>> F1Chart().scores(counts, told).round(3)
    array([[[0.   , 2.025]]])
    """

    rate: Rate = Rate.F1

    def score(self, found: Counted, nearest: np.ndarray) -> np.ndarray:
        """Return the scores against these levels."""
        return exact_scores(found, nearest, self.side)
