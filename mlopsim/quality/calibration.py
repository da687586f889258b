"""Limits with an exact false-alarm rate at finite n."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from mlopsim.core.errors import ConfigError, DataError


@dataclass(frozen=True, kw_only=True)
class Limit:
    """A conformal limit: scores above it are flagged.

    Parameters
    ----------
    threshold : float
        The k-th smallest of n calibration scores.
    n : int
        Calibration scores.
    k : int
        ``ceil((n + 1) (1 - alpha))``.
    """

    threshold: float
    n: int
    k: int

    @property
    def rate(self) -> float:
        """False-alarm rate of exchangeable scores without ties, exact; with ties it is lower."""
        return (self.n + 1 - self.k) / (self.n + 1)

    def flags(self, scores: np.ndarray) -> np.ndarray:
        """Return which scores are above the limit, bool of the same shape; NaN is not."""
        above: np.ndarray = scores > self.threshold
        return above

    def surprise(self, flagged: int, of: int) -> float:
        """Return ``-log10`` of the probability of at least so many flags by chance.

        The number of flags among m further exchangeable scores is beta-binomial: the share above the k-th
        smallest of n has the law Beta(n + 1 - k, k). The terms of the tail are added up as logarithms, so
        that a small probability keeps its digits.

        Parameters
        ----------
        flagged, of : int
            Flags, and scores looked at.

        Returns
        -------
        float
            At least 0, and finite for any number of flags that is possible: 0 where nothing was looked at,
            or where everything is flagged by the limit (k = 0). Infinite for more flags than scores.

        Examples
        --------
        >>> limit = conformal(np.arange(99.0), 0.05)
        >>> round(limit.surprise(5, 100), 2), round(limit.surprise(20, 100), 2)
        (0.3, 3.38)
        """
        from scipy.special import betaln, gammaln

        if flagged > of:
            return math.inf
        if flagged <= 0 or self.k == 0:
            return 0.0
        a, b = self.n + 1 - self.k, self.k
        count = np.arange(flagged, of + 1)
        ways = gammaln(of + 1) - gammaln(count + 1) - gammaln(of - count + 1)
        log = ways + betaln(count + a, of - count + b) - betaln(a, b)
        top = float(log.max())
        tail = top + math.log(float(np.exp(log - top).sum()))
        return max(0.0, -tail / math.log(10.0))


def conformal(scores: np.ndarray, alpha: float) -> Limit:
    """Return the limit that a further score exceeds with probability ``floor(alpha (n + 1)) / (n + 1)``.

    That is exact for exchangeable scores without ties, and an upper bound with ties, at any n (Vovk,
    Gammerman and Shafer 2005, *Algorithmic learning in a random world*, chapter 2).

    Parameters
    ----------
    scores : ndarray of float64, shape (n,)
        Of clean rows that the gate did not learn from. NaN (nothing to score) counts as the lowest.
    alpha : float
        Asked rate, at least ``1 / (n + 1)``.

    Raises
    ------
    ConfigError
        If n scores cannot give so low a rate.
    DataError
        If there are none.

    Examples
    --------
    >>> limit = conformal(np.arange(50.0), 0.05)
    >>> limit.threshold, round(limit.rate, 4)
    (48.0, 0.0392)
    """
    n = len(scores)
    if n == 0:
        raise DataError("a limit needs calibration rows, there are none", remedy="use a longer warm-up")
    k = _rank(n, alpha)
    if k > n:
        raise ConfigError(
            f"a false-alarm rate of {alpha:g} needs at least {math.ceil(1 / alpha) - 1} calibration rows, "
            f"there are {n}",
            remedy=f"use alpha of at least {1 / (n + 1):.3g}, or a longer warm-up",
        )
    return Limit(threshold=float(thresholds(scores, alpha)), n=n, k=k)


def thresholds(scores: np.ndarray, alpha: float) -> np.ndarray:
    """Return the limit of :func:`conformal` for each row of scores.

    Parameters
    ----------
    scores : ndarray of float64, shape (..., n)
    alpha : float
        A rate that n scores can give.

    Returns
    -------
    ndarray of float64, shape (...)

    Examples
    --------
    >>> thresholds(np.array([np.arange(50.0), np.arange(50.0) + 1.0]), 0.05).tolist()
    [48.0, 49.0]
    """
    n = scores.shape[-1]
    k = _rank(n, alpha)
    if not k:
        return np.full(scores.shape[:-1], -np.inf)
    known = np.where(np.isnan(scores), -np.inf, scores)
    found: np.ndarray = np.partition(known, k - 1, axis=-1)[..., k - 1]
    return found


def _rank(n: int, alpha: float) -> int:
    """Return which of n scores, rising, is the limit; 0: none, everything is above it."""
    # the product in exact arithmetic would be no number just below an integer
    return n + 1 - math.floor(alpha * (n + 1) + 1e-9)


def split(n: int, rng: np.random.Generator, what: str = "row") -> tuple[np.ndarray, np.ndarray]:
    """Return two halves of 0..n-1 at random, rising: rows to learn from, rows for the limit.

    Parameters
    ----------
    n : int
    rng : Generator
    what : str, default "row"
        What is split, for the error.

    Raises
    ------
    DataError
        If n is below 2.

    Examples
    --------
    >>> learn, limit = split(5, np.random.default_rng(0))
    >>> len(learn), len(limit), sorted([*learn, *limit]) == [0, 1, 2, 3, 4]
    (2, 3, True)
    """
    if n < 2:
        raise DataError(f"{n} reference {what}(s) cannot be split in two", remedy="use a longer warm-up")
    order = rng.permutation(n)
    return np.sort(order[: n // 2]), np.sort(order[n // 2 :])
