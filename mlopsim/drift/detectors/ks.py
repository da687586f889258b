"""Two-sample Kolmogorov-Smirnov test of each feature."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from mlopsim.core.registry import register
from mlopsim.drift.two_sample import TwoSample
from mlopsim.numerics import two_sample_pvalues as nulls


@register("detector", "ks")
@dataclass(kw_only=True)
class KS(TwoSample):
    r"""Kolmogorov-Smirnov test of a window against the reference, feature by feature.

    The distance is the largest gap between the two empirical distribution functions. p-values equal
    ``scipy.stats.ks_2samp`` (two-sided, ``method="auto"``); equal values are handled as there, where
    p-values are too large (conservative) if values repeat.

    With the empirical distribution functions F of the reference and G of the window,
    :math:`D = \sup_x |F(x) - G(x)|`. The score is :math:`-\log_{10}(d \min_f p_f(D_f))` over the d features
    (``correction="bonferroni"``).

    Parameters
    ----------
    alpha, correction, reference
        See :class:`mlopsim.drift.two_sample.TwoSample`.

    Notes
    -----
    Use it for shifts of location of continuous features. Not for small changes in the tails (``ad``) or of
    the spread (``kuiper``), and not where few values repeat: it is blunt there.

    References
    ----------
    .. [1] N. V. Smirnov, "On the estimation of the discrepancy between empirical curves of distribution for
       two independent samples", Bulletin Mathématique de l'Université de Moscou 2, 1939.
    .. [2] J. L. Hodges, "The significance probability of the Smirnov two-sample test", Arkiv för Matematik 3,
       1958, 469-486. doi:10.1007/BF02589501

    Examples
    --------
    >>> import numpy as np
    >>> windows = np.random.default_rng(0).normal(size=(30, 100, 3))
    >>> windows[20:, :, 1] += 1.0
    >>> KS(alpha=1e-4).alarms(windows)
    array([20])
    """

    pictured: ClassVar[bool] = True

    def statistics(self, reference: np.ndarray, windows: np.ndarray) -> np.ndarray:
        """Return ``n1 n2 D``, int64."""
        from mlopsim.numerics.ecdf_gaps import run

        high = np.empty(windows.shape[:2], dtype=np.int64)
        low = np.empty_like(high)
        run(reference, windows, high, low)
        return np.maximum(high, -low)

    def pvalues(self, n1: int, n2: int, found: np.ndarray) -> np.ndarray:
        """Return p-values."""
        return np.array([nulls.ks(n1, n2, gap) for gap in found.tolist()])
