"""Rates of groups compared: exact tests and intervals."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mlopsim.fairness.naming import entry, worst_place
from mlopsim.stats.interval import NAN, Interval
from mlopsim.stats.proportions import wilson

#: rows of a group (or slice) below which nothing is said of it: every audit and table leaves it out by this
#: rule (see :func:`comparable` and :func:`left_out`), as a group of its own; among all others its rows count
LEAST = 5
#: p-values below this count as this: scores end at 307.7
TINY = float(np.finfo(np.float64).tiny)


def surprise(p: np.ndarray) -> np.ndarray:
    """Return ``-log10 p``, at most 307.7, NaN where p is.

    Examples
    --------
    >>> surprise(np.array([1.0, 0.001, 0.0, np.nan])).round(2)
    array([  0.  ,   3.  , 307.65,    nan])
    """
    found: np.ndarray = 0.0 - np.log10(np.maximum(p, TINY))
    return found


def tails(
    k: np.ndarray, n: np.ndarray, other: np.ndarray, rest: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the probabilities of fewer, as many, and more successes than k in n rows, each of k's shape.

    Given the successes in both samples together, where both have the same rate.

    Parameters
    ----------
    k, n : ndarray of int64
        Successes and rows of one sample.
    other, rest : ndarray of int64, same shape
        Successes and rows of the other.

    Examples
    --------
    >>> [part.round(4).tolist() for part in tails(*(np.array([v]) for v in (1, 5, 3, 5)))]
    [[0.0238], [0.2381], [0.7381]]
    """
    from mlopsim.fairness.kernels.hypergeometric import tails as run

    below, at, above = np.empty((3, k.size))
    run(k.ravel(), n.ravel(), (k + other).ravel(), (n + rest).ravel(), below, at, above)
    return below.reshape(k.shape), at.reshape(k.shape), above.reshape(k.shape)


def fewer(k: np.ndarray, n: np.ndarray, other: np.ndarray, rest: np.ndarray) -> np.ndarray:
    """Return one-sided p-values of Fisher's exact test: as few successes as k of n, or fewer.

    Parameters as of :func:`tails`.

    Examples
    --------
    >>> fewer(*(np.array([v]) for v in (1, 5, 3, 5))).round(4)
    array([0.2619])
    """
    below, at, _ = tails(k, n, other, rest)
    found: np.ndarray = np.minimum(below + at, 1.0)
    return found


def two_sided(below: np.ndarray, at: np.ndarray, above: np.ndarray, u: np.ndarray) -> np.ndarray:
    """Return randomised p-values ``2 min(U, 1 - U)``, U being uniform on the interval of a value.

    They are exactly uniform. U is counted from the smaller tail, so that the p-value is the same whichever of
    two samples is called the first.

    Parameters
    ----------
    below, at, above : ndarray of float64
        Probabilities of less than what was found, of that, and of more.
    u : ndarray of float64, same shape
        Uniform in [0, 1).

    References
    ----------
    Tocher (1950), *Extension of the Neyman-Pearson theory of tests to discontinuous variates*, Biometrika
    37, 130-144.

    Examples
    --------
    >>> two_sided(*(np.array([v]) for v in (0.01, 0.04, 0.95)), np.array([0.5]))
    array([0.06])
    """
    outer = np.minimum(below, above) + u * at
    inner = np.maximum(below, above) + (1.0 - u) * at
    found: np.ndarray = np.minimum(2.0 * np.minimum(outer, inner), 1.0)
    return found


def each_of(p: np.ndarray) -> np.ndarray:
    """Return the p-values (T, H) of H groups times the number of those that are tested, at most 1.

    With two groups both tests are the same one. NaN counts as no test. The least of them is a p-value of all
    groups together (Bonferroni).

    Examples
    --------
    >>> each_of(np.array([[0.2, 0.2], [np.nan, np.nan]])), each_of(np.array([[0.1, 0.01, np.nan]]))
    (array([[0.2, 0.2],
           [nan, nan]]), array([[0.2 , 0.02,  nan]]))
    """
    tested = (~np.isnan(p)).sum(axis=1, keepdims=True)
    found: np.ndarray = np.minimum(p * (1 if p.shape[1] == 2 else tested), 1.0)
    return found


def largest(values: np.ndarray) -> np.ndarray:
    """Return the largest entry along the last axis; NaN where there is none.

    Examples
    --------
    >>> largest(np.array([[1.0, np.nan, 3.0], [np.nan] * 3]))
    array([ 3., nan])
    """
    top = np.where(np.isnan(values), -np.inf, values).max(axis=-1, initial=-np.inf)
    found: np.ndarray = np.where(np.isneginf(top), np.nan, top)
    return found


def others(values: np.ndarray) -> np.ndarray:
    """Return for each group (T, G, ...) the sum over all others."""
    found: np.ndarray = values.sum(axis=1, keepdims=True) - values
    return found


