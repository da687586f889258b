"""Rank tests over data sets, their critical difference, and Holm's correction."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from mlopsim.core.errors import ConfigError
from mlopsim.stats.interval import NAN, check_level

Direction = Literal["max", "min"]


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
