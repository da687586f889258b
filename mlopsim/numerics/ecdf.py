"""Two empirical distribution functions, their largest gap, and how well both are known."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from mlopsim.core.errors import DataError
from mlopsim.numerics import two_sample_pvalues as nulls
from mlopsim.stats.interval import Interval, check_level


@dataclass(frozen=True, kw_only=True)
class TwoCdfs:
    """The analysis of two samples that :func:`mlopsim.plots.cdf.cdf` draws.

    Parameters
    ----------
    x : ndarray of float64, shape (m,)
        The different values of both samples, rising.
    reference, window : ndarray of float64, shape (m,)
        Share of each sample at or below x.
    n_reference, n_window : int
        Rows in the samples.
    at : float
        The least x at which the gap is largest.
    distance : Interval
        Kolmogorov-Smirnov distance; its interval holds whatever the laws are, and is wide for that.
    pvalue : float
        Of the two-sided Kolmogorov-Smirnov test (:func:`mlopsim.numerics.two_sample_pvalues.ks`).
    half_reference, half_window : float
        Half widths of the confidence bands around the functions.
    level : float
        Of each band and of the interval.
    """

    x: np.ndarray
    reference: np.ndarray
    window: np.ndarray
    n_reference: int
    n_window: int
    at: float
    distance: Interval
    pvalue: float
    half_reference: float
    half_window: float
    level: float


def two_cdfs(reference: ArrayLike, window: ArrayLike, *, level: float = 0.95) -> TwoCdfs:
    """Compare the distribution functions of two samples of one feature.

    Parameters
    ----------
    reference, window : array_like of float, any shape
        Samples, flattened.
    level : float, default 0.95
        Of the bands and of the interval.

    Returns
    -------
    TwoCdfs

    Raises
    ------
    DataError
        If a sample is empty or holds values that are not finite.
    ConfigError
        If the level is not between 0 and 1.

    Notes
    -----
    The true function lies within ``sqrt(ln(2 / (1 - level)) / (2 n))`` of the empirical one, everywhere at
    once, with probability ``level`` (Dvoretzky, Kiefer and Wolfowitz 1956; Massart 1990). If both do at the
    level ``(1 + level) / 2``, the distance of the true functions differs from that of the empirical ones by
    at most the sum of the half widths: that is the interval.

    Examples
    --------
    >>> two_cdfs([1.0, 2.0, 3.0], [2.5, 3.0, 4.0]).distance.value
    0.666...
    """
    check_level(level)
    one, other = _sorted(reference, "reference"), _sorted(window, "window")
    n1, n2 = len(one), len(other)
    x = np.unique(np.concatenate([one, other]))
    below_one = np.searchsorted(one, x, side="right")
    below_other = np.searchsorted(other, x, side="right")
    gaps = np.abs(below_one * n2 - below_other * n1)
    place = int(np.argmax(gaps))
    gap = int(gaps[place])
    value = gap / (n1 * n2)
    slack = _half(n1, (1.0 + level) / 2.0) + _half(n2, (1.0 + level) / 2.0)
    return TwoCdfs(
        x=x,
        reference=below_one / n1,
        window=below_other / n2,
        n_reference=n1,
        n_window=n2,
        at=float(x[place]),
        distance=Interval(
            value=value, low=max(value - slack, 0.0), high=min(value + slack, 1.0), n=n1 + n2, level=level
        ),
        pvalue=nulls.ks(n1, n2, gap),
        half_reference=_half(n1, level),
        half_window=_half(n2, level),
        level=level,
    )


def _half(n: int, level: float) -> float:
    return math.sqrt(math.log(2.0 / (1.0 - level)) / (2.0 * n))


def _sorted(sample: ArrayLike, name: str) -> np.ndarray:
    values = np.sort(np.asarray(sample, dtype=np.float64).ravel())
    if not len(values):
        raise DataError(f"the {name} is empty", remedy="give at least one row")
    if not np.isfinite(values).all():
        wrong = int(np.count_nonzero(~np.isfinite(values)))
        raise DataError(f"{wrong} of {len(values)} values of the {name} are not finite", remedy="drop them")
    return values
