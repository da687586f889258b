"""Gaps between groups in what explanations say."""

from __future__ import annotations

import numpy as np

from mlopsim.fairness.audit import Findings, lacking
from mlopsim.fairness.evidence import Evidence, Explained
from mlopsim.fairness.rate_audit import noted
from mlopsim.fairness.rates import LEAST, comparable, largest, left_out, others


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
    ]


def gap_findings(evidence: Evidence, found: Explained) -> Findings:
    """Return the largest gap of mean attributions, in standard deviations of the score.

    Parameters
    ----------
    evidence : Evidence
    found : Explained
        Of some of the rows; the standard deviation is that of all rows of the window.
    """
    n = explained_rows(evidence, found)
    missing, reason = lacking(*unexplained(evidence, n))
    size = np.abs(mean_gaps(evidence, found))
    blame = np.where(missing[:, None], np.nan, largest(np.swapaxes(size, 1, 2)))
    effect = largest(blame) / evidence.spread
    reason = noted(reason, left_out(n, evidence.groups))
    return Findings(statistic=effect, score=effect.copy(), blame=blame, reason=reason)
