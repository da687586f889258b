"""Permutation test of the maximum mean discrepancy of all features together."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np

from mlopsim.core.registry import register
from mlopsim.core.spec import check_range
from mlopsim.drift.two_sample import alpha_of, threshold_of
from mlopsim.drift.windowed import Windowed
from mlopsim.numerics.median_heuristic_kernel import Rbf


@register("detector", "mmd_permutation")
@dataclass(kw_only=True)
class MMDPermutation(Windowed):
    r"""Unbiased squared maximum mean discrepancy with a p-value by permutation; the score is ``-log10 p``.

    The statistic is that of ``mmd``. With b of the B random divisions of all rows into two samples of these
    sizes whose discrepancy is as large,

    .. math:: p = \frac{1 + b}{1 + B}

    which is exact at level alpha if rows are exchangeable. The divisions are drawn when the reference is
    complete, and are the same for all its windows.

    Parameters
    ----------
    alpha : float, default 0.01
        Level: alarm where p is below it.
    permutations : int, default 199
        B. No score exceeds ``log10(1 + B)``: with 199 no p-value is below 0.005.
    rows : int, default 250
        Rows that are looked at in the reference and in a window, evenly spaced; the time is quadratic in it.
    reference
        See :class:`mlopsim.drift.windowed.Windowed`.

    Notes
    -----
    Equal values count as "as large", so that ties make the test careful and never break its level.

    All features are one point, hence there is no correction for their number. If reference or window has a
    single row, the score is NaN. If all rows are equal, p is 1.

    Use it where a stated level for one window is needed; not for long streams: it takes ``permutations``
    times the sums of ``mmd``.

    References
    ----------
    .. [1] A. Gretton, K. M. Borgwardt, M. J. Rasch, B. Schölkopf and A. Smola, "A kernel two-sample test",
       Journal of Machine Learning Research 13, 2012, 723-773.
    .. [2] B. Phipson and G. K. Smyth, "Permutation p-values should never be zero", Statistical Applications
       in Genetics and Molecular Biology 9, 2010. doi:10.2202/1544-6115.1585

    Examples
    --------
    >>> windows = np.random.default_rng(0).normal(size=(15, 100, 3))
    >>> windows[12:, :, 1] += 1.0
    >>> MMDPermutation().alarms(windows)
    array([12])
    """

    family: ClassVar[str] = "two-sample test"
    effort: ClassVar[float] = 3000.0
    limit: ClassVar[str] = "alpha"
    limits: ClassVar[tuple[float, float] | None] = (0.001, 0.5)
    random: ClassVar[bool] = True

    alpha: float = 0.01
    permutations: int = 199
    rows: int = 250

    def __post_init__(self) -> None:
        super().__post_init__()
        check_range("detector/mmd_permutation.alpha", self.alpha, 0.0, 1.0)
        check_range("detector/mmd_permutation.permutations", self.permutations, 1, 10**6)
        check_range("detector/mmd_permutation.rows", self.rows, 2, 10**5)

    @property
    def threshold(self) -> float:
        """What the score must exceed: ``-log10(alpha)``."""
        return threshold_of(self.alpha)

    def limited(self, threshold: float) -> Self:
        """Return this detector with the level that gives this threshold."""
        return dataclasses.replace(self, alpha=alpha_of(threshold))

    def learn(self, rows: np.ndarray) -> Any:
        """Return the kernel, the seed of the divisions and, by number of all rows, the divisions."""
        orders: dict[int, np.ndarray] = {}
        return Rbf.fit(rows, self.rows), int(self.rng.integers(2**63)), orders

    def compare(self, reference: Any, windows: np.ndarray) -> np.ndarray:
        """Return the scores of windows."""
        from mlopsim.drift.kernels.mmd import permuted
        from mlopsim.numerics.multiple_testing import smallest
        from mlopsim.numerics.squared_distances import squares

        model, seed, orders = reference
        m, n = model.points.shape[1], min(windows.shape[1], self.rows)
        score = np.full(len(windows), np.nan)
        if min(m, n) < 2:
            return score
        if m + n not in orders:
            rng = np.random.default_rng(seed)
            drawn = rng.permuted(np.tile(np.arange(m + n), (self.permutations, 1)), axis=1)
            # first the division as it is
            orders[m + n] = np.concatenate([np.arange(m + n)[None], drawn])
        squared = np.empty((m + n, m + n))
        found = np.empty(self.permutations + 1)
        p = np.empty(len(windows))
        for t, window in enumerate(windows):
            points = np.concatenate([model.points, model.columns(window)], axis=1)
            squares(points, points, squared)
            permuted(np.exp(-model.gamma * squared), m, orders[m + n], found)
            # equal divisions of repeated rows are equal up to rounding
            p[t] = np.count_nonzero(found >= found[0] - 1e-12) / len(found)
        smallest(p, 1.0, score)
        return score
