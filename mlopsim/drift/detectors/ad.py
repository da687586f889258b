"""Two-sample Anderson-Darling test of each feature."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from mlopsim.core.registry import register
from mlopsim.drift.two_sample import TwoSample
from mlopsim.numerics import two_sample_pvalues as nulls


@register("detector", "ad")
@dataclass(kw_only=True)
class AndersonDarling(TwoSample):
    r"""Anderson-Darling test of a window against the reference, feature by feature.

    The distance is the mean squared gap between the two empirical distribution functions, weighted so that
    the tails count. Statistic and p-values equal ``scipy.stats.anderson_ksamp`` (midranks where values are
    equal) for p-values from 0.001 to 0.25, the ends of its table; how they go on is said at
    :func:`mlopsim.numerics.two_sample_pvalues.ad`. If all values are one, the p-value is 1. Each sample
    needs two rows.

    With N pooled rows, over the different pooled values: :math:`l_j` rows equal the value, :math:`B_j` are
    below it and :math:`M_j` of the :math:`n_1` reference rows are, both with half of the equal ones:

    .. math::

        A^2 = \frac{N-1}{N^2} \left(\frac{1}{n_1} + \frac{1}{n_2}\right)
        \sum_j \frac{l_j (N M_j - n_1 B_j)^2}{B_j (N - B_j) - N l_j / 4}

    The score is :math:`-\log_{10}(d \min_f p_f)` over the d features (``correction="bonferroni"``).

    Parameters
    ----------
    alpha, correction, reference
        See :class:`mlopsim.drift.two_sample.TwoSample`.

    Notes
    -----
    Use it where a change may sit in the tails of a continuous feature. Not where values repeat and the limit
    is not calibrated: its level is broken there (the table at :class:`mlopsim.drift.two_sample.TwoSample`).

    References
    ----------
    .. [1] F. W. Scholz and M. A. Stephens, "K-sample Anderson-Darling tests", Journal of the American
       Statistical Association 82, 1987, 918-924. doi:10.1080/01621459.1987.10478517

    Examples
    --------
    >>> import numpy as np
    >>> windows = np.random.default_rng(0).normal(size=(30, 100, 3))
    >>> windows[20:, :, 1] += 1.0
    >>> AndersonDarling(alpha=1e-4).alarms(windows)
    array([20])
    """

    least: ClassVar[int] = 2

    def statistics(self, reference: np.ndarray, windows: np.ndarray) -> np.ndarray:
        """Return A2, float64."""
        from mlopsim.drift.kernels.ad import run

        found = np.empty(windows.shape[:2])
        run(reference, windows, found)
        return found

    def pvalues(self, n1: int, n2: int, found: np.ndarray) -> np.ndarray:
        """Return p-values."""
        return nulls.ad(n1, n2, found)
