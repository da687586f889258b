"""Gaps between groups in what explanations say."""

from __future__ import annotations

from enum import Enum

import numpy as np

from mlopsim.fairness.audit import Findings, lacking
from mlopsim.fairness.evidence import Evidence, Explained
from mlopsim.fairness.group_values import Values, compare_means, welch
from mlopsim.fairness.naming import Named, entry, worst_place
from mlopsim.fairness.rate_audit import noted
from mlopsim.fairness.rates import LEAST, comparable, left_out, others
from mlopsim.stats.interval import NAN, Interval


class Weighting(Enum):
    """In what unit gaps of mean attributions are compared; they are studentised by the size of groups anyway.

    ``OWN``: in standard errors of the feature's own attributions: a feature that differs between groups is
    found however little the model makes of it. ``SCORE``: in standard errors of the score: a feature counts
    as much as it moves scores.
    """

    OWN = "own"
    SCORE = "score"


def explained_rows(evidence: Evidence, found: Explained) -> np.ndarray:
    """Return how many rows have an explanation, int64 (T, G)."""
    count = np.bincount(evidence.place[found.rows], minlength=evidence.windows * evidence.n_groups)
    return count.reshape(evidence.windows, evidence.n_groups).astype(np.int64)


def totals(evidence: Evidence, found: Explained, values: np.ndarray) -> np.ndarray:
    """Return sums of values (m, d) of the rows that have an explanation, float64 (T, G, d)."""
    from mlopsim.fairness.kernels.segments import sums

    out = np.zeros((evidence.windows * evidence.n_groups, values.shape[1]))
    sums(values, evidence.place[found.rows], out)
    return out.reshape(evidence.windows, evidence.n_groups, values.shape[1])


def mean_gaps(evidence: Evidence, found: Explained) -> np.ndarray:
    """Return the mean attributions of each group less those of all others.

    Parameters
    ----------
    evidence : Evidence
    found : Explained

    Returns
    -------
    ndarray of float64, shape (T, G, d)
        NaN where a group, or all others together, have too few rows. Over the features they add up to the gap
        of the mean scores of the rows that were explained, if attributions add up to the score.

    Examples
    --------
    >>> from mlopsim.fairness.made_up_evidence import sample
    >>> evidence = sample(windows=1, shift=1.0)
    >>> mean_gaps(evidence, evidence.explained("shap")).round(2)
    array([[[ 0.7 ,  0.05, -0.01,  0.  ],
            [-0.7 , -0.05,  0.01,  0.  ]]])
    """
    n, total = explained_rows(evidence, found), totals(evidence, found, found.values)
    known = comparable(n)
    rest, sums = others(n), others(total)
    with np.errstate(invalid="ignore", divide="ignore"):
        gap = total / n[:, :, None] - sums / rest[:, :, None]
    return np.where(known[:, :, None], gap, np.nan)


def unexplained(evidence: Evidence, n: np.ndarray) -> list[tuple[np.ndarray, str]]:
    """Return why the attributions of groups cannot be compared, window by window.

    Parameters
    ----------
    evidence : Evidence
    n : ndarray of int64, shape (T, G)
        Rows that have an explanation.
    """
    return [
        (~comparable(n).any(axis=1), f"fewer than {LEAST} explained rows in a group"),
        (np.isnan(evidence.spread), "every score is the same"),
        (np.full(evidence.windows, not evidence.features), "the model sees nothing but the group"),
    ]


def gap_findings(evidence: Evidence, found: Explained, weighting: Weighting) -> Findings:
    """Return the gap of mean attributions that is the furthest out, in standard deviations of the score.

    Parameters
    ----------
    evidence : Evidence
    found : Explained
        Of some of the rows; the standard deviation is that of all rows of the window.
    weighting : Weighting
        By which gaps of features are compared with one another.
    """
    n = explained_rows(evidence, found)
    means = compare_means(Values(values=found.values, place=evidence.place[found.rows], rows=n))
    effect = mean_gaps(evidence, found) / evidence.spread[:, None, None]
    score = np.abs(means.z)
    if weighting is Weighting.SCORE:
        # in standard errors of a gap of the score, whatever the feature
        rest = others(n)
        score = np.abs(effect) * np.sqrt(n * rest / np.maximum(n + rest, 1))[:, :, None]
    flat = len(n), -1
    flat_effect = effect.reshape(flat)
    # an attribution that does not vary says nothing, whether there is one row of it or a thousand
    still = np.isnan(means.z).all(axis=(1, 2))
    missing, reason = lacking(*unexplained(evidence, n), (still, "no attribution varies"))
    score = np.where(missing[:, None, None] | np.isnan(means.z), np.nan, score)
    place, d = worst_place(score.reshape(flat), flat_effect), max(effect.shape[2], 1)
    group = np.where(missing, -1, place // d)
    blame = np.nan_to_num(entry(score, group))
    return Findings(
        statistic=entry(flat_effect, place),
        score=entry(score.reshape(flat), place),
        blame=np.where(missing[:, None], np.nan, blame),
        reason=noted(reason, left_out(n, evidence.groups, "explained rows")),
        named=Named(group=group, part=np.where(missing, -1, place % d), parts=evidence.features),
    )


def gap_interval(evidence: Evidence, explained: Explained, found: Findings, level: float) -> Interval:
    """Return the gap that was found in the first window, with Welch's interval.

    In standard deviations of the score, which are taken as known.

    Parameters
    ----------
    evidence : Evidence
        One window.
    explained : Explained
        What was looked at.
    found : Findings
        Of :func:`gap_findings`.
    level : float
    """
    rows = len(explained.rows)
    if np.isnan(found.statistic[0]):
        return Interval(value=NAN, n=rows, level=level, reason=found.reason)
    assert found.named is not None and found.named.part is not None
    own = evidence.group[explained.rows] == found.named.group[0]
    values = explained.values[:, found.named.part[0]] / evidence.spread[0]
    (interval,) = welch(values[own][:, None], values[~own][:, None], level)
    return interval
