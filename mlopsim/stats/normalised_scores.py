"""Scores against the clairvoyant optimum, and what sums them up over scenarios."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from mlopsim.core.errors import ConfigError
from mlopsim.stats.interval import NAN, NOTHING, Score


def paired(*arrays: ArrayLike) -> tuple[list[np.ndarray], np.ndarray]:
    """Return float arrays of one common shape and the mask of entries finite in all of them.

    Raises
    ------
    ConfigError
        If the shapes differ: paired numbers belong to the same scenarios.

    Examples
    --------
    >>> _, mask = paired([1., 2.], [np.nan, 3.])
    >>> mask
    array([False,  True])
    """
    parts = [np.asarray(a, dtype=np.float64) for a in arrays]
    shapes = {p.shape for p in parts}
    if len(shapes) != 1:
        raise ConfigError(
            f"paired arrays must have one shape, got {', '.join(str(p.shape) for p in parts)}",
            remedy="give one entry per scenario in the same order, NaN where a cell failed",
        )
    mask = np.ones(parts[0].shape, dtype=bool)
    for part in parts:
        mask &= np.isfinite(part)
    return parts, mask


def normalised_score(R: ArrayLike, never: ArrayLike, upper: ArrayLike) -> Score:
    """Share of the attainable gain over never retraining: sum(R - never) / sum(upper - never).

    The ratio of sums, not the mean of ratios: scenarios in which nothing can be gained have a tiny
    denominator and would rule a mean. Scenarios where one of the three numbers is undefined are left
    out of both sums and counted.

    Parameters
    ----------
    R, never, upper : array_like of float, one common shape
        Returns of the method, of never retraining and of the clairvoyant optimum on the same scenarios.

    Returns
    -------
    Score
        0 for never retraining, 1 for the optimum; NaN where the optimum gains nothing.

    Examples
    --------
    >>> float(normalised_score([2., 3.], [1., 1.], [3., 3.]))
    0.75
    >>> normalised_score([1.], [1.], [1.]).reason
    'the upper bound gains nothing over never in these scenarios'
    """
    (r, base, top), ok = paired(R, never, upper)
    n, excluded = int(ok.sum()), int((~ok).sum())
    if n == 0:
        return Score(value=NAN, n=0, excluded=excluded, reason="no scenario with all three returns")
    gain = float(np.sum(top[ok] - base[ok]))
    if gain <= NOTHING * n:
        reason = "the upper bound gains nothing over never in these scenarios"
        return Score(value=NAN, n=n, excluded=excluded, reason=reason)
    return Score(value=float(np.sum(r[ok] - base[ok])) / gain, n=n, excluded=excluded)


def regret(R: ArrayLike, upper: ArrayLike) -> Score:
    """Mean of ``upper - R`` over the scenarios where both are defined, in units of the return.

    Examples
    --------
    >>> float(regret([2., 3.], [3., 3.]))
    0.5
    """
    (r, top), ok = paired(R, upper)
    n, excluded = int(ok.sum()), int((~ok).sum())
    if n == 0:
        return Score(value=NAN, n=0, excluded=excluded, reason="no scenario with both returns")
    return Score(value=float(np.mean(top[ok] - r[ok])), n=n, excluded=excluded)


def iqm(values: ArrayLike) -> Score:
    """Interquartile mean: the mean after floor(n/4) values were cut from each end.

    Parameters
    ----------
    values : array_like of float, any shape
        All runs pooled; undefined ones are left out and counted.

    Returns
    -------
    Score

    Notes
    -----
    The definition of Agarwal et al., "Deep Reinforcement Learning at the Edge of the Statistical
    Precipice", NeurIPS 2021, section 4.3 (a 25 % trimmed mean over all runs of all tasks).

    Examples
    --------
    >>> float(iqm([0., 1., 2., 100.]))
    1.5
    """
    flat = np.asarray(values, dtype=np.float64).ravel()
    kept = np.sort(flat[np.isfinite(flat)])
    n, excluded = len(kept), len(flat) - len(kept)
    if n == 0:
        return Score(value=NAN, n=0, excluded=excluded, reason="no defined value")
    cut = n // 4
    return Score(value=float(np.mean(kept[cut : n - cut])), n=n, excluded=excluded)


def probability_of_improvement(X: ArrayLike, Y: ArrayLike, *, same_scenario: bool = True) -> Score:
    """P(X > Y) + P(X = Y) / 2, averaged over tasks.

    Parameters
    ----------
    X, Y : array_like of float, shape (seeds, tasks) or (seeds,)
        Larger is better. Without ``same_scenario`` the numbers of seeds may differ.
    same_scenario : bool, default True
        Compare X and Y on the same scenario only; otherwise every run of X with every run of Y of the
        same task, as in Agarwal et al. 2021, section 4.3 (Mann-Whitney U over n m).

    Returns
    -------
    Score
        ``n`` counts the compared pairs.

    Examples
    --------
    >>> float(probability_of_improvement([1., 2., 3., 4.], [0., 2., 4., 3.]))
    0.625
    >>> float(probability_of_improvement([1., 2.], [0., 3., 1.5], same_scenario=False))
    0.5
    """
    x = np.asarray(X, dtype=np.float64)
    y = np.asarray(Y, dtype=np.float64)
    x, y = (a[:, None] if a.ndim == 1 else a for a in (x, y))
    if x.ndim != 2 or x.shape[1:] != y.shape[1:] or (same_scenario and x.shape != y.shape):
        raise ConfigError(
            f"shapes {x.shape} and {y.shape} cannot be compared", remedy="give (seeds, tasks) for both"
        )
    per_task, n, excluded = [], 0, 0
    for k in range(x.shape[1]):
        a, b = (x[:, k], y[:, k]) if same_scenario else (x[:, k, None], y[None, :, k])
        ok = np.isfinite(a) & np.isfinite(b)
        n, excluded = n + int(ok.sum()), excluded + int((~ok).sum())
        if ok.any():
            wins = np.where(a > b, 1.0, np.where(a == b, 0.5, 0.0))
            per_task.append(float(np.mean(wins[ok])))
    if not per_task:
        return Score(value=NAN, n=0, excluded=excluded, reason="no pair with both values")
    return Score(value=float(np.mean(per_task)), n=n, excluded=excluded)


@dataclass(frozen=True, kw_only=True)
class Profile:
    """A performance profile: the share of scenarios whose score exceeds tau.

    Parameters
    ----------
    taus : ndarray of float64, shape (k,)
        Thresholds.
    share : ndarray of float64, shape (k,)
        Share of the scenarios with a score above each threshold; NaN if there are none.
    scores : ndarray of float64, shape of the input
        Per-scenario scores, NaN where left out.
    n : int
        Scenarios that entered.
    below_floor, undefined : int
        Scenarios left out because ``upper - never`` was at or below the floor, or because a return was
        missing.
    floor : float
        The floor, in units of the return.
    reason : str
        Why ``share`` is NaN.
    """

    taus: np.ndarray
    share: np.ndarray
    scores: np.ndarray
    n: int
    below_floor: int
    undefined: int
    floor: float
    reason: str = ""

    @property
    def excluded(self) -> int:
        """All scenarios that did not enter."""
        return self.below_floor + self.undefined


def scenario_scores(R: ArrayLike, never: ArrayLike, upper: ArrayLike, *, floor: float) -> np.ndarray:
    """Per-scenario (R - never) / (upper - never).

    NaN where ``upper - never <= floor`` or a return is missing.

    Examples
    --------
    >>> scenario_scores([1.5, 1.0], [1.0, 1.0], [2.0, 1.01], floor=.1)
    array([0.5, nan])
    """
    if floor < 0.0:
        raise ConfigError(f"the floor on upper - never must be >= 0, got {floor}")
    (r, base, top), ok = paired(R, never, upper)
    gain = np.where(ok, top - base, 0.0)
    ok &= gain > floor
    scores = np.full(r.shape, np.nan)
    scores[ok] = (r[ok] - base[ok]) / gain[ok]
    return scores


def performance_profile(
    R: ArrayLike, never: ArrayLike, upper: ArrayLike, taus: ArrayLike, *, floor: float
) -> Profile:
    """Share of scenarios with a normalised score above tau, for each tau.

    Parameters
    ----------
    R, never, upper : array_like of float, one common shape
        As in `normalised_score`.
    taus : array_like of float, shape (k,)
        Thresholds.
    floor : float
        Scenarios with ``upper - never`` at or below it are left out and counted: with nothing to be
        gained the ratio means nothing.

    Returns
    -------
    Profile

    Notes
    -----
    The score distribution of Agarwal et al. 2021, section 4.2 (after Dolan and More 2002).

    Examples
    --------
    >>> p = performance_profile([1.5, 2., 1.], [1., 1., 1.], [2., 2., 1.], [0., .5, .9], floor=.1)
    >>> p.share, p.n, p.below_floor
    (array([1. , 0.5, 0.5]), 2, 1)
    """
    _, ok = paired(R, never, upper)
    scores = scenario_scores(R, never, upper, floor=floor)
    thresholds = np.asarray(taus, dtype=np.float64)
    kept = np.sort(scores[np.isfinite(scores)])
    n, undefined = len(kept), int((~ok).sum())
    if n:
        share = (n - np.searchsorted(kept, thresholds, side="right")) / n
    else:
        share = np.full(thresholds.shape, np.nan)
    return Profile(
        taus=thresholds,
        share=share,
        scores=scores,
        n=n,
        below_floor=int(ok.sum()) - n,
        undefined=undefined,
        floor=floor,
        reason="" if n else "no scenario above the floor",
    )
