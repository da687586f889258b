"""Closed forms and exact sums: what charts of rates do in control."""

from __future__ import annotations

import math

import numpy as np

from mlopsim.core.errors import ConfigError
from mlopsim.core.spec import check_range
from mlopsim.fairness.calibration import per_window


def sigma_z(n: int, rho: float) -> float:
    """Return how much wider than binomial a share of n rows with intraclass correlation rho is.

    Parameters
    ----------
    n : int
        Rows.
    rho : float
        Intraclass correlation, in [0, 1].

    Examples
    --------
    >>> sigma_z(300, 0.0), round(sigma_z(300, 0.005), 3)
    (1.0, 1.58)
    """
    check_range("n", n, 1, 10**9)
    check_range("rho", rho, 0.0, 1.0)
    return math.sqrt(1.0 + (n - 1) * rho)


def masses(n: int, p: float, rho: float = 0.0) -> np.ndarray:
    """Return the probabilities of 0..n successes, beta-binomial, float64 (n + 1,).

    Parameters
    ----------
    n : int
        Rows.
    p : float
        Mean rate.
    rho : float, default 0
        Intraclass correlation, in [0, 1); 0: binomial.

    Examples
    --------
    >>> masses(2, 0.5).round(3), masses(2, 0.5, 0.5).round(3)
    (array([0.25, 0.5 , 0.25]), array([0.375, 0.25 , 0.375]))
    """
    from mlopsim.governance.monitoring.kernels.beta_binomial import tails

    check_range("n", n, 1, 10**6)
    check_range("p", p, 0.0, 1.0)
    if not 0.0 <= rho < 1.0:
        raise ConfigError(f"rho must be in [0, 1), got {rho}", remedy="0: independent rows")
    parts = np.empty((3, n + 1))
    counts = np.arange(n + 1, dtype=np.int64)
    tails(counts, np.full(n + 1, n), np.full(n + 1, p), np.full(n + 1, rho), *parts)
    found: np.ndarray = parts[1]
    return found


def chart_alarm(n: int, p: float, rho: float = 0.0, width: float = 3.0) -> float:
    """Return how often a binomial p-chart alarms in a window in control whose rows are correlated. Exact.

    Parameters
    ----------
    n : int
        Rows of a window.
    p : float
        Rate in control, in (0, 1).
    rho : float, default 0
        Intraclass correlation.
    width : float, default 3
        Limit in binomial standard deviations.

    Examples
    --------
    >>> [round(chart_alarm(300, 0.1, rho), 3) for rho in (0.0, 0.002, 0.005)]
    [0.003, 0.018, 0.056]
    """
    z = (np.arange(n + 1) / n - p) / math.sqrt(p * (1.0 - p) / n)
    return float(masses(n, p, rho)[np.abs(z) > width].sum())


def any_alarm(once: float, windows: int) -> float:
    """Return how often any of so many independent windows alarms.

    Parameters
    ----------
    once : float
        Probability in one window.
    windows : int

    Examples
    --------
    >>> round(any_alarm(chart_alarm(300, 0.1, 0.005), 50), 2)
    0.94
    """
    return 1.0 if once >= 1.0 else -math.expm1(windows * math.log1p(-once))


def charts_alarm(charts: int, width: float = 3.0) -> float:
    """Return how often any of so many independent normal charts alarms in a window: 1 by the run length.

    Examples
    --------
    >>> once = charts_alarm(14)
    >>> round(once, 3), round(1 / once), round(any_alarm(once, 50), 2)
    (0.037, 27, 0.85)
    """
    return any_alarm(math.erfc(width / math.sqrt(2.0)), charts)


def conservative_z(alpha: float, charts: int, windows: int) -> float:
    """Return the two-sided limit of each chart at which any alarms with probability alpha at most.

    Attained if charts and windows are independent.

    Examples
    --------
    >>> round(conservative_z(0.05, 14, 50), 2)
    3.97
    """
    from scipy.special import ndtri

    check_range("alpha", alpha, 0.0, 1.0, open_low=True)
    check_range("charts", charts, 1, 10**6)
    check_range("windows", windows, 1, 10**9)
    return float(-ndtri(per_window(alpha, charts * windows) / 2.0))


def gap_noise(n: int, p: float, limit: float) -> tuple[float, float]:
    """Return how often the gap of a fair model is seen above a limit, and its mean size.

    Two groups of n rows with the same true rate. Exact, over all pairs of counts.

    Parameters
    ----------
    n : int
        Rows of each group.
    p : float
        True rate of both.
    limit : float
        A gap of exactly the limit is not above it.

    Examples
    --------
    >>> [tuple(round(v, 3) for v in gap_noise(n, 0.5, 0.1)) for n in (30, 100, 300)]
    [(0.366, 0.103), (0.137, 0.056), (0.013, 0.033)]
    """
    check_range("n", n, 1, 10_000)
    chance = masses(n, p)
    # the gap of two counts, from all pairs
    law = np.convolve(chance, chance[::-1])
    size = np.abs(np.arange(-n, n + 1)) / n
    return float(law[size > limit + 1e-12].sum()), float((law * size).sum())
