"""Wasserstein distance of each feature."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from mlopsim.core.registry import register
from mlopsim.drift.distance import Distance
from mlopsim.drift.two_sample import columns
from mlopsim.numerics.scaling import Scaling


@register("detector", "wasserstein")
@dataclass(kw_only=True)
class Wasserstein(Distance):
    r"""Wasserstein-1 distance in units of the reference's standard deviation.

    The area between the two empirical distribution functions: how far values must move on average to turn one
    sample into the other. Equals ``scipy.stats.wasserstein_distance`` of the standardised samples;
    standardised values end at one million either side, which a feature that is constant in the reference
    reaches with any change (:class:`mlopsim.numerics.scaling.Scaling`).

    With the empirical distribution functions F and G of the standardised reference and window,

    .. math:: W_1 = \int |F(x) - G(x)| \, dx

    and the score is the largest over the features (``over="max"``).

    Parameters
    ----------
    h : float, default 0.3
        Limit, in standard deviations.
    over, reference
        See :class:`mlopsim.drift.distance.Distance`.

    Notes
    -----
    Use it where the size of a shift matters and not only its significance; not for heavy tails, where few
    values decide it.

    References
    ----------
    .. [1] S. S. Vallender, "Calculation of the Wasserstein distance between probability distributions on the
       line", Theory of Probability and its Applications 18, 1974, 784-786. doi:10.1137/1118101

    Examples
    --------
    >>> windows = np.random.default_rng(0).normal(size=(30, 100, 3))
    >>> windows[20:, :, 1] += 1.0
    >>> Wasserstein(h=0.5).alarms(windows)
    array([20])
    """

    h: float = 0.3

    def learn(self, rows: np.ndarray) -> Any:
        """Return the scaling and the sorted columns of the scaled reference."""
        scaling = Scaling.standard(rows)
        return scaling, columns(scaling.apply(rows))

    def distances(self, reference: Any, windows: np.ndarray) -> np.ndarray:
        """Return the distances."""
        from mlopsim.drift.kernels.wasserstein import run

        scaling, learnt = reference
        found = np.empty((windows.shape[0], windows.shape[2]))
        run(learnt, columns(scaling.apply(windows)), found)
        return found
