"""Two-sample Kuiper test of each feature."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mlopsim.core.registry import register
from mlopsim.drift.two_sample import TwoSample
from mlopsim.numerics import two_sample_pvalues as nulls


@register("detector", "kuiper")
@dataclass(kw_only=True)
class Kuiper(TwoSample):
    r"""Kuiper test of a window against the reference, feature by feature.

    The distance is the largest gap upwards plus the largest gap downwards between the two empirical
    distribution functions: as sensitive in the tails as at the median, and to a changed spread.

    With the empirical distribution functions F of the reference and G of the window,
    :math:`V = \sup_x (F(x) - G(x)) + \sup_x (G(x) - F(x))`. The score is
    :math:`-\log_{10}(d \min_f p_f(V_f))` over the d features (``correction="bonferroni"``).

    Parameters
    ----------
    alpha, correction, reference
        See :class:`mlopsim.drift.two_sample.TwoSample`.

    Notes
    -----
    Use it for changes of spread, and for angles or times of day. Not where few values repeat: it is blunt
    there.

    References
    ----------
    .. [1] N. H. Kuiper, "Tests concerning random points on a circle", Indagationes Mathematicae 22, 1960,
       38-47. doi:10.1016/S1385-7258(60)50006-0
    .. [2] M. A. Stephens, "The goodness-of-fit statistic V_N: distribution and significance points",
       Biometrika 52, 1965, 309-321.

    Examples
    --------
    >>> import numpy as np
    >>> windows = np.random.default_rng(0).normal(size=(30, 100, 3))
    >>> windows[20:, :, 1] *= 2.0
    >>> Kuiper(alpha=1e-4).alarms(windows)
    array([20])
    """

    def statistics(self, reference: np.ndarray, windows: np.ndarray) -> np.ndarray:
        """Return V."""
        from mlopsim.numerics.ecdf_gaps import run

        high = np.empty(windows.shape[:2], dtype=np.int64)
        low = np.empty_like(high)
        run(reference, windows, high, low)
        # whole numbers until here, hence one rounding
        found: np.ndarray = (high - low) / (reference.shape[1] * windows.shape[2])
        return found

    def pvalues(self, n1: int, n2: int, found: np.ndarray) -> np.ndarray:
        """Return p-values."""
        return nulls.kuiper(n1, n2, found)
