"""p-values of two-sample statistics when both samples come from one law.

Those of Kolmogorov-Smirnov equal ``scipy.stats.ks_2samp``, those of Cramer-von Mises
``scipy.stats.cramervonmises_2samp`` (whose asymptotic ones lose their digits in the upper tail; these do
not) and those of Anderson-Darling ``scipy.stats.anderson_ksamp`` where its table reaches. All fall as the
statistic rises.
"""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np

#: up to so many rows in the larger sample scipy's ``method="auto"`` is exact
EXACT_KS = 10_000
EXACT_CVM = 20

#: significance levels of Scholz and Stephens (1987), Table 2, and b0 + b1 + b2 there: limits for two samples
_LEVELS = np.array([0.25, 0.1, 0.05, 0.025, 0.01, 0.005, 0.001])
_LIMITS = np.array([0.675, 1.281, 1.645, 1.96, 2.326, 2.573, 3.085]) + (
    np.array([-0.245, 0.25, 0.678, 1.149, 1.822, 2.364, 3.615])
    + np.array([-0.105, -0.305, -0.362, -0.391, -0.396, -0.345, -0.154])
)


@lru_cache(maxsize=2**17)
def ks(n1: int, n2: int, gap: int) -> float:
    """Return the p-value of the two-sided Kolmogorov-Smirnov test.

    Exact by counting lattice paths (Hodges 1958) while neither sample has more than 10,000 rows, else the law
    of the one-sample distance at ``n1 n2 / (n1 + n2)`` rows, rounded (scipy's choice, too).

    Parameters
    ----------
    n1, n2 : int
        Rows in the samples.
    gap : int
        ``n1 n2 D``, a whole number.

    Examples
    --------
    >>> round(ks(5, 5, 25), 6)  # 2 of the 252 orders separate the samples
    0.007937
    """
    if gap == 0:
        return 1.0
    if max(n1, n2) > EXACT_KS:
        from scipy.stats import kstwo

        # the same in any order, so that rounding is that of scipy
        small, large = sorted((float(n1), float(n2)))
        rows = np.round(large * small / (large + small))
        return float(np.clip(kstwo.sf(gap / (n1 * n2), rows), 0.0, 1.0))
    from mlopsim.numerics.lattice_paths import outside, outside_equal

    if n1 == n2:
        return float(outside_equal(n1, gap // n1))
    return float(outside(max(n1, n2), min(n1, n2), gap))


def kuiper(n1: int, n2: int, distance: np.ndarray) -> np.ndarray:
    """Return p-values of the two-sample Kuiper test.

    ``Q = 2 sum (4 j^2 z^2 - 1) exp(-2 j^2 z^2)`` over j >= 1 (Kuiper 1960) at
    ``z = (sqrt(m) + 0.155 + 0.24 / sqrt(m)) V``, ``m = n1 n2 / (n1 + n2)`` (Stephens 1965).

    Parameters
    ----------
    n1, n2 : int
        Rows in the samples.
    distance : ndarray of float64, shape (k,)
        V, the sum of the largest gaps upwards and downwards.

    Examples
    --------
    >>> kuiper(100, 100, np.array([0.0, 0.2, 0.4])).round(5).tolist()
    [1.0, 0.21926, 0.0]
    """
    from mlopsim.numerics.limit_laws import kuiper_tail

    root = math.sqrt(n1 * n2 / (n1 + n2))
    scale = root + 0.155 + 0.24 / root
    return np.array([kuiper_tail(scale * v) for v in distance.tolist()])


def cvm(n1: int, n2: int, u: np.ndarray) -> np.ndarray:
    """Return p-values of the two-sample Cramer-von Mises test.

    Exact (Anderson 1962; Xiao, Gordon and Yakovlev 2006) while neither sample has more than 20 rows, else
    from the limit law after matching mean and variance (Anderson 1962, eq. 15).

    Parameters
    ----------
    n1, n2 : int
        Rows in the samples.
    u : ndarray of float64, shape (k,)
        Statistic U.

    Examples
    --------
    >>> cvm(2, 2, np.array([16.0])).tolist()  # the reference before the window: two of six orders
    [0.333...]
    """
    product, rows = n1 * n2, n1 + n2
    if max(n1, n2) <= EXACT_CVM:
        values, tail = _cvm_law(n1, n2)
        whole = math.lcm(n1, n2)
        # of U, in the units of the values of the law; half steps come from midranks
        zeta = whole**2 * rows * (6 * u - product * (4 * product - 1)) // (6 * product**2)
        return tail[np.searchsorted(values, zeta, side="left")]
    from mlopsim.numerics.limit_laws import cvm_tail

    statistic = u / (product * rows) - (4 * product - 1) / (6 * rows)
    mean = (1 + 1 / rows) / 6
    variance = (rows + 1) * (4 * product * rows - 3 * (n1**2 + n2**2) - 2 * product)
    matched = 1 / 6 + (statistic - mean) / math.sqrt(45 * variance / (45 * rows**2 * 4 * product))
    return np.array([cvm_tail(x) for x in matched.tolist()])


@lru_cache(maxsize=64)
def _cvm_law(n1: int, n2: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the values of the exact law, rising, and P(at least the value), with 0 after the last.

    The statistic is a sum over the points of a lattice path; the law at a point is that of its two
    predecessors together, moved by the point's own term.
    """
    whole = math.lcm(n1, n2)
    one, two = whole // n1, whole // n2
    start: tuple[np.ndarray, np.ndarray] = np.zeros(1, dtype=np.int64), np.ones(1)
    column: list[tuple[np.ndarray, np.ndarray]] = []
    for j in range(n2 + 1):
        before, column = column, []
        for i in range(n1 + 1):
            parts = ([column[i - 1]] if i else []) + ([before[i]] if j else []) or [start]
            values, place = np.unique(np.concatenate([p[0] for p in parts]), return_inverse=True)
            counts = np.bincount(place, weights=np.concatenate([p[1] for p in parts]))
            column.append((values + (one * i - two * j) ** 2, counts))
    values, counts = column[n1]
    # whole numbers below 2 ** 53, hence exact
    tail = np.append(np.cumsum(counts[::-1])[::-1], 0.0) / math.comb(n1 + n2, n1)
    return values, tail


def ad(n1: int, n2: int, distance: np.ndarray) -> np.ndarray:
    """Return p-values of the two-sample Anderson-Darling test.

    The distance is standardised; between the levels 0.25 and 0.001 the p-value is ``exp`` of the parabola
    through the table of Scholz and Stephens (1987). Outside, where the table only says "more than 0.25" and
    "less than 0.001", its logarithm goes on in a straight line with the parabola's slope there (the true
    upper tail is nearly exponential; up to A2 = 20 the line is within a factor of 2 of the limit law), at
    most 1: good for ranking, not a published value.

    Parameters
    ----------
    n1, n2 : int
        Rows in the samples, at least 4 together.
    distance : ndarray of float64, shape (k,)
        Midrank statistic A2.

    Examples
    --------
    >>> ad(100, 100, np.array([0.5, 2.5, 10.0])).round(5).tolist()
    [0.65762, 0.04924, 2e-05]
    """
    parabola, ends = _ad_table()
    z = (distance - 1.0) / _ad_spread(n1, n2)
    inside = np.clip(z, ends[0], ends[-1])
    slope = 2.0 * parabola[0] * inside + parabola[1]
    log_p = (parabola[0] * inside + parabola[1]) * inside + parabola[2] + slope * (z - inside)
    return np.array([math.exp(v) for v in np.minimum(log_p, 0.0).tolist()])


@lru_cache(maxsize=1)
def _ad_table() -> tuple[np.ndarray, np.ndarray]:
    """Return the parabola of log p in the standardised statistic, and the ends of its table."""
    return np.polyfit(_LIMITS, np.log(_LEVELS), 2), np.array([_LIMITS.min(), _LIMITS.max()])


@lru_cache(maxsize=256)
def _ad_spread(n1: int, n2: int) -> float:
    """Return the standard deviation of A2 under equal laws (Scholz and Stephens 1987, eq. 4), two samples."""
    rows = n1 + n2
    inverse = 1.0 / n1 + 1.0 / n2
    partial = np.cumsum(1.0 / np.arange(rows - 1, 1, -1))
    h = float(partial[-1]) + 1.0
    g = float(np.sum(partial / np.arange(2, rows)))
    k = 2
    a = (4 * g - 6) * (k - 1) + (10 - 6 * g) * inverse
    b = (2 * g - 4) * k**2 + 8 * h * k + (2 * g - 14 * h - 4) * inverse - 8 * h + 4 * g - 6
    c = (6 * h + 2 * g - 2) * k**2 + (4 * h - 4 * g + 6) * k + (2 * h - 6) * inverse + 4 * h
    d = (2 * h + 6) * k**2 - 4 * h * k
    n = float(rows)
    variance = (((a * n + b) * n + c) * n + d) / ((n - 1.0) * (n - 2.0) * (n - 3.0))
    return math.sqrt(variance)
