"""Which number of a model is explained."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import Any

import numpy as np

from mlopsim.core.errors import ConfigError, DataError
from mlopsim.explain.arguments import check_label
from mlopsim.learners.base import Model
from mlopsim.learners.models import EstimatorModel, GaussianModel, LinearModel, probabilities


class Output(Enum):
    """Which number of a model is explained, for one class.

    ``margin``: of linear models and naive Bayes the class's score against the others, see
    :func:`mlopsim.explain.linear.class_score`; of an estimator its decision function, if it has one; where
    scores are margins, the class's score; else the log odds of the class against all others. With two classes
    and probabilities all but the last but one are the log odds. ``probability``: that of the class, margins
    turned into probabilities as by :func:`mlopsim.learners.models.probabilities`.
    """

    MARGIN = "margin"
    PROBABILITY = "probability"


def output_of(model: Model, output: Output, label: int) -> Callable[[np.ndarray], np.ndarray]:
    """Return the function of rows that is explained.

    Parameters
    ----------
    model : Model
        Anything with ``scores``.
    output : Output
    label : int
        The class.

    Returns
    -------
    callable
        Takes finite rows (n, d), returns float64 of shape (n,). Margins of classes that a model never
        (always) answers are minus (plus) infinity.

    Raises
    ------
    ConfigError
        On the call: if the model has no such class, or its decision function is not one number per class.

    Examples
    --------
    >>> from mlopsim.learners.models import Link
    >>> model = LinearModel(coef=np.array([[2.0]]), intercept=np.zeros(1), link=Link.SOFTMAX)
    >>> X = np.array([[0.0], [1.0]])
    >>> output_of(model, Output.MARGIN, 1)(X), output_of(model, Output.MARGIN, 0)(X)
    (array([0., 2.]), array([-0., -2.]))
    >>> output_of(model, Output.PROBABILITY, 1)(X).round(3)
    array([0.5  , 0.881])
    """

    def probability(X: np.ndarray) -> np.ndarray:
        scores = model.scores(X)
        check_label(label, scores.shape[1])
        return np.asarray(probabilities(scores)[:, label], dtype=np.float64)

    if output is Output.PROBABILITY:
        return probability
    if isinstance(model, LinearModel):
        return _linear(model, label)
    if isinstance(model, GaussianModel):
        check_label(label, len(model.intercept))
        return _bayes(model, label)
    if isinstance(model, EstimatorModel) and hasattr(model.estimator, "decision_function"):
        check_label(label, model.n_classes)
        return _decision(model.estimator, label)

    def margin(X: np.ndarray) -> np.ndarray:
        scores = model.scores(X)
        check_label(label, scores.shape[1])
        chances = probabilities(scores)
        if chances is not scores:
            return np.asarray(scores[:, label], dtype=np.float64)
        with np.errstate(divide="ignore"):
            return _odds(np.log(chances), label)

    return margin


def finite_output(
    f: Callable[[np.ndarray], np.ndarray], X: np.ndarray
) -> tuple[Callable[[np.ndarray], np.ndarray], float, np.ndarray]:
    """Return a function whose values can be subtracted from each other, and its values at some rows.

    Parameters
    ----------
    f : callable
        From :func:`output_of`.
    X : ndarray of float64, shape (n, d)
        Rows to explain.

    Returns
    -------
    callable
        ``f`` minus the level. It raises DataError for values that are not finite.
    level : float
        0; infinity if all rows to explain have that infinite output, as with a class that is never (always)
        answered: the function is 0 then, and raises DataError unless the output is the same everywhere.
    own : ndarray of float64, shape (n,)
        The function at the rows to explain.

    Examples
    --------
    >>> g, level, own = finite_output(lambda X: np.full(len(X), -np.inf), np.zeros((2, 1)))
    >>> g(np.ones((1, 1))), level, own
    (array([0.]), -inf, array([0., 0.]))
    """
    own = f(X)
    level = float(own[0]) if len(own) and np.isinf(own[0]) and (own == own[0]).all() else 0.0

    def checked(y: np.ndarray) -> np.ndarray:
        if level != 0.0:
            y = np.where(y == level, 0.0, np.nan)
        if not np.isfinite(y).all():
            raise DataError(
                "the output that is explained is infinite for some rows: differences are undefined",
                remedy="explain output=probability",
            )
        return y

    return lambda rows: checked(f(rows)), level, checked(own)


def features_of(model: Model) -> int | None:
    """Return how many features a model takes; None where it does not say.

    Examples
    --------
    >>> from mlopsim.learners.models import Link
    >>> features_of(LinearModel(coef=np.ones((1, 3)), intercept=np.zeros(1), link=Link.SOFTMAX))
    3
    """
    if isinstance(model, LinearModel):
        return int(model.coef.shape[1])
    if isinstance(model, GaussianModel):
        return int(model.half.shape[1])
    found = getattr(model.estimator, "n_features_in_", None) if isinstance(model, EstimatorModel) else None
    return None if found is None else int(found)


def _linear(model: LinearModel, label: int) -> Callable[[np.ndarray], np.ndarray]:
    from mlopsim.explain.linear import score_of

    coef, intercept = score_of(model, label)
    one = LinearModel(coef=coef[None], intercept=np.array([intercept]), link=model.link)
    return lambda X: one.decision(X)[:, 0]


def _bayes(model: GaussianModel, label: int) -> Callable[[np.ndarray], np.ndarray]:
    from mlopsim.explain.additive import rivals

    level, others = rivals(model.intercept, label)
    if np.isinf(level):
        return lambda X: np.full(len(X), level)

    def margin(X: np.ndarray) -> np.ndarray:
        joint = model.decision(X)
        found: np.ndarray = joint[:, label] - joint[:, others].mean(axis=1)
        return found

    return margin


def _odds(logs: np.ndarray, label: int) -> np.ndarray:
    """Return log odds (n,) of a class against all others from log scores (n, C)."""
    others = np.delete(logs, label, axis=1)
    own = logs[:, label]
    with np.errstate(invalid="ignore"):
        top = others.max(axis=1, initial=-np.inf)
        safe = np.where(np.isfinite(top), top, 0.0)
        rest = np.exp(others - safe[:, None]).sum(axis=1)
        with np.errstate(divide="ignore"):
            odds: np.ndarray = own - (np.log(rest) + safe)
    return odds


def _decision(estimator: Any, label: int) -> Callable[[np.ndarray], np.ndarray]:
    seen = estimator.classes_.astype(np.int64)
    place = np.flatnonzero(seen == label)

    def margin(X: np.ndarray) -> np.ndarray:
        if not len(place):
            return np.full(len(X), -np.inf)
        decision = np.asarray(estimator.decision_function(X), dtype=np.float64)
        if decision.ndim == 1:
            return decision if place[0] == 1 else -decision
        if decision.shape[1] != len(seen):
            raise ConfigError(
                f"the decision function of {type(estimator).__name__} has {decision.shape[1]} columns for "
                f"{len(seen)} classes",
                remedy="explain output=probability",
            )
        return decision[:, place[0]]

    return margin
