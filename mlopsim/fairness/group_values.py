"""Values of groups compared: means and distribution functions, each group against all others."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mlopsim.fairness.audit import Findings
from mlopsim.fairness.naming import Named, entry, worst_place
from mlopsim.fairness.rates import LEAST, comparable, each_of, largest, others, surprise
from mlopsim.numerics import two_sample_pvalues as nulls
from mlopsim.stats.interval import NAN, Interval


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
    def score(self) -> np.ndarray:
        """The largest absolute z of each window, float64 (T,)."""
        return largest(np.abs(self.z).reshape(len(self.z), -1))

    @property
    def place(self) -> np.ndarray:
        """Number of the group and column (groups times columns) with the largest absolute z, int64 (T,)."""
        flat = len(self.z), -1
        return worst_place(np.abs(self.z).reshape(flat), self.gaps.reshape(flat))

    @property
    def gap(self) -> np.ndarray:
        """The gap with the largest absolute z, with its sign, float64 (T,)."""
        return entry(self.gaps.reshape(len(self.z), -1), self.place)

    @property
    def blame(self) -> np.ndarray:
        """Absolute z of each column, of the named group, float64 (T, d); who says nothing is not to blame."""
        found = np.nan_to_num(np.abs(entry(self.z, self.named().group)))
        return np.where((self.place < 0)[:, None], np.nan, found)

    def named(self, columns: tuple[str, ...] = ()) -> Named:
        """Return whose the gap is.

        Parameters
        ----------
        columns : tuple of str, optional
            Names of the columns; default: they are not named.
        """
        place, d = self.place, max(self.z.shape[2], 1)
        group, column = (np.where(place < 0, -1, part) for part in (place // d, place % d))
        return Named(group=group, part=column if columns else None, parts=columns)


def compare_means(seen: Values) -> Means:
    """Compare the means of groups, studentised by what shuffled groups would give.

    Where groups do not matter, the gap of a group of n of N rows has the variance ``S^2 N / (n (N - n))``
    over all ways to deal the groups, ``S^2`` being the variance of all N rows. A small group is thus as
    rarely far out as a large one, and a column that varies little counts as much as another.

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
    each : ndarray of float64, shape (T, G)
        P-value of each group: the least of its columns times columns and groups (Bonferroni); NaN where
        nothing is tested.
    rows : ndarray of int64, shape (T, G)
    """

    distance: np.ndarray
    each: np.ndarray
    rows: np.ndarray

    @property
    def p(self) -> np.ndarray:
        """Of equal laws, float64 (T,): the least p-value; NaN where nothing is tested."""
        return -largest(-self.each)

    @property
    def place(self) -> np.ndarray:
        """Whose p-value is the least, int64 (T,): of equal ones the smaller group's."""
        return worst_place(surprise(self.each), self.rows.astype(np.float64))

    @property
    def blame(self) -> np.ndarray:
        """Distance of each column, of the named group, float64 (T, d)."""
        return entry(self.distance, self.place)

    @property
    def worst(self) -> np.ndarray:
        """The largest distance of the named group, float64 (T,)."""
        return largest(self.blame)

    def named(self, columns: tuple[str, ...] = ()) -> Named:
        """Return whose the largest distance is; without names of the columns these are not named."""
        distance = self.blame
        column = np.where(self.place < 0, -1, np.nan_to_num(distance, nan=-1.0).argmax(axis=1))
        return Named(group=self.place, part=column if columns else None, parts=columns)


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
    return Laws(distance=np.where(tested[:, :, None], gaps / size, np.nan), each=each_of(p), rows=n)


def welch(mine: np.ndarray, rest: np.ndarray, level: float) -> list[Interval]:
    """Return differences of the means of d columns with Welch's intervals: the first rows less the second.

    Parameters
    ----------
    mine, rest : ndarray of float64, shapes (n, d) and (m, d)
    level : float

    Returns
    -------
    list of d Intervals
        Without ends where one side has too few rows.

    References
    ----------
    Welch (1947), Biometrika 34, 28-35.

    Examples
    --------
    >>> welch(np.array([[5.0], [6.0], [7.0], [8.0], [9.0]]), np.arange(6.0)[:, None], 0.95)
    [Interval(4.5 [2.15, 6.85], n=11)]
    """
    from scipy.stats import t as student

    n, m, d = len(mine), len(rest), mine.shape[1]
    if min(n, m) < LEAST:
        reason = f"fewer than {LEAST} rows in a group"
        return [Interval(value=NAN, n=n + m, level=level, reason=reason)] * d
    a, b = mine.var(axis=0, ddof=1) / n, rest.var(axis=0, ddof=1) / m
    gap, error = mine.mean(axis=0) - rest.mean(axis=0), np.sqrt(a + b)
    # a feature that adds the same to everybody has no error
    freedom = np.where(error > 0.0, error**4 / np.maximum(a**2 / (n - 1) + b**2 / (m - 1), 1e-300), 1.0)
    half = student.ppf(0.5 + level / 2.0, freedom) * error
    return [
        Interval(value=float(v), low=float(v - h), high=float(v + h), n=n + m, level=level)
        for v, h in zip(gap, half, strict=True)
    ]


def distance_interval(values: np.ndarray, group: np.ndarray, found: Findings, level: float) -> Interval:
    """Return the distance that was found in the first window with its interval, see ``two_cdfs``.

    Parameters
    ----------
    values : ndarray of float64, shape (m, d)
        Of the rows of one window.
    group : ndarray of int64, shape (m,)
    found : Findings
        From :func:`compare_laws`.
    level : float
    """
    from mlopsim.numerics.ecdf import two_cdfs

    if found.named is None or found.named.group[0] < 0:
        return Interval(value=NAN, n=len(values), level=level, reason=found.reason)
    own, column = group == found.named.group[0], 0 if found.named.part is None else found.named.part[0]
    return two_cdfs(values[~own, column], values[own, column], level=level).distance


def mean_interval(values: np.ndarray, group: np.ndarray, found: Findings, level: float) -> Interval:
    """Return the gap that was found in the first window, in standard deviations, with Welch's interval.

    Parameters as of :func:`distance_interval`; the findings are from :func:`compare_means`.
    """
    if found.named is None or found.named.group[0] < 0:
        return Interval(value=NAN, n=len(values), level=level, reason=found.reason)
    own, column = group == found.named.group[0], 0 if found.named.part is None else found.named.part[0]
    scaled = values[:, column : column + 1] / values[:, column].std(ddof=1)
    (interval,) = welch(scaled[own], scaled[~own], level)
    return interval
