"""Input shift: the training data of every version against every window, in one pass.

Three statistics, named in :data:`SHIFT_NAMES`:

``ks``
    Largest distance between the two empirical distribution functions, over features and over the bin
    edges. The edges are quantiles of the warm-up rows, so the value is a lower bound of the exact
    two-sample Kolmogorov-Smirnov statistic, and equal to it on binned data. Missing cells count as
    one more, topmost value, so a changed missing rate shows. The categories of a categorical feature
    are put in the order of falling frequency in the warm-up; what the warm-up did not show is last.
``psi``
    Population stability index sum (p - q) ln(p / q), mean over features; at most 8 bins of equal mass
    for a number, one per category, one for missing cells. Half a row is added to every bin, so the index
    is finite; between two samples of m and n rows of one law it is about (B - 1)(1/m + 1/n).
``mean``
    Largest absolute difference of the means over the *encoded* columns (one per number, one per
    category, ...), in units of the column's standard deviation **in the warm-up** (1 where it was constant).

Nothing but the bin edges, the encoder and these standard deviations is taken from outside the two
sets of rows that an entry compares, and these three come from the warm-up.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

SHIFT_NAMES = ("ks", "psi", "mean")
BINS = 32
PSI_BINS = 8


@dataclass(frozen=True, kw_only=True)
class Binning:
    """Bins of d features; feature j has the codes ``0..n_edges[j] + 1``.

    Parameters
    ----------
    edges : ndarray of float64, shape (d, E)
        Upper ends (included) of the bins, ascending, padded with infinity.
    n_edges : ndarray of int64, shape (d,)
        Number of real edges: code ``n_edges`` is above all of them, ``n_edges + 1`` is missing.
    coarse : ndarray of int64, shape (d, E + 2)
        Code to number of the bin of the population stability index.
    n_coarse : ndarray of int64, shape (d,)
        Number of those bins.
    ranks : dict of int to ndarray
        Categorical feature to the rank (by falling warm-up frequency) of every category code.
    """

    edges: np.ndarray
    n_edges: np.ndarray
    coarse: np.ndarray
    n_coarse: np.ndarray
    ranks: dict[int, np.ndarray]

    def prepare(self, X: np.ndarray) -> np.ndarray:
        """Replace category codes by their ranks; returns ``X`` itself where there are none."""
        if not self.ranks:
            return np.ascontiguousarray(X, dtype=np.float64)
        X = np.array(X, dtype=np.float64, order="C")
        for j, rank in self.ranks.items():
            known = ~np.isnan(X[:, j])
            codes = X[known, j].astype(np.int64)
            # a code beyond the table is a category that the warm-up did not show
            inside = codes < len(rank)
            X[known, j] = np.where(inside, rank[np.where(inside, codes, 0)], len(rank))
        return X


def fit_binning(warm: np.ndarray, categorical: Iterable[int] = (), bins: int = BINS) -> Binning:
    """Find the bins from the warm-up rows.

    Parameters
    ----------
    warm : ndarray of float64, shape (m, d)
        Warm-up rows, NaN where missing.
    categorical : iterable of int
        Features whose values are category codes 0, 1, ...
    bins : int, default 32
        Bins of equal mass for a number; the most frequent ``bins`` categories get a bin of their own.

    Returns
    -------
    Binning

    Examples
    --------
    >>> binning = fit_binning(np.array([[0.0], [1.0], [1.0], [2.0]]), bins=2)
    >>> binning.edges
    array([[1., 2.]])
    >>> bin_codes(np.array([[0.5], [1.5], [9.0], [np.nan]]), binning).ravel()
    array([0, 1, 2, 3])
    """
    categories = set(categorical)
    d = warm.shape[1]
    found: list[np.ndarray] = []
    ranks: dict[int, np.ndarray] = {}
    ordered = np.sort(warm, axis=0)
    known = (~np.isnan(ordered)).sum(axis=0)
    for j in range(d):
        m = int(known[j])
        if j in categories:
            codes = ordered[:m, j].astype(np.int64)
            frequency = np.bincount(codes)
            order = np.argsort(-frequency, kind="stable")
            seen = int((frequency > 0).sum())
            rank = np.empty(len(frequency), dtype=np.float64)
            rank[order] = np.arange(len(frequency))
            # every category that the warm-up lacks shares one place behind the others
            ranks[j] = np.minimum(rank, seen)
            found.append(np.arange(min(seen, bins), dtype=np.float64))
        elif m == 0:
            found.append(np.empty(0))
        else:
            places = -(-np.arange(1, bins + 1) * m // bins) - 1
            values = ordered[places, j]
            found.append(values[np.concatenate([[True], values[1:] > values[:-1]])])
    longest = max(len(values) for values in found)
    edges = np.full((d, longest), np.inf)
    coarse = np.zeros((d, longest + 2), dtype=np.int64)
    n_edges = np.array([len(values) for values in found], dtype=np.int64)
    n_coarse = np.empty(d, dtype=np.int64)
    for j, values in enumerate(found):
        k = len(values)
        edges[j, :k] = values
        if j in categories or k <= PSI_BINS:
            coarse[j, : k + 2] = np.arange(k + 2)
        else:
            coarse[j, :k] = np.arange(k) * PSI_BINS // k
            coarse[j, k : k + 2] = (PSI_BINS - 1, PSI_BINS)
        n_coarse[j] = coarse[j, k + 1] + 1
    return Binning(edges=edges, n_edges=n_edges, coarse=coarse, n_coarse=n_coarse, ranks=ranks)


def bin_codes(X: np.ndarray, binning: Binning) -> np.ndarray:
    """Return the bin codes, int64 of shape (n, d) (for tests and pictures; the builder needs counts only)."""
    X = binning.prepare(X)
    codes = np.empty(X.shape, dtype=np.int64)
    for j in range(X.shape[1]):
        k = int(binning.n_edges[j])
        codes[:, j] = np.searchsorted(binning.edges[j, :k], X[:, j], side="left")
        codes[np.isnan(X[:, j]), j] = k + 1
    return codes


def shift_statistics(
    X: np.ndarray,
    encoded: np.ndarray,
    bounds: np.ndarray,
    start: np.ndarray,
    warmup: int,
    categorical: Iterable[int] = (),
    bins: int = BINS,
) -> np.ndarray:
    """Compare the training data of every version with every window.

    Parameters
    ----------
    X : ndarray of float64, shape (n, d)
        Features as they arrive: category codes, NaN where missing.
    encoded : ndarray of float64, shape (n, D)
        The same rows encoded, finite.
    bounds : ndarray of int64, shape (T + 1,)
        Window bounds.
    start : ndarray of int64, shape (T,)
        Version v is trained on the windows ``start[v]..v``.
    warmup : int
        Warm-up windows W; rows ``v < W - 1`` of the result stay zero.
    categorical : iterable of int
        Categorical features.
    bins : int, default 32
        Bins of equal mass for the distribution functions.

    Returns
    -------
    ndarray of float32, shape (T, T, 3)
        ``[v, t]``: ks in [0, 1], psi >= 0, mean >= 0 in warm-up standard deviations.

    Examples
    --------
    >>> X = np.repeat([[0.0], [1.0], [0.0], [1.0], [5.0], [6.0]], 2, axis=0)
    >>> bounds = np.array([0, 4, 8, 12])
    >>> shift = shift_statistics(X, X, bounds, np.array([0, 1, 2]), warmup=1)
    >>> shift[0, :, 0], shift[0, :, 2]
    (array([0., 0., 1.], dtype=float32), array([ 0.,  0., 10.], dtype=float32))
    """
    from mlopsim.world._kernels import histogram_kernel, shift_kernel

    windows = len(bounds) - 1
    warm_rows = int(bounds[warmup])
    binning = fit_binning(X[:warm_rows], categorical, bins)
    hist = np.zeros((windows, X.shape[1], binning.coarse.shape[1]), dtype=np.int64)
    histogram_kernel(binning.prepare(X), bounds, binning.edges, binning.n_edges, hist)
    centre = encoded[:warm_rows].mean(axis=0)
    spread = encoded[:warm_rows].std(axis=0)
    # rounding leaves a constant column a deviation of about 1e-17 times its value
    spread[spread <= 1e-12 * np.abs(centre)] = 1.0
    spread[spread == 0] = 1.0
    sums = np.add.reduceat((encoded[: bounds[-1]] - centre) / spread, bounds[:-1], axis=0)
    shift = np.zeros((windows, windows, len(SHIFT_NAMES)), dtype=np.float32)
    shift_kernel(
        hist, sums, bounds, start, warmup - 1, binning.coarse, binning.n_coarse, binning.n_edges, shift
    )
    return shift
