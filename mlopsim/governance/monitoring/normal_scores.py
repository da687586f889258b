"""Scores on the scale of a standard normal number, of standardised rates or exact tails."""

from __future__ import annotations

import numpy as np

from mlopsim.drift.signal import Side

#: scores further out count as this one: the normal score of the smallest float
FURTHEST = 37.5
#: smallest probability that is told from 0
TINY = float(np.finfo(np.float64).tiny)


def sided(z: np.ndarray, side: Side) -> np.ndarray:
    """Return the score of a signed number: itself for rises, its negative for falls, its size for both.

    Examples
    --------
    >>> [sided(np.array([-2.0]), side).tolist() for side in Side]
    [[-2.0], [2.0], [2.0]]
    """
    found: np.ndarray = z if side is Side.UP else -z if side is Side.DOWN else np.abs(z)
    return found


def score_of_tails(below: np.ndarray, at: np.ndarray, above: np.ndarray, side: Side) -> np.ndarray:
    """Return the normal score of an exact test, never randomised.

    In control P(score > c) is at most P(Z > c), of both sides P(\\|Z\\| > c): the smaller tail counts twice.

    Parameters
    ----------
    below, at, above : ndarray of float64
        Probabilities of less than what was found, of that, and of more.
    side : Side

    Examples
    --------
    >>> parts = [np.array([v]) for v in (0.0, 0.025, 0.975)]
    >>> [score_of_tails(*parts, side).round(2).tolist() for side in (Side.DOWN, Side.BOTH)]
    [[1.96], [1.96]]
    """
    from scipy.special import ndtri

    least, most = np.minimum(below + at, 1.0), np.minimum(above + at, 1.0)
    if side is Side.BOTH:
        # half of the two-sided p-value: at most 1/2, so that scores start at 0
        p = np.minimum(np.minimum(least, most), 0.5)
    else:
        p = most if side is Side.UP else least
    # as a fall of -z, so that small tails keep their digits
    found: np.ndarray = np.clip(-ndtri(np.maximum(p, TINY)), -FURTHEST, FURTHEST)
    return found + 0.0


def standardised(gap: np.ndarray, sd: np.ndarray) -> np.ndarray:
    """Return ``gap / sd`` within :data:`FURTHEST`; with no spread any gap is as far out as can be.

    Examples
    --------
    >>> standardised(np.array([1.0, 0.0, -1.0, np.nan]), np.array([0.5, 0.0, 0.0, 1.0]))
    array([  2. ,   0. , -37.5,   nan])
    """
    if bool((sd > 0.0).all()):
        ratio = gap / sd
    else:
        ratio = np.where(sd > 0.0, gap / np.where(sd > 0.0, sd, 1.0), np.sign(gap) * FURTHEST)
    found: np.ndarray = np.clip(np.where(np.isnan(sd), np.nan, ratio), -FURTHEST, FURTHEST)
    return found
