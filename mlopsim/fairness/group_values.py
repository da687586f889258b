"""Values of groups compared: means and distribution functions, each group against all others."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mlopsim.fairness.rates import comparable, largest, others, worst_of
from mlopsim.numerics import two_sample_pvalues as nulls


@dataclass(frozen=True, kw_only=True)
class Values:
    """Numbers of the rows of T windows, and whose they are.

    Parameters
    ----------
    values : ndarray of float64, shape (m, d)
    place : ndarray of int64, shape (m,)
        Number of the (window, group) of each row: window times groups plus group, windows never falling.
    rows : ndarray of int64, shape (T, G)
        How many rows each window and group has.

    Examples
    --------
    >>> values = np.array([[0.0], [2.0], [4.0], [6.0]])
    >>> Values(values=values, place=np.array([0, 0, 1, 1]), rows=np.array([[2, 2]])).bounds
    array([0, 4])
    """

    values: np.ndarray
    place: np.ndarray
    rows: np.ndarray

    @property
    def bounds(self) -> np.ndarray:
        """First row of each window, and the number of rows, int64 (T + 1,)."""
        found: np.ndarray = np.concatenate([[0], np.cumsum(self.rows.sum(axis=1))])
        return found


@dataclass(frozen=True, kw_only=True)
class Means:
    """Means of groups, each against all others.

    Parameters
    ----------
    gaps : ndarray of float64, shape (T, G, d)
        Mean of each group less that of all others, in standard deviations of the window's rows; NaN where one
        of them has too few rows, or nothing varies.
    z : ndarray of float64, shape (T, G, d)
        The same in standard errors.
    """

    gaps: np.ndarray
    z: np.ndarray

    @property
    def blame(self) -> np.ndarray:
        """Largest absolute z of each column, float64 (T, d); a column that says nothing is not to blame."""
        top = largest(np.swapaxes(np.abs(self.z), 1, 2))
        known = np.logical_not(np.isnan(top).all(axis=1))[:, None]
        return np.where(known, np.nan_to_num(top, nan=0.0), np.nan)

    def worst(self) -> tuple[np.ndarray, np.ndarray]:
        """Return the absolute gap with the largest absolute z of each window, and that z, float64 (T,) each.

        Both are of the same group and column.
        """
        windows = len(self.z)
        size = np.abs(self.z).reshape(windows, -1)
        top = largest(size)
        place = np.where(np.isnan(size), -np.inf, size).argmax(axis=1)
        gap = np.abs(self.gaps).reshape(windows, -1)[np.arange(windows), place]
        return np.where(np.isnan(top), np.nan, gap), top


def compare_means(seen: Values) -> Means:
    """Compare the means of groups, studentised by what shuffled groups would give.

    Where groups do not matter, the gap of a group of n of N rows has the variance
    ``S^2 N / (n (N - n))`` over all ways to deal the groups, ``S^2`` being the variance of all N rows. A small
    group is thus as rarely far out as a large one, and a column that varies little counts as much as another.

    Parameters
    ----------
    seen : Values

    References
    ----------
    Pitman (1937), *Significance tests which may be applied to samples from any populations*, Suppl. J. R.
    Stat. Soc. 4, 119-130: the moments over all deals.

    Examples
    --------
    >>> values = np.arange(10.0)[:, None]
    >>> place = np.repeat([0, 1], 5)
    >>> found = compare_means(Values(values=values, place=place, rows=np.array([[5, 5]])))
    >>> found.gaps[0, :, 0].round(3), found.z[0, :, 0].round(3)
    (array([-1.651,  1.651]), array([-2.611,  2.611]))
    """
    from mlopsim.fairness.kernels.segments import sums

    windows, groups = seen.rows.shape
    d = seen.values.shape[1]
    size = seen.rows.sum(axis=1)
    window = seen.place // groups

    def total(values: np.ndarray) -> np.ndarray:
        out = np.zeros((windows * groups, d))
        sums(values, seen.place, out)
        return out.reshape(windows, groups, d)

    # centred first: far from 0 sums of squares lose their digits
    centre = total(seen.values).sum(axis=1) / np.maximum(size, 1)[:, None]
    centred = seen.values - centre[window]
    mine = total(centred)
    variance = total(centred * centred).sum(axis=1) / np.maximum(size - 1, 1)[:, None]
    # what rounding leaves of a constant is no spread
    varies = variance > (1e-12 * np.maximum(np.abs(centre), 1e-300)) ** 2
    spread = np.where(varies, np.sqrt(np.where(varies, variance, 1.0)), np.nan)
    known = comparable(seen.rows)
    n, rest = seen.rows, others(seen.rows)
    with np.errstate(invalid="ignore", divide="ignore"):
        gap = mine / n[:, :, None] - others(mine) / rest[:, :, None]
        root = np.sqrt(n * rest / np.maximum(size, 1)[:, None])
    gap = np.where(known[:, :, None], gap, np.nan) / spread[:, None, :]
    return Means(gaps=gap, z=gap * root[:, :, None])


@dataclass(frozen=True, kw_only=True)
class Laws:
    """Distribution functions of groups, each against all others.

    Parameters
    ----------
    distance : ndarray of float64, shape (T, G, d)
        Kolmogorov-Smirnov; NaN where a group, or all others together, have too few rows.
    p : ndarray of float64, shape (T,)
        Of equal laws: the least p-value times columns and groups (Bonferroni); NaN where nothing is tested.
    """

    distance: np.ndarray
    p: np.ndarray

    @property
    def blame(self) -> np.ndarray:
        """Largest distance of each column, float64 (T, d)."""
        return largest(np.swapaxes(self.distance, 1, 2))


def compare_laws(seen: Values, missing: np.ndarray) -> Laws:
    """Compare the distribution functions of groups by the Kolmogorov-Smirnov test.

    Parameters
    ----------
    seen : Values
    missing : ndarray of bool, shape (T,)
        Windows of which nothing is to be said.

    References
    ----------
    Smirnov (1939), Bull. Math. Univ. Moscou 2; Hodges (1958), *The significance probability of the Smirnov
    two-sample test*, Arkiv foer Matematik 3, 469-486.

    Examples
    --------
    >>> values = np.arange(10.0)[:, None]
    >>> seen = Values(values=values, place=np.repeat([0, 1], 5), rows=np.array([[5, 5]]))
    >>> found = compare_laws(seen, np.array([False]))
    >>> found.distance[0, 0], found.p.round(4)  # 2 of 252 orders
    (array([1.]), array([0.0079]))
    """
    from mlopsim.fairness.kernels.segments import distances

    n, d = seen.rows, seen.values.shape[1]
    groups = n.shape[1]
    rest = others(n)
    gaps = np.zeros((*n.shape, d), dtype=np.int64)
    distances(np.ascontiguousarray(seen.values.T), seen.place % groups, seen.bounds, n, gaps)
    tested = comparable(n) & ~missing[:, None]
    # of columns with equal numbers of rows the largest distance has the smallest p-value
    top = gaps.max(axis=2, initial=0)
    p = np.full(n.shape, np.nan)
    sizes = zip(n[tested].tolist(), rest[tested].tolist(), top[tested].tolist(), strict=True)
    p[tested] = [min(d * nulls.ks(*size), 1.0) for size in sizes]
    size = np.where(tested, n * rest, 1)[:, :, None]
    return Laws(distance=np.where(tested[:, :, None], gaps / size, np.nan), p=worst_of(p))