def comparable(n: np.ndarray) -> np.ndarray:
    """Return which groups can be compared with all others, bool (T, G), from their rows (T, G).

    Examples
    --------
    >>> comparable(np.array([[9, 5, 0], [9, 4, 0]]))
    array([[ True,  True, False],
           [False, False, False]])
    """
    found: np.ndarray = (n >= LEAST) & (others(n) >= LEAST)
    return found


def left_out(n: np.ndarray, groups: tuple[str, ...], what: str = "rows") -> str:
    """Return which groups have too few rows in some windows, and that this is why they are left out.

    Parameters
    ----------
    n : ndarray of int64, shape (T, G)
    groups : tuple of str
    what : str, default "rows"
        What is counted.

    Examples
    --------
    >>> left_out(np.array([[9, 9, 2], [9, 9, 9]]), ("a", "b", "c"))
    "group 'c' left out in 1 of 2 windows: fewer than 5 rows"
    >>> left_out(np.array([[9, 4, 2]]), ("a", "b", "c"), "accepted rows")
    "groups 'b' (4), 'c' (2) left out: fewer than 5 accepted rows"
    """
    counts = (n < LEAST).sum(axis=0)
    small = [g for g, count in enumerate(counts.tolist()) if count]
    if not small:
        return ""
    if len(n) == 1:
        names = ", ".join(f"'{groups[g]}' ({n[0, g]})" for g in small)
        return f"group{'s' if len(small) > 1 else ''} {names} left out: fewer than {LEAST} {what}"
    texts = [f"group '{groups[g]}' left out in {counts[g]} of {len(n)} windows" for g in small]
    return f"{'; '.join(texts)}: fewer than {LEAST} {what}"


@dataclass(frozen=True, kw_only=True)
class Compared:
    """Rates of groups, each against all others.

    Parameters
    ----------
    gaps : ndarray of float64, shape (T, G)
        Rate of each group less that of all others; NaN where one of them has too few rows.
    each : ndarray of float64, shape (T, G)
        P-value of each group's own gap times the number of groups that are compared (two count as one), at
        most 1; NaN where nothing can be tested.
    counts : ndarray of int64, shape (T, G, 4)
        Successes and rows of each group, and of all others.
    spread : ndarray of float64, shape (T,)
        Largest less smallest rate of the groups that have enough rows, as customary rules have it; with two
        groups the absolute gap. Where only one group has enough rows it is the gap from all others together.
    few, alike : ndarray of bool, shape (T,)
        Windows in which no group has enough rows to be compared, and in which all succeed or none does.
    """

    gaps: np.ndarray
    each: np.ndarray
    counts: np.ndarray
    spread: np.ndarray
    few: np.ndarray
    alike: np.ndarray

    @property
    def p(self) -> np.ndarray:
        """The least p-value, float64 (T,), which is that of the gap ``worst``."""
        return -largest(-self.each)

    @property
    def place(self) -> np.ndarray:
        """Whose p-value is the least, int64 (T,); -1: nobody's."""
        return worst_place(surprise(self.each), self.gaps)

    @property
    def worst(self) -> np.ndarray:
        """The gap with the least p-value, float64 (T,)."""
        return entry(self.gaps, self.place)


def compare(k: np.ndarray, n: np.ndarray, u: np.ndarray, known: np.ndarray | None = None) -> Compared:
    """Compare the rates of groups by Fisher's exact test, randomised.

    Given how many succeed at all, the successes of one group have the hypergeometric law if rates are equal.
    With two groups p is exactly uniform then; with more each is tested against all others and its p-value is
    multiplied by their number. What is said of a window is said of the group with the least one.

    Parameters
    ----------
    k, n : ndarray of int64, shape (T, G)
        Successes and rows.
    u : ndarray of float64, shape (T,)
        Uniform in [0, 1).
    known : ndarray of bool, shape (T, G), optional
        Groups that are compared; default: :func:`comparable`.

    References
    ----------
    Lehmann and Romano (2005), *Testing statistical hypotheses*, 4.5: the unbiased test of two binomials.

    Examples
    --------
    >>> found = compare(np.array([[30, 10]]), np.array([[100, 100]]), np.array([0.5]))
    >>> found.gaps.round(3), found.p.round(5)
    (array([[ 0.2, -0.2]]), array([0.0004]))
    >>> three = compare(np.array([[44, 50, 56]]), np.array([[100, 100, 100]]), np.array([0.5]))
    >>> three.worst.round(3), three.spread.round(3)
    (array([-0.09]), array([0.12]))

    The largest gap may be that of a small group, and mean less than a smaller one:

    >>> small = compare(np.array([[60, 80, 6]]), np.array([[200, 200, 10]]), np.array([0.5]))
    >>> small.gaps.round(2), small.place, small.worst.round(2), small.p.round(3)
    (array([[-0.11,  0.09,  0.25]]), array([0]), array([-0.11]), array([0.063]))
    """
    enough = (n >= LEAST) if known is None else known
    known = comparable(n) if known is None else known
    rest_k, rest_n = others(k), others(n)
    with np.errstate(invalid="ignore", divide="ignore"):
        gaps = np.where(known, k / n - rest_k / rest_n, np.nan)
    hits, rows = k.sum(axis=1), n.sum(axis=1)
    few = np.logical_not(known.any(axis=1))
    alike = ~few & ((hits == 0) | (hits == rows))
    p = np.full(k.shape, np.nan)
    told = known & ~alike[:, None]
    if told.any():
        draws = np.broadcast_to(u[:, None], k.shape)
        p[told] = two_sided(*tails(k[told], n[told], rest_k[told], rest_n[told]), draws[told])
    counts = np.stack([k, n, rest_k, rest_n], axis=2)
    spread = _spread(k, n, gaps, enough)
    return Compared(gaps=gaps, each=each_of(p), counts=counts, spread=spread, few=few, alike=alike)


