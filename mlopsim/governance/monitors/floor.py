"""Absolute floor of a rate."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from mlopsim.core.registry import register
from mlopsim.core.spec import check_range
from mlopsim.drift.signal import Side
from mlopsim.governance.monitor import Chart, Monitor
from mlopsim.governance.monitoring.rate_chart import exact_scores, tally
from mlopsim.governance.monitoring.rates import By, Rate
from mlopsim.governance.monitoring.reference import Reference


@register("monitor", "floor")
@dataclass(kw_only=True)
class Floor(Monitor):
    r"""Exact test that a rate lies below its floor, whatever served before.

    It does not ratchet: charts that are based anew on each version never see that every version is a little
    worse than the one before; this one does, as soon as the level falls below the floor.

    With k of n rows and the floor :math:`p_0`, the score is :math:`\Phi^{-1}(1 - p)`, :math:`p = P(K \le k)`,
    :math:`K \sim \mathrm{Bin}(n, p_0)` (beta-binomial where the reference says that rows are correlated).

    Parameters
    ----------
    rate : Rate, default accuracy
        What must not fall; for a rate that must not rise, chart what is left of 1.
    by : By, default all
        For whom: all rows, each group, or both.
    floor : float, default 0.5
        Lowest level in control, as people know the rate (of F1: of F1).
    impact : float, default 0
        Observed shortfalls up to it are no alarm.

    Notes
    -----
    Use it beside charts that are based anew on each version; alone it sees no fall that ends above the floor.

    References
    ----------
    .. [1] C. J. Clopper and E. S. Pearson, "The use of confidence or fiducial limits illustrated in the case
       of the binomial", Biometrika 26, 1934, 404-413. doi:10.1093/biomet/26.4.404

    Examples
    --------
    >>> from mlopsim.governance.monitoring.in_control import law
    >>> told = law(base=(0.5,), recall=(0.7,), false_positive_rate=(0.3,), rows=(100,)).reference()
    >>> counts = np.array([[[[40, 10], [10, 40]]], [[[35, 15], [15, 35]]]])[None]
    >>> Floor(floor=0.8).scores(counts, told).round(2)
    array([[[-0.1 ,  2.28]]])
    """

    absolute: ClassVar[bool] = True

    rate: Rate = Rate.ACCURACY
    by: By = By.ALL
    floor: float = 0.5
    impact: float = 0.0

    def __post_init__(self) -> None:
        check_range("monitor/floor.floor", self.floor, 0.0, 1.0)
        check_range("monitor/floor.impact", self.impact, 0.0, 1.0)

    def charts(self, groups: tuple[str, ...]) -> list[Chart]:
        """Return one chart for all rows, one a group, or both."""
        names = self.by.names(f"floor of {self.rate.value}", groups)
        return [Chart(name=name, labels=self.rate.labels) for name in names]

    def scores(self, counts: np.ndarray, reference: Reference) -> np.ndarray:
        """Return the scores of its charts, (N, K, T); of the reference it takes the correlation only."""
        found = tally(counts, self.rate, self.by).beside(reference)
        level = np.full(found.k.shape, self.rate.share(self.floor))
        score = exact_scores(found, level, Side.DOWN)
        if self.impact > 0.0:
            short = self.floor - self.rate.shown(found.share)
            score = np.where(short <= self.impact + 1e-12, np.minimum(score, 0.0), score)
        return np.ascontiguousarray(np.moveaxis(score, -1, 1))
