"""Two-sample Cramer-von Mises test of each feature."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from mlopsim.core.registry import register
from mlopsim.drift.two_sample import TwoSample
from mlopsim.numerics import two_sample_pvalues as nulls


@register("detector", "cvm")
@dataclass(kw_only=True)
class CramerVonMises(TwoSample):
    r"""Cramer-von Mises test of a window against the reference, feature by feature.

    The distance is the mean squared gap between the two empirical distribution functions. p-values equal
    ``scipy.stats.cramervonmises_2samp`` (``method="auto"``) to the accuracy of the latter: its asymptotic
    p-values are ``1 - cdf`` and wrong by up to 1e-7, these are not. Where values are equal the distance stays
    that of the distribution functions; scipy's midranks call two samples of one constant different.
    Each sample needs two rows.

    With the ranks :math:`r_i` of the sorted reference rows and :math:`s_j` of the sorted window's rows among
    all :math:`N = n_1 + n_2`

    .. math::

        U = n_1 \sum_{i=1}^{n_1} (r_i - i)^2 + n_2 \sum_{j=1}^{n_2} (s_j - j)^2, \qquad
        T = \frac{U}{n_1 n_2 N} - \frac{4 n_1 n_2 - 1}{6 N}

    The score is :math:`-\log_{10}(d \min_f p_f)` over the d features (``correction="bonferroni"``).

    Parameters
    ----------
    alpha, correction, reference
        See :class:`mlopsim.drift.two_sample.TwoSample`.

    Notes
    -----
    Use it for shifts that move the whole distribution a little. Not where values repeat and the limit is not
    calibrated (the table at :class:`mlopsim.drift.two_sample.TwoSample`).

    References
    ----------
    .. [1] T. W. Anderson, "On the distribution of the two-sample Cramér-von Mises criterion", Annals of
       Mathematical Statistics 33, 1962, 1148-1159. doi:10.1214/aoms/1177704477

    Examples
    --------
    >>> import numpy as np
    >>> windows = np.random.default_rng(0).normal(size=(30, 100, 3))
    >>> windows[20:, :, 1] += 1.0
    >>> CramerVonMises(alpha=1e-4).alarms(windows)
    array([20])
    """

    least: ClassVar[int] = 2

    def statistics(self, reference: np.ndarray, windows: np.ndarray) -> np.ndarray:
        """Return U, float64."""
        from mlopsim.drift.kernels.cvm import run

        found = np.empty(windows.shape[:2])
        run(reference, windows, found)
        return found

    def pvalues(self, n1: int, n2: int, found: np.ndarray) -> np.ndarray:
        """Return p-values."""
        return nulls.cvm(n1, n2, found)
