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
    """Kuiper test of a window against the reference, feature by feature.

    The distance is the largest gap upwards plus the largest gap downwards between the two empirical
    distribution functions: as sensitive in the tails as at the median, and to a changed spread.

    Parameters
    ----------
    alpha, correction, reference
        See :class:`mlopsim.drift.two_sample.TwoSample`.

    References
    ----------
    Kuiper (1960), *Tests concerning random points on a circle*, Indagationes Mathematicae 22, 38-47. Stephens
    (1965), *The goodness-of-fit statistic V_N: distribution and significance points*, Biometrika 52, 309-321.

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
