"""Closed forms: what a threshold does to two groups with normal scores, and what a rule of thumb does."""

from __future__ import annotations

import numpy as np

from mlopsim.core.errors import ConfigError
from mlopsim.core.spec import check_range


def acceptance(threshold: float, mean: float = 0.0) -> float:
    """Return the share of a group with scores N(mean, 1) that is above a threshold.

    Examples
    --------
    >>> round(acceptance(0.5), 5), round(acceptance(0.5, -0.4), 5)
    (0.30854, 0.18406)
    """
    from scipy.special import ndtr

    return float(ndtr(mean - threshold))


def parity_gap(means: tuple[float, float], threshold: float) -> float:
    """Return by how much more of the first group is accepted, scores being N(mean, 1).

    Examples
    --------
    >>> round(parity_gap((0.0, -0.4), 0.5), 5)
    0.12448
    """
    return acceptance(threshold, means[0]) - acceptance(threshold, means[1])


def four_fifths_crossing(threshold: float, creep: float, ratio: float = 0.8) -> float:
    """Return after how many windows the ratio of acceptance rates falls to four fifths.

    Parameters
    ----------
    threshold : float
        Scores of both groups are N(0, 1) at first.
    creep : float
        What the mean of one group moves by each window, below 0.
    ratio : float, default 0.8

    Raises
    ------
    ConfigError
        If the mean does not fall.

    Examples
    --------
    >>> round(four_fifths_crossing(0.5, -0.02), 2)
    9.22
    """
    from scipy.special import ndtri

    if creep >= 0.0:
        raise ConfigError(f"the mean must fall for the ratio to fall, got {creep:g} a window")
    check_range("ratio", ratio, 0.0, 1.0, open_low=True)
    return float((threshold + ndtri(ratio * acceptance(threshold))) / creep)


def four_fifths_false_block(n: int, p: float, audits: int = 1) -> float:
    """Return how often the four-fifths rule blocks a fair model, in any of so many independent audits.

    Two groups of n rows with the same true rate fail if the lower of their observed rates is below four
    fifths of the higher one; if nobody is accepted they pass. Exact, over all pairs of counts.

    Parameters
    ----------
    n : int
        Rows of each group.
    p : float
        True rate of both.
    audits : int, default 1

    References
    ----------
    US Equal Employment Opportunity Commission (1978), *Uniform guidelines on employee selection procedures*,
    29 CFR 1607.4 D.

    Examples
    --------
    >>> round(four_fifths_false_block(100, 0.3), 3), round(four_fifths_false_block(100, 0.3, audits=12), 3)
    (0.299, 0.986)
    """
    from scipy.stats import binom

    check_range("n", n, 1, 10_000)
    check_range("p", p, 0.0, 1.0)
    check_range("audits", audits, 1, 10**9)
    counts = np.arange(n + 1)
    chance = binom.pmf(counts, n, p)
    low, high = np.minimum.outer(counts, counts), np.maximum.outer(counts, counts)
    # in whole numbers: 4/5 of a count is no float that can be trusted
    fails = 5 * low < 4 * high
    once = float((np.outer(chance, chance) * fails).sum())
    return float(-np.expm1(audits * np.log1p(-once)))
