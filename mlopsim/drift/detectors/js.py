"""Jensen-Shannon distance of each feature."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from mlopsim.core.registry import register
from mlopsim.core.spec import check_range
from mlopsim.drift.distance import Distance
from mlopsim.drift.reference_bins import Bins


@register("detector", "js")
@dataclass(kw_only=True)
class JensenShannon(Distance):
    r"""Jensen-Shannon distance over quantile bins of the reference, from 0 to 1.

    A limit is no level: of windows of 100 rows of an unchanged continuous feature against 1000 reference rows
    0, 2.6 and 49 % exceed 0.2 with 3, 10 and 20 bins (of 50 against 200 rows 1.4, 50 and 98 %); with three
    values, .04 % with 10 bins (10,000 windows each).

    With shares p of the reference and q of the window in the bins, and :math:`m = (p + q) / 2`,

    .. math::

        \sqrt{\tfrac{1}{2} \sum_b p_b \log_2 \frac{p_b}{m_b} + \tfrac{1}{2} \sum_b q_b \log_2 \frac{q_b}{m_b}}

    which equals ``scipy.spatial.distance.jensenshannon`` to base 2. Empty bins need no care: ``0 log 0 = 0``,
    and the mean of the two shares is positive where one of them is.

    Parameters
    ----------
    h : float, default 0.2
        Limit.
    bins : int, default 10
        Bins of a feature, cut as :class:`mlopsim.drift.reference_bins.Bins` says.
    over, reference
        See :class:`mlopsim.drift.distance.Distance`.

    Notes
    -----
    Use it for categorical or coarsely binned features and as the distance that dashboards show; not with a
    fixed limit across window sizes and numbers of bins.

    References
    ----------
    .. [1] J. Lin, "Divergence measures based on the Shannon entropy", IEEE Transactions on Information Theory
       37, 1991, 145-151. doi:10.1109/18.61115
    .. [2] D. M. Endres and J. E. Schindelin, "A new metric for probability distributions", IEEE Transactions
       on Information Theory 49, 2003, 1858-1860. doi:10.1109/TIT.2003.813506

    Examples
    --------
    >>> windows = np.random.default_rng(0).normal(size=(30, 100, 3))
    >>> windows[20:, :, 1] += 1.0
    >>> JensenShannon(h=0.35).alarms(windows)
    array([20])
    """

    h: float = 0.2
    bins: int = 10

    def __post_init__(self) -> None:
        super().__post_init__()
        check_range("detector/js.bins", self.bins, 2, 1000)

    def learn(self, rows: np.ndarray) -> Any:
        """Return the bins."""
        return Bins.quantiles(rows, self.bins)

    def distances(self, reference: Any, windows: np.ndarray) -> np.ndarray:
        """Return the distances."""
        from mlopsim.drift.kernels.bins import jensen_shannon

        counts = reference.count(windows)
        found = np.empty(counts.shape[:2])
        jensen_shannon(reference.counts, reference.rows, reference.sizes, counts, windows.shape[1], found)
        return found
