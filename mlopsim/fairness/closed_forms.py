"""Closed forms: how often a rule of thumb blocks a fair model."""

from __future__ import annotations

import numpy as np

from mlopsim.core.spec import check_range


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
