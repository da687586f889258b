"""Quality of every version in every window, from confusion counts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np

from mlopsim.core.errors import ConfigError, nearest

#: order of the last axis of ``World.quality()``
QUALITY_NAMES = ("accuracy", "precision", "recall", "f1")

#: a name of :data:`QUALITY_NAMES`, or a (C, C) matrix of costs ``[y][yhat]``
Metric: TypeAlias = str | Sequence[Sequence[float]] | np.ndarray


def _ratio(above: np.ndarray, below: np.ndarray) -> np.ndarray:
    """Divide; NaN where the denominator is 0."""
    result = np.full(np.broadcast(above, below).shape, np.nan)
    np.divide(above, below, out=result, where=below != 0)
    return result


def _class_average(values: np.ndarray) -> np.ndarray:
    """Average over the classes (last axis) for which the value is defined; NaN where it is for none."""
    defined = ~np.isnan(values)
    return _ratio(np.where(defined, values, 0.0).sum(axis=-1), defined.sum(axis=-1))


def quality_of(confusion: np.ndarray) -> np.ndarray:
    """Return accuracy, precision, recall and F1 of confusion counts.

    Parameters
    ----------
    confusion : ndarray of int, shape (..., C, C)
        Counts ``[y, yhat]``.

    Returns
    -------
    ndarray of float64, shape (..., 4)
        In the order of :data:`QUALITY_NAMES`. For C = 2 precision, recall and F1 are those of class 1, else
        averages over the classes for which they are defined. A value is undefined, and NaN, where its
        denominator is 0: precision without a positive answer, recall without a positive row,
        F1 without either, everything without rows.

    Examples
    --------
    >>> quality_of(np.array([[3, 1], [2, 4]])).round(3)
    array([0.7  , 0.8  , 0.667, 0.727])
    >>> quality_of(np.array([[5, 0], [0, 0]]))
    array([ 1., nan, nan, nan])
    """
    confusion = confusion.astype(np.int64)
    diagonal = np.diagonal(confusion, axis1=-2, axis2=-1)
    actual = confusion.sum(axis=-1)
    answered = confusion.sum(axis=-2)
    accuracy = _ratio(diagonal.sum(axis=-1), actual.sum(axis=-1))
    parts = [
        _ratio(diagonal, answered),
        _ratio(diagonal, actual),
        _ratio(2 * diagonal, actual + answered),
    ]
    if confusion.shape[-1] == 2:
        averaged = [part[..., 1] for part in parts]
    else:
        averaged = [_class_average(part) for part in parts]
    return np.stack([accuracy, *averaged], axis=-1)


def check_metric(metric: Metric, n_classes: int) -> str | np.ndarray:
    """Return the metric's name, or its cost matrix as float64.

    Raises
    ------
    ConfigError
        For an unknown name, or a cost matrix that is not (C, C) and finite.

    Examples
    --------
    >>> check_metric([[0, 1], [5, 0]], 2)
    array([[0., 1.],
           [5., 0.]])
    >>> check_metric("acuracy", 2)
    Traceback (most recent call last):
    ...
    mlopsim.core.errors.ConfigError: unknown metric 'acuracy'; did you mean 'accuracy'?
      remedy: one of accuracy, precision, recall, f1, or a cost matrix [[..], ..] by [label][answer]
    """
    if isinstance(metric, str):
        if metric not in QUALITY_NAMES:
            raise ConfigError(
                f"unknown metric '{metric}'{nearest(metric, QUALITY_NAMES)}",
                remedy=f"one of {', '.join(QUALITY_NAMES)}, or a cost matrix [[..], ..] by [label][answer]",
            )
        return metric
    try:
        costs = np.array(metric, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ConfigError(
            f"cannot read the cost matrix {metric!r}", remedy="write it as [[0, 1], [5, 0]]"
        ) from error
    if costs.shape != (n_classes, n_classes) or not np.isfinite(costs).all():
        raise ConfigError(
            f"the cost matrix must be finite and of shape ({n_classes}, {n_classes}) by [label][answer], "
            f"got shape {costs.shape}"
        )
    return costs


def metric_of(confusion: np.ndarray, metric: Metric, undefined: float = float("nan")) -> np.ndarray:
    """Return one metric of confusion counts; larger is better.

    Parameters
    ----------
    confusion : ndarray of int, shape (..., C, C)
        Counts ``[y, yhat]``.
    metric : str or cost matrix of shape (C, C)
        A name of :data:`QUALITY_NAMES`, or costs: the metric is then minus the mean cost of a row.
    undefined : float, default NaN
        What stands where the metric is undefined.

    Returns
    -------
    ndarray of float64, shape (...)

    Examples
    --------
    >>> metric_of(np.array([[3, 1], [2, 4]]), [[0, 1], [5, 0]])
    array(-1.1)
    """
    checked = check_metric(metric, confusion.shape[-1])
    if isinstance(checked, str):
        values = quality_of(confusion)[..., QUALITY_NAMES.index(checked)]
    else:
        values = -_ratio((confusion * checked).sum(axis=(-2, -1)), confusion.sum(axis=(-2, -1)))
        values = values + 0.0  # no negative zero
    return np.where(np.isnan(values), undefined, values)
