"""How well scores and flags of gates match the truth."""

from __future__ import annotations

import math

import numpy as np

#: share of equal scores above which a score counts as constant
CONSTANT = 0.999


def auroc(score: np.ndarray, truth: np.ndarray) -> float:
    """Return the area under the ROC curve: P(wrong scores above right), ties as halves.

    Parameters
    ----------
    score : ndarray of float64, shape (n,)
        NaN (not scored) is left out.
    truth : ndarray of bool, shape (n,)
        Where something is wrong.

    Returns
    -------
    float
        NaN where all or none of what is scored is wrong.

    Examples
    --------
    >>> auroc(np.array([0.1, 0.4, 0.35, 0.8]), np.array([False, False, True, True]))
    0.75
    >>> auroc(np.zeros(4), np.array([False, False, True, True]))
    0.5
    """
    score, truth = _known(score, truth)
    bad = int(truth.sum())
    good = len(truth) - bad
    if not bad or not good:
        return math.nan
    from scipy.stats import rankdata

    return float((rankdata(score)[truth].sum() - 0.5 * bad * (bad + 1)) / (bad * good))


def auprc(score: np.ndarray, truth: np.ndarray) -> float:
    """Return average precision: the area under the precision-recall curve by steps, ties taken together.

    A score that tells nothing has the share of what is wrong, not .5.

    Examples
    --------
    >>> auprc(np.array([0.1, 0.4, 0.35, 0.8]), np.array([False, False, True, True])) == 0.5 + 0.5 * 2 / 3
    True
    """
    score, truth = _known(score, truth)
    bad = int(truth.sum())
    if not bad or bad == len(truth):
        return math.nan
    order = np.argsort(-score, kind="stable")
    found, ordered = np.cumsum(truth[order]), score[order]
    # no differences: those of infinite scores are no numbers
    last = np.r_[np.flatnonzero(ordered[1:] != ordered[:-1]), len(score) - 1]
    precision, recall = found[last] / (last + 1.0), found[last] / bad
    return float(np.sum(np.diff(np.r_[0.0, recall]) * precision))


def precision_at(score: np.ndarray, truth: np.ndarray, k: int) -> float:
    """Return the expected share of what is wrong among the k highest scores, ties broken at random.

    With k the number of wrong ones this is F1 at the true contamination as well: precision and recall are
    the same there.

    Examples
    --------
    >>> precision_at(np.array([3.0, 2.0, 2.0, 1.0]), np.array([True, True, False, False]), 2)
    0.75
    """
    score, truth = _known(score, truth)
    if not 0 < k <= len(score):
        return math.nan
    edge = np.sort(score)[-k]
    above, tied = score > edge, score == edge
    sure = int(above.sum())
    return float((truth[above].sum() + (k - sure) * truth[tied].mean()) / k)


def recall_at(score: np.ndarray, truth: np.ndarray, rate: float) -> float:
    """Return the expected share of what is wrong that is flagged where this share of the rest is.

    The limit is where the rate is met exactly, of what ties there each as likely: with hindsight, so that
    gates are compared at equal attained rates whatever their limits make of one that is asked for.

    Parameters
    ----------
    score : ndarray of float64, shape (n,)
        NaN (not scored) is left out.
    truth : ndarray of bool, shape (n,)
    rate : float
        0..1.

    Examples
    --------
    >>> score, truth = np.array([5.0, 4.0, 3.0, 3.0, 1.0]), np.array([True, False, True, False, False])
    >>> recall_at(score, truth, 1 / 3), recall_at(score, truth, 0.5)
    (0.5, 0.75)
    """
    score, truth = _known(score, truth)
    bad, good = score[truth], np.sort(score[~truth])[::-1]
    if not len(bad) or not len(good):
        return math.nan
    allowed = rate * len(good)
    edge = good[min(int(allowed), len(good) - 1)]
    above, tied = int((good > edge).sum()), int((good == edge).sum())
    share = min(1.0, (allowed - above) / tied)
    return float((bad > edge).mean() + share * (bad == edge).mean())


def is_constant(score: np.ndarray) -> bool:
    """Say whether scores are all but equal, so that any limit is by chance.

    Examples
    --------
    >>> is_constant(np.zeros(10)), is_constant(np.arange(10.0))
    (True, False)
    """
    known = score[~np.isnan(score)]
    if not len(known):
        return True
    counts = np.unique(known, return_counts=True)[1]
    return bool(counts.max() >= CONSTANT * len(known))


def _known(score: np.ndarray, truth: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    known = ~np.isnan(score)
    return score[known], truth[known]
