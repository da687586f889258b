"""Rank tests over data sets, their critical difference, and paired tests with Holm's correction."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from mlopsim.core.errors import ConfigError
from mlopsim.stats.interval import NAN, check_level

Direction = Literal["max", "min"]
# 2**16 sign patterns: exact up to here, drawn at random above
_EXACT_PAIRS = 16


@dataclass(frozen=True, kw_only=True)
class RankTest:
    """Friedman's test with what a critical-difference diagram needs.

    Parameters
    ----------
    ranks : ndarray of float64, shape (k,)
        Mean rank of each method, 1 is best.
    n, k : int
        Blocks (rows without an undefined value) and methods.
    excluded : int
        Rows left out because a method's value was undefined.
    statistic, p : float
        Friedman's chi-square, corrected for ties, and its p-value with k - 1 degrees of freedom.
    f_statistic, f_p : float
        The less conservative F form of Iman and Davenport 1980.
    reason : str
        Why numbers are NaN.
    """

    ranks: np.ndarray
    n: int
    k: int
    excluded: int
    statistic: float = NAN
    p: float = NAN
    f_statistic: float = NAN
    f_p: float = NAN
    reason: str = ""


def friedman(scores: ArrayLike, *, direction: Direction = "max") -> RankTest:
    """Test whether k methods have the same mean rank over n blocks.

    Parameters
    ----------
    scores : array_like of float, shape (n, k)
        One row per block (data set or seed), one column per method. Rows with an undefined value are left
        out and counted.
    direction : {"max", "min"}
        Whether larger or smaller is better.

    Returns
    -------
    RankTest
        With fewer than 3 methods or 2 complete rows only the ranks, with a reason.

    Notes
    -----
    Friedman 1937; Demsar 2006, "Statistical Comparisons of Classifiers over Multiple Data Sets", 3.2.2.

    Examples
    --------
    >>> test = friedman([[3., 2., 1.]] * 4)
    >>> test.ranks, round(test.statistic, 6)
    (array([1., 2., 3.]), 8.0)
    """
    from scipy.special import chdtrc, fdtrc
    from scipy.stats import rankdata

    x = np.asarray(scores, dtype=np.float64)
    if x.ndim != 2:
        raise ConfigError(f"scores must have the shape (blocks, methods), got {x.shape}")
    if direction not in ("max", "min"):
        raise ConfigError(f"unknown direction '{direction}'", remedy="one of: max, min")
    complete = x[np.isfinite(x).all(axis=1)]
    n, k = complete.shape
    excluded = len(x) - n
    if n == 0:
        return RankTest(ranks=np.full(k, np.nan), n=0, k=k, excluded=excluded, reason="no complete row")
    table = rankdata(-complete if direction == "max" else complete, axis=1)
    ranks = table.mean(axis=0)
    if n < 2 or k < 3:
        reason = f"{n} rows and {k} methods: the test needs 2 and 3"
        return RankTest(ranks=ranks, n=n, k=k, excluded=excluded, reason=reason)
    spread = float(np.sum((table - (k + 1) / 2) ** 2))
    if spread == 0.0:
        return RankTest(ranks=ranks, n=n, k=k, excluded=excluded, reason="all methods are tied in every row")
    statistic = (k - 1) * n * n * float(np.sum((ranks - (k + 1) / 2) ** 2)) / spread
    rest = n * (k - 1) - statistic
    # perfect agreement of all rows: the F form diverges
    f = math.inf if rest <= 1e-12 * n * (k - 1) else (n - 1) * statistic / rest
    f_p = 0.0 if math.isinf(f) else float(fdtrc(k - 1, (k - 1) * (n - 1), f))
    return RankTest(
        ranks=ranks,
        n=n,
        k=k,
        excluded=excluded,
        statistic=statistic,
        p=float(chdtrc(k - 1, statistic)),
        f_statistic=f,
        f_p=f_p,
    )


def nemenyi_cd(k: int, n: int, *, level: float = 0.95) -> float:
    """Critical difference of mean ranks: q sqrt(k (k + 1) / (6 n)).

    Parameters
    ----------
    k, n : int
        Methods (at least 2) and blocks (at least 1).
    level : float, default 0.95
        One minus the family-wise error rate.

    Returns
    -------
    float
        Two methods differ if their mean ranks are further apart.

    Notes
    -----
    Nemenyi 1963; Demsar 2006, equation in 3.2.2: q is the studentised range with infinite degrees of
    freedom over sqrt(2).

    Examples
    --------
    >>> round(nemenyi_cd(4, 14), 2)
    1.25
    """
    from scipy.stats import studentized_range

    check_level(level)
    if k < 2 or n < 1:
        raise ConfigError(f"a critical difference needs 2 methods and 1 block, got {k} and {n}")
    q = float(studentized_range.ppf(level, k, math.inf)) / math.sqrt(2)
    return q * math.sqrt(k * (k + 1) / (6 * n))


def cliques(ranks: ArrayLike, cd: float) -> list[tuple[int, ...]]:
    """Maximal groups of methods, best first, whose mean ranks lie within the critical difference.

    Examples
    --------
    >>> cliques([1., 3., 2., 6.], 1.5)
    [(0, 2), (2, 1)]
    """
    values = np.asarray(ranks, dtype=np.float64)
    order = [int(i) for i in np.argsort(values, kind="stable")]
    groups: list[tuple[int, ...]] = []
    reached = -1
    for start in range(len(order)):
        stop = start
        while stop + 1 < len(order) and values[order[stop + 1]] - values[order[start]] <= cd:
            stop += 1
        if stop > start and stop > reached:
            groups.append(tuple(order[start : stop + 1]))
            reached = stop
    return groups


def holm(p: ArrayLike) -> np.ndarray:
    """Adjust p-values by Holm's step-down method; NaN stays NaN and is not counted.

    Notes
    -----
    Holm 1979.

    Examples
    --------
    >>> holm([.01, .04, .03])
    array([0.03, 0.06, 0.06])
    """
    values = np.asarray(p, dtype=np.float64)
    out = np.full(values.shape, np.nan)
    known = np.flatnonzero(np.isfinite(values))
    order = known[np.argsort(values[known], kind="stable")]
    steps = values[order] * np.arange(len(order), 0, -1)
    out[order] = np.minimum(np.maximum.accumulate(steps), 1.0)
    return out


@dataclass(frozen=True, kw_only=True)
class PairTest:
    """Wilcoxon's signed-rank test of two methods.

    Parameters
    ----------
    first, second : int
        Columns of the methods.
    n : int
        Pairs where both are defined.
    difference : float
        Median of first - second.
    p, p_holm : float
        Two-sided p-value and the one adjusted for all pairs.
    reason : str
        Why p is NaN.
    """

    first: int
    second: int
    n: int
    difference: float
    p: float
    p_holm: float
    reason: str = ""


def wilcoxon_holm(scores: ArrayLike, pairs: Sequence[tuple[int, int]] | None = None) -> list[PairTest]:
    """Wilcoxon signed-rank tests of pairs of methods with Holm's correction.

    Parameters
    ----------
    scores : array_like of float, shape (n, k)
    pairs : sequence of (int, int), optional
        Columns to compare; all pairs by default.

    Returns
    -------
    list of PairTest
        In the order of the pairs.

    Notes
    -----
    Demsar 2006; Garcia and Herrera 2008. Zero differences are split between the signs (Pratt's ranks
    would drop less power than Wilcoxon's omission): ``zero_method="zsplit"`` of scipy.

    Examples
    --------
    >>> a = np.arange(10.)
    >>> test, = wilcoxon_holm(np.stack([a + 1, a], axis=1))
    >>> test.n, test.difference, test.p < .01
    (10, 1.0, True)
    """
    from scipy.stats import wilcoxon

    x = np.asarray(scores, dtype=np.float64)
    if x.ndim != 2:
        raise ConfigError(f"scores must have the shape (blocks, methods), got {x.shape}")
    chosen = list(pairs) if pairs is not None else list(itertools.combinations(range(x.shape[1]), 2))
    raw: list[tuple[int, float, float, str]] = []
    for i, j in chosen:
        both = x[np.isfinite(x[:, i]) & np.isfinite(x[:, j])]
        d = both[:, i] - both[:, j]
        if len(d) < 2:
            raw.append((len(d), NAN, NAN, f"{len(d)} pairs: the test needs at least 2"))
        elif not d.any():
            raw.append((len(d), 0.0, NAN, "all differences are zero"))
        else:
            raw.append((len(d), float(np.median(d)), float(wilcoxon(d, zero_method="zsplit").pvalue), ""))
    adjusted = holm([p for _, _, p, _ in raw])
    return [
        PairTest(first=i, second=j, n=n, difference=d, p=p, p_holm=float(q), reason=reason)
        for (i, j), (n, d, p, reason), q in zip(chosen, raw, adjusted, strict=True)
    ]


@dataclass(frozen=True, kw_only=True)
class PermutationTest:
    """A sign-flip test of paired differences.

    Parameters
    ----------
    difference : float
        Mean of the differences.
    p : float
        Two-sided p-value.
    n : int
        Clusters whose signs were flipped.
    exact : bool
        Whether all 2^n sign patterns were counted.
    reason : str
        Why p is NaN.
    """

    difference: float
    p: float
    n: int
    exact: bool
    reason: str = ""


def permutation_test(
    differences: ArrayLike, rng: np.random.Generator, *, permutations: int = 20_000
) -> PermutationTest:
    """Test whether paired differences are symmetric about zero, flipping whole seeds.

    Parameters
    ----------
    differences : array_like of float, shape (seeds,) or (seeds, tasks)
        Signs are flipped jointly across the tasks of a seed; NaN is left out.
    rng : Generator
        Used above 16 seeds only.
    permutations : int, default 20000
        Random sign patterns above 16 seeds; the p-value is (b + 1) / (m + 1), never 0.

    Notes
    -----
    Fisher's randomisation test; Phipson and Smyth 2010 for the p-value.

    Examples
    --------
    >>> permutation_test([1., 1., 1., 1.], np.random.default_rng(0)).p
    0.125
    """
    d = np.asarray(differences, dtype=np.float64)
    d = d[:, None] if d.ndim == 1 else d
    ok = np.isfinite(d)
    used = ok.any(axis=1)
    sums = np.where(ok, d, 0.0).sum(axis=1)[used]
    n = len(sums)
    if n == 0:
        return PermutationTest(difference=NAN, p=NAN, n=0, exact=False, reason="no defined difference")
    mean = float(sums.sum() / ok.sum())
    if n < 2:
        return PermutationTest(difference=mean, p=NAN, n=n, exact=False, reason="1 seed: at least 2 needed")
    observed = abs(float(sums.sum()))
    # sums of the same numbers in another order differ by rounding: ties must count
    slack = 1e-12 * float(np.abs(sums).sum())
    if n <= _EXACT_PAIRS:
        bits = (np.arange(2**n)[:, None] >> np.arange(n)) & 1
        reached = np.abs((1 - 2 * bits) @ sums) >= observed - slack
        return PermutationTest(difference=mean, p=float(reached.mean()), n=n, exact=True)
    hits, left = 0, permutations
    while left > 0:
        block = min(left, max(1, 2_000_000 // n))
        signs = 1.0 - 2.0 * rng.integers(0, 2, size=(block, n))
        hits += int((np.abs(signs @ sums) >= observed - slack).sum())
        left -= block
    return PermutationTest(difference=mean, p=(hits + 1) / (permutations + 1), n=n, exact=False)
