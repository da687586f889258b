"""Limits that make an audit, or a battery, block a fair deployment equally rarely."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from mlopsim.core.errors import DataError


@dataclass(frozen=True, kw_only=True)
class Limit:
    """An alarm is raised where a score is above the value, and with some chance where it equals it.

    Parameters
    ----------
    value : float
        May be infinite: nothing is ever above it.
    chance : float, default 0
        At a tie; makes discrete scores attain the asked rate.
    """

    value: float
    chance: float = 0.0

    def alarms(self, score: np.ndarray, u: np.ndarray) -> np.ndarray:
        """Return where an alarm is raised, bool; never where the score is NaN.

        Parameters
        ----------
        score : ndarray of float64, shape (..., T)
        u : ndarray of float64, shape (..., T)
            Uniform in [0, 1).

        Examples
        --------
        >>> score, u = np.array([2.0, 1.0, 1.0, np.nan]), np.array([0.9, 0.2, 0.7, 0.0])
        >>> Limit(value=1.0, chance=0.5).alarms(score, u)
        array([ True,  True, False, False])
        """
        found: np.ndarray = (score > self.value) | ((score == self.value) & (u < self.chance))
        return found

    def position(self, score: np.ndarray) -> np.ndarray:
        """Return where scores stand on the chart: 1 is the limit.

        Examples
        --------
        >>> Limit(value=4.0).position(np.array([2.0, 4.0, np.nan]))
        array([0.5, 1. , nan])
        """
        if self.value > 0.0:
            found: np.ndarray = score / self.value
            return found
        return np.where(np.isnan(score), np.nan, np.where(score > self.value, np.inf, 0.0))


def per_window(alpha: float, windows: int) -> float:
    """Return the level of one window at which any of so many independent ones alarms with probability alpha.

    Examples
    --------
    >>> round(per_window(0.05, 50), 6)
    0.001025
    """
    return -math.expm1(math.log1p(-alpha) / windows)


def exact_limit(alpha: float, windows: int) -> Limit:
    """Return the limit of scores that are ``-log10 p`` with exactly uniform, independent p.

    Examples
    --------
    >>> round(exact_limit(0.05, 50).value, 4)
    2.9891
    """
    return Limit(value=-math.log10(per_window(alpha, windows)))


def limit_of(scores: np.ndarray, alpha: float) -> Limit:
    """Return the limit at which the share alpha of deployments has an alarm.

    Parameters
    ----------
    scores : ndarray of float64, shape (R, T)
        Of R deployments under the null; NaN: no data.
    alpha : float

    Raises
    ------
    DataError
        If there are too few deployments to find the limit: fewer than ``1 / alpha``.

    Examples
    --------
    >>> scores = np.arange(100.0)[:, None]
    >>> limit_of(scores, 0.05)
    Limit(value=95.0, chance=1.0)
    >>> limit_of(np.repeat([0.0, 1.0], [80, 20])[:, None], 0.05)
    Limit(value=1.0, chance=0.25)
    """
    runs = len(scores)
    if runs * alpha < 1.0:
        raise DataError(
            f"{runs} deployments cannot show a rate of {alpha:g}",
            remedy=f"use {math.ceil(1 / alpha)} or more",
        )
    filled = np.where(np.isnan(scores), -np.inf, scores)
    top = filled.max(axis=1)
    # the limit is the value that the maximum exceeds in at most the share alpha of deployments
    value = float(np.sort(top)[::-1][max(math.ceil(alpha * runs - 1e-9) - 1, 0)])
    above = float((top > value).mean())
    ties = (filled == value).sum(axis=1)[top <= value]
    return Limit(value=value, chance=_chance(ties, (alpha - above) * runs))


def _chance(ties: np.ndarray, wanted: float) -> float:
    """Return the chance of an alarm at a tie at which so many deployments have one.

    Parameters
    ----------
    ties : ndarray of int64, shape (k,)
        Windows at the limit of each deployment without one above it.
    wanted : float
        Deployments.
    """
    from scipy.optimize import brentq

    def surplus(chance: float) -> float:
        return float((1.0 - (1.0 - chance) ** ties).sum() - wanted)

    if surplus(1.0) <= 0.0:
        return 1.0
    return 0.0 if wanted <= 0.0 else float(brentq(surplus, 0.0, 1.0, xtol=1e-12))
