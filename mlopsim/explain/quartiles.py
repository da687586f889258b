"""Features cut at their quartiles, and values drawn within the bins: the interpretable form of LIME."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, kw_only=True)
class Bins:
    """Bins between the quartiles of background rows, feature by feature.

    Parameters
    ----------
    cuts : ndarray of float64, shape (3, d)
        Quartiles: a value falls into bin b if b of them lie below it.
    low, high : ndarray of float64, shape (4, d)
        Ends of the bins; the first starts at the smallest value, the last ends at the largest.
    mean, deviation : ndarray of float64, shape (4, d)
        Of the background rows in each bin; 0 for bins without rows.
    codes : ndarray of int64, shape (m, d)
        Bins of the background rows.
    """

    cuts: np.ndarray
    low: np.ndarray
    high: np.ndarray
    mean: np.ndarray
    deviation: np.ndarray
    codes: np.ndarray


def codes_of(X: np.ndarray, cuts: np.ndarray) -> np.ndarray:
    """Return the bins, int64 of shape (n, d), of rows.

    Examples
    --------
    >>> codes_of(np.array([[0.0], [1.0], [1.5], [9.0]]), np.array([[1.0], [2.0], [3.0]])).ravel()
    array([0, 0, 1, 3])
    """
    found: np.ndarray = (X[:, None, :] > cuts).sum(axis=1)
    return found


def bins_of(background: np.ndarray) -> Bins:
    """Return the bins of background rows (m, d)."""
    cuts = np.quantile(background, [0.25, 0.5, 0.75], axis=0)
    codes = codes_of(background, cuts)
    least, most = background.min(axis=0)[None], background.max(axis=0)[None]
    mean, deviation = np.zeros((4, background.shape[1])), np.zeros((4, background.shape[1]))
    for b in range(4):
        inside = codes == b
        count = np.maximum(inside.sum(axis=0), 1)
        mean[b] = np.where(inside, background, 0.0).sum(axis=0) / count
        deviation[b] = np.sqrt(np.where(inside, (background - mean[b]) ** 2, 0.0).sum(axis=0) / count)
    low, high = np.concatenate([least, cuts]), np.concatenate([cuts, most])
    return Bins(cuts=cuts, low=low, high=high, mean=mean, deviation=deviation, codes=codes)


def draw(bins: Bins, shape: tuple[int, ...], rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Draw bins as often as the background rows fall into them, and values within the bins.

    Values are normal with the mean and standard deviation of the bin's rows, cut off at the bin's ends.

    Parameters
    ----------
    bins : Bins
    shape : tuple of int
        Of the rows to draw.
    rng : Generator
        Draws ``(*shape, d, 2)`` uniform numbers.

    Returns
    -------
    codes : ndarray of int64, shape (*shape, d)
    values : ndarray of float64, shape (*shape, d)

    Examples
    --------
    >>> bins = bins_of(np.arange(101.0)[:, None])
    >>> codes, values = draw(bins, (1000,), np.random.default_rng(0))
    >>> bool((codes == codes_of(values, bins.cuts)).all()), (np.bincount(codes[:, 0]) / 1000).round(2)
    (True, array([0.25, 0.24, 0.25, 0.26]))
    """
    from scipy.special import ndtr, ndtri

    m, d = bins.codes.shape
    u = rng.random((*shape, d, 2))
    feature = np.arange(d)
    codes = bins.codes[np.minimum((u[..., 0] * m).astype(np.int64), m - 1), feature]
    mean, deviation = bins.mean[codes, feature], bins.deviation[codes, feature]
    low, high = bins.low[codes, feature], bins.high[codes, feature]
    unit = np.where(deviation > 0.0, deviation, 1.0)
    bottom, top = ndtr((low - mean) / unit), ndtr((high - mean) / unit)
    values = np.clip(mean + unit * ndtri(bottom + u[..., 1] * (top - bottom)), low, high)
    return codes, np.where(deviation > 0.0, values, mean)
