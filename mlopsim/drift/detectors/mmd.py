"""Maximum mean discrepancy of all features together."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from mlopsim.core.registry import register
from mlopsim.core.spec import check_range
from mlopsim.drift.windowed import Windowed
from mlopsim.numerics.median_heuristic_kernel import Rbf

#: smallest standard deviation of the statistic, for a reference of equal rows
SMALLEST = 1e-12


@register("detector", "mmd")
@dataclass(kw_only=True)
class MMD(Windowed):
    r"""Unbiased squared maximum mean discrepancy between window and reference, in its standard deviations.

    Gaussian kernel on features scaled by the reference, its width by the median heuristic
    (:class:`mlopsim.numerics.median_heuristic_kernel.Rbf`). The standard deviation is that under equal laws.
    The score is a number of standard deviations of a skewed law, not of a normal one: set the limit by
    calibration, or use ``mmd_permutation`` for a p-value.

    With reference rows :math:`x_i` (m), the window's rows :math:`y_i` (n) and
    :math:`k(x, y) = \exp(-\gamma |x - y|^2)`,

    .. math::

        \mathrm{MMD}^2 = \sum_{i \ne j} \frac{k(x_i, x_j)}{m (m - 1)}
        + \sum_{i \ne j} \frac{k(y_i, y_j)}{n (n - 1)}
        - 2 \sum_{i, j} \frac{k(x_i, y_j)}{m n}

    and the score is :math:`\mathrm{MMD}^2 / \sigma` with the mean square of the centred kernel :math:`k'`
    over pairs of different reference rows:

    .. math::

        \sigma^2 = 2 \, \mathrm{E} k'^2 \left(\frac{1}{m (m - 1)} + \frac{1}{n (n - 1)} + \frac{2}{m n}\right)

    Parameters
    ----------
    h : float, default 5.0
        Limit, in standard deviations.
    rows : int, default 250
        Rows that are looked at in the reference and in a window, evenly spaced; the time is quadratic in it.
    reference
        See :class:`mlopsim.drift.windowed.Windowed`.

    Notes
    -----
    All features are one point, hence there is no correction for their number. If reference or window has a
    single row, the score is NaN. A constant reference has a standard deviation of 1e-12: any change is a
    large one.

    Use it for joint changes of several features. Not for long windows: the time is quadratic in ``rows``.

    References
    ----------
    .. [1] A. Gretton, K. M. Borgwardt, M. J. Rasch, B. Schölkopf and A. Smola, "A kernel two-sample test",
       Journal of Machine Learning Research 13, 2012, 723-773.

    Examples
    --------
    >>> windows = np.random.default_rng(0).normal(size=(30, 100, 3))
    >>> windows[20:, :, 1] += 1.0
    >>> MMD(h=6.0).alarms(windows)
    array([20])
    """

    family: ClassVar[str] = "distance"
    effort: ClassVar[float] = 130.0
    limit: ClassVar[str] = "h"

    h: float = 5.0
    rows: int = 250

    def __post_init__(self) -> None:
        super().__post_init__()
        check_range("detector/mmd.h", self.h, -math.inf, math.inf)
        check_range("detector/mmd.rows", self.rows, 2, 10**5)

    def learn(self, rows: np.ndarray) -> Any:
        """Return the kernel, its sum over pairs of reference rows and its mean square when centred."""
        model = Rbf.fit(rows, self.rows)
        kernel = model.kernel
        m = len(kernel)
        if m < 2:
            return model, math.nan, math.nan
        apart = ~np.eye(m, dtype=np.bool_)
        side = kernel.mean(axis=0)
        centred = kernel - side[:, None] - side[None, :] + side.mean()
        return model, float(np.triu(kernel, 1).sum()), float(np.mean(centred[apart] ** 2))

    def compare(self, reference: Any, windows: np.ndarray) -> np.ndarray:
        """Return the scores of windows."""
        from mlopsim.drift.kernels.mmd import between, unbiased, within

        model, inside, square = reference
        m = model.points.shape[1]
        score = np.full(len(windows), np.nan)
        n = min(windows.shape[1], self.rows)
        if min(m, n) < 2:
            return score
        work = np.empty(max(m, n))
        scale = math.sqrt(2.0 * square * (1.0 / (m * (m - 1)) + 1.0 / (n * (n - 1)) + 2.0 / (m * n)))
        for t, window in enumerate(windows):
            points = model.columns(window)
            own = within(points, model.gamma, work)
            across = between(points, model.points, model.gamma, work)
            score[t] = unbiased(inside, m, own, n, across) / max(scale, SMALLEST)
        return score
