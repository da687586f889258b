"""The same explanation with other random numbers, and how far the most important features stay the same."""

from __future__ import annotations

import numpy as np

from mlopsim.core.errors import ConfigError, DataError
from mlopsim.explain.explainer import Explainer
from mlopsim.learners.base import Model
from mlopsim.streams.layout import branch


def reseeded(
    explainer: Explainer,
    model: Model,
    X: np.ndarray,
    background: np.ndarray,
    seed: np.random.SeedSequence,
    repeats: int,
) -> np.ndarray:
    """Return the attributions of one explanation, repeated with seeds of its own.

    Parameters
    ----------
    explainer : Explainer
    model, X, background
        As :meth:`mlopsim.explain.explainer.Explainer.explain` takes them.
    seed : SeedSequence
        Repeat r draws from the branch r of it, however many repeats there are; it is left as it is.
    repeats : int
        At least 1. An explainer that draws nothing gives the same each time.

    Returns
    -------
    ndarray of float64, shape (repeats, n, d)

    Raises
    ------
    ConfigError
        For no repeats; else as ``explain``.
    DataError
        As ``explain``.

    Examples
    --------
    >>> from mlopsim import make
    >>> from mlopsim.learners.models import LinearModel, Link
    >>> model = LinearModel(coef=np.array([[1.0, 0.1]]), intercept=np.zeros(1), link=Link.SOFTMAX)
    >>> background = np.random.default_rng(0).normal(size=(100, 2))
    >>> lime = make("explainer", "lime", samples=50)
    >>> values = reseeded(lime, model, background[:3], background, np.random.SeedSequence(0), 20)
    >>> values.shape, agreement(values)
    ((20, 3, 2), array([1., 1., 1.]))
    """
    if repeats < 1:
        raise ConfigError(f"an explanation is repeated at least once, got {repeats}")
    drawn = [np.random.default_rng(branch(seed, r)) for r in range(repeats)]
    return np.stack([explainer.explain(model, X, background, rng).values for rng in drawn])


def agreement(values: np.ndarray, top: int = 1) -> np.ndarray:
    """Return the share of the most important features that two repeats have in common, on average.

    Parameters
    ----------
    values : ndarray of float64, shape (repeats, ..., d)
        Attributions, of at least two repeats.
    top : int, default 1
        How many features count as important: those with the largest absolute attributions, of equal ones the
        first.

    Returns
    -------
    ndarray of float64, shape (...)
        Mean over all pairs of repeats; 1 where they always agree.

    Raises
    ------
    ConfigError
        If there are not so many features.
    DataError
        For fewer than two repeats.

    References
    ----------
    Visani, Bagli, Chesani, Poluzzi and Capuzzo (2022), *Statistical stability indices for LIME*, Journal of
    the Operational Research Society 73 (the variables stability index).

    Examples
    --------
    >>> agreement(np.array([[[2.0, -1.0, 0.1]], [[2.0, 0.1, 1.5]], [[3.0, 1.0, 0.0]]]), top=2).round(3)
    array([0.667])
    """
    if values.ndim < 2 or len(values) < 2:
        raise DataError(f"agreement needs at least 2 repeats, got attributions of shape {values.shape}")
    if not 1 <= top <= values.shape[-1]:
        raise ConfigError(f"top must be in 1..{values.shape[-1]}, the number of features, got {top}")
    first = np.argsort(-np.abs(values), axis=-1, kind="stable")[..., :top]
    among = np.zeros(values.shape, dtype=np.int64)
    np.put_along_axis(among, first, 1, axis=-1)
    # a feature that is among them k times is so in k (k - 1) / 2 of the pairs
    count = among.sum(axis=0)
    share: np.ndarray = (count * (count - 1)).sum(axis=-1) / (len(values) * (len(values) - 1) * top)
    return share
