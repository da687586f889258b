"""Intervals for proportions."""

from __future__ import annotations

import math

from mlopsim.core.errors import ConfigError
from mlopsim.stats.interval import NAN, Interval, check_level


def _check(successes: int, n: int, level: float) -> None:
    check_level(level)
    if n < 0 or not 0 <= successes <= n:
        raise ConfigError(f"{successes} successes in {n} trials is no proportion")


def wilson(successes: int, n: int, level: float = 0.95) -> Interval:
    """Wilson's score interval.

    Parameters
    ----------
    successes, n : int
        Successes among n trials.
    level : float, default 0.95
        Nominal coverage, held on average over p.

    Notes
    -----
    Wilson 1927; the recommendation of Brown, Cai and DasGupta 2001 for small n.

    Examples
    --------
    >>> wilson(8, 10)
    Interval(0.8 [0.49, 0.943], n=10)
    >>> wilson(0, 0).reason
    'no trials'
    """
    from scipy.special import ndtri

    _check(successes, n, level)
    if n == 0:
        return Interval(value=NAN, n=0, level=level, reason="no trials")
    z = float(ndtri(0.5 + level / 2))
    p = successes / n
    centre = (p + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    # the ends are exactly 0 and 1 at the extremes; rounding must not push them past p
    low = 0.0 if successes == 0 else max(0.0, centre - half)
    high = 1.0 if successes == n else min(1.0, centre + half)
    return Interval(value=p, low=low, high=high, n=n, level=level, cells=n)


def clopper_pearson(successes: int, n: int, level: float = 0.95) -> Interval:
    """Exact interval by inverting the binomial tests; covers at least ``level`` for every p.

    Notes
    -----
    Clopper and Pearson 1934, through the quantiles of the beta law.

    Examples
    --------
    >>> clopper_pearson(0, 10)
    Interval(0 [0, 0.308], n=10)
    """
    from scipy.special import betaincinv

    _check(successes, n, level)
    if n == 0:
        return Interval(value=NAN, n=0, level=level, reason="no trials")
    tail = (1 - level) / 2
    low = 0.0 if successes == 0 else float(betaincinv(successes, n - successes + 1, tail))
    high = 1.0 if successes == n else float(betaincinv(successes + 1, n - successes, 1 - tail))
    return Interval(value=successes / n, low=low, high=high, n=n, level=level, cells=n)
