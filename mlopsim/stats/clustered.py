"""Intervals of numbers that come in clusters: clusters are independent, what is inside one is not."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike

from mlopsim.core.errors import ConfigError
from mlopsim.stats.bootstrap import mean_interval, statistic_interval
from mlopsim.stats.interval import NAN, Interval
from mlopsim.stats.proportions import wilson

#: shares of clusters that differ by less are the same but for rounding
SAME = 1e-12


def by_cluster(values: ArrayLike, clusters: ArrayLike) -> np.ndarray:
    """Lay values out by cluster: float64 (clusters, most in one), NaN where a cluster has fewer.

    Parameters
    ----------
    values : array_like of float, shape (n,)
    clusters : array_like of int, shape (n,)
        To which cluster each belongs.

    Examples
    --------
    >>> by_cluster([1.0, 2.0, 3.0], [7, 4, 7])
    array([[ 2., nan],
           [ 1.,  3.]])
    """
    x, of = np.asarray(values, dtype=np.float64), np.asarray(clusters)
    if x.ndim != 1 or x.shape != of.shape:
        raise ConfigError(f"values {x.shape} need as many clusters, got {of.shape}")
    _, row, size = np.unique(of, return_inverse=True, return_counts=True)
    out = np.full((len(size), int(size.max(initial=0))), NAN)
    order = np.argsort(row, kind="stable")
    column = np.arange(len(x)) - np.repeat(np.cumsum(size) - size, size)
    out[row[order], column] = x[order]
    return out


def clustered_mean(values: ArrayLike, clusters: ArrayLike, rng: np.random.Generator) -> Interval:
    """Interval of the mean of all values, clusters resampled whole.

    Parameters
    ----------
    values : array_like of float, shape (n,)
        NaN is left out.
    clusters : array_like of int, shape (n,)
        To which cluster each belongs, such as its seed.
    rng : Generator
        Source of the resamples.

    Returns
    -------
    Interval
        ``n`` counts clusters with a value, ``cells`` the values.

    Examples
    --------
    Two values a cluster that are the same tell no more than one:

    >>> x = np.arange(6.0)
    >>> clustered_mean(np.repeat(x, 2), np.repeat(np.arange(6), 2), np.random.default_rng(0))
    Interval(2.5 [0.667, 4.33], n=6)
    >>> clustered_mean(x, np.arange(6), np.random.default_rng(0))
    Interval(2.5 [0.667, 4.33], n=6)
    """
    grid = by_cluster(values, clusters)
    if not np.isfinite(grid).any():
        return Interval(value=NAN, n=0, reason="no value")
    return mean_interval(grid, rng)


def clustered_share(hits: ArrayLike, clusters: ArrayLike, rng: np.random.Generator) -> Interval:
    """Interval of a share, clusters resampled whole.

    Parameters
    ----------
    hits : array_like of bool or float in 0..1, shape (n,)
        NaN is left out.
    clusters : array_like of int, shape (n,)
        To which cluster each belongs, such as its seed.
    rng : Generator
        Source of the resamples.

    Returns
    -------
    Interval
        ``n`` counts clusters with a value, ``cells`` the values.

    Notes
    -----
    Where each cluster is one trial, or several of the same outcome and as many in each, it is Wilson's
    interval of m trials. Where all m clusters have the same share v, resampling them knows no spread, and an
    interval of no width would claim more than m clusters can tell. Then it is what is left if a share q of
    all clusters may have any share, with q the upper end of Wilson's interval of 0 in m: from v (1 - q) to
    v + q (1 - v).

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> clustered_share(np.zeros(40), np.repeat(np.arange(20), 2), rng)
    Interval(0 [0, 0.161], n=20)
    >>> clustered_share(np.repeat([1, 0], 20), np.repeat(np.arange(20), 2), rng)
    Interval(0.5 [0.299, 0.701], n=20)
    >>> clustered_share(np.tile([1, 0], 20), np.repeat(np.arange(20), 2), rng)
    Interval(0.5 [0.419, 0.581], n=20)
    """
    x = np.asarray(hits, dtype=np.float64)
    if ((x < 0.0) | (x > 1.0)).any():
        raise ConfigError("shares lie in 0..1")
    found = clustered_mean(x, clusters, rng)
    if not found.bounded:
        return found
    grid = by_cluster(x, clusters)
    grid = grid[np.isfinite(grid).any(axis=1)]
    shares, sizes = np.nanmean(grid, axis=1), np.isfinite(grid).sum(axis=1)
    if np.isin(shares, (0.0, 1.0)).all() and np.ptp(sizes) == 0:
        told = wilson(int(shares.sum()), found.n)
        low, high = told.low, told.high
    elif float(np.ptp(shares)) > SAME:
        # a percentile interval that is widened may reach beyond what a share can be
        low, high = max(found.low, 0.0), min(found.high, 1.0)
    else:
        other = wilson(0, found.n).high
        low, high = found.value * (1.0 - other), found.value + other * (1.0 - found.value)
    return Interval(
        value=found.value, low=low, high=high, n=found.n, cells=found.cells, excluded=found.excluded
    )


def clustered_median(values: ArrayLike, clusters: ArrayLike, rng: np.random.Generator) -> Interval:
    """Interval of the median of all values, clusters resampled whole; parameters as in `clustered_mean`.

    Examples
    --------
    >>> clustered_median(np.arange(9.0), np.arange(9), np.random.default_rng(0))
    Interval(4 [1, 7], n=9)
    """
    grid = by_cluster(values, clusters)
    grid = grid[np.isfinite(grid).any(axis=1)]
    if not len(grid):
        return Interval(value=NAN, n=0, reason="no value")
    median: Callable[[np.ndarray], float] = lambda x: float(np.nanmedian(x))  # noqa: E731
    return statistic_interval(median, grid, rng=rng)
