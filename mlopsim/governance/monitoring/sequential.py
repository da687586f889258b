"""Charts with a memory: a detector of standardised numbers over the scores of a p-chart."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from mlopsim.drift.chart import Chart as StandardisedChart
from mlopsim.drift.signal import Side
from mlopsim.governance.monitoring.rate_chart import RateChart, binomial_scores
from mlopsim.governance.monitoring.reference import Reference


@dataclass(kw_only=True)
class Sequential(RateChart):
    """Base of charts that a detector of the drift room computes, from each window's ``z`` of a p-chart.

    It is read as if nothing were ever an alarm; windows without rows are left out. Where the reference is
    based anew on a version the memory goes on.

    Parameters
    ----------
    rate, by, side
        See :class:`mlopsim.governance.monitoring.rate_chart.RateChart`.
    """

    memory: ClassVar[bool] = True

    def detector(self) -> StandardisedChart:
        """Return the chart, which is told mean 0 and standard deviation 1."""
        raise NotImplementedError

    def scores(self, counts: np.ndarray, reference: Reference) -> np.ndarray:
        """Return the scores of its charts, (N, K, T)."""
        from mlopsim.governance.monitoring.kernels.side_by_side import scored

        found = self.counted(counts, reference)
        z = binomial_scores(found, found.level, Side.UP)
        z = np.ascontiguousarray(np.moveaxis(z, -1, 1))
        ticks = z.reshape(-1, z.shape[-1])
        score = np.empty_like(ticks)
        chart = self.detector()
        scored(chart.kernel(), ticks, chart.fresh(), chart.params(), score)
        return score.reshape(z.shape)