def _spread(k: np.ndarray, n: np.ndarray, gaps: np.ndarray, enough: np.ndarray) -> np.ndarray:
    rate = np.where(enough, k / np.maximum(n, 1), np.nan)
    between: np.ndarray = largest(rate) + largest(-rate)
    return np.where(enough.sum(axis=1) > 1, between, largest(np.abs(gaps)))


def gap_interval(k1: int, n1: int, k2: int, n2: int, level: float = 0.95) -> Interval:
    """Return the difference of two rates with an interval: the first less the second.

    The hybrid of two Wilson intervals: for small samples its coverage is near the level on average, and it
    never leaves [-1, 1].

    Parameters
    ----------
    k1, n1, k2, n2 : int
        Successes and rows.
    level : float, default 0.95
        Nominal coverage.

    Returns
    -------
    Interval
        Its n are all rows; NaN with a reason where a group has none.

    Raises
    ------
    ConfigError
        If there are more successes than rows.

    References
    ----------
    Newcombe (1998), *Interval estimation for the difference between independent proportions: comparison of
    eleven methods*, Statistics in Medicine 17, 873-890, method 10.

    Examples
    --------
    >>> found = gap_interval(56, 70, 48, 80)  # a row of the paper's Table II
    >>> round(found.value, 4), round(found.low, 4), round(found.high, 4)
    (0.2, 0.0524, 0.3339)
    """
    one, other = wilson(k1, n1, level), wilson(k2, n2, level)
    if not (one.bounded and other.bounded):
        return Interval(value=NAN, n=n1 + n2, level=level, reason="a group without rows")
    gap = one.value - other.value
    low = gap - float(np.hypot(one.value - one.low, other.high - other.value))
    high = gap + float(np.hypot(one.high - one.value, other.value - other.low))
    return Interval(value=gap, low=low, high=high, n=n1 + n2, level=level)


def ratio_interval(k1: int, n1: int, k2: int, n2: int, level: float = 0.95) -> Interval:
    """Return the ratio of two rates with an interval: the first by the second.

    From the ends of both Wilson intervals, as :func:`gap_interval` is (MOVER-R).

    Parameters
    ----------
    k1, n1, k2, n2 : int
        Successes and rows.
    level : float, default 0.95
        Nominal coverage.

    Returns
    -------
    Interval
        Its n are all rows; NaN with a reason where there is no second success.

    Raises
    ------
    ConfigError
        If there are more successes than rows.

    References
    ----------
    Donner and Zou (2012), *Closed-form confidence intervals for functions of the normal mean and standard
    deviation*, Statistical Methods in Medical Research 21, 347-359.

    Examples
    --------
    >>> ratio_interval(26, 285, 463, 1002)
    Interval(0.197 [0.136, 0.284], n=1287)
    """
    one, other = wilson(k1, n1, level), wilson(k2, n2, level)
    if not (one.bounded and other.bounded and k2 > 0):
        return Interval(value=NAN, n=n1 + n2, level=level, reason="no success to compare with")
    product, low = one.value * other.value, other.low * (2.0 * other.value - other.low)
    # products that vanish where an end is 0, or twice the rate
    first, second = one.low * (2.0 * one.value - one.low), one.high * (2.0 * one.value - one.high)
    below = product + np.sqrt(max(product**2 - first * other.high * (2.0 * other.value - other.high), 0.0))
    bottom = first / below if first > 0.0 else 0.0
    top = (product + np.sqrt(max(product**2 - second * low, 0.0))) / low
    return Interval(value=one.value / other.value, low=float(bottom), high=float(top), n=n1 + n2, level=level)
