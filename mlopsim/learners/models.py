"""Trained models: pure functions of rows, the same bits for a row alone and among others."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Any

import numpy as np

from mlopsim.core.errors import ConfigError, DataError

MAX_CLASSES = 256


class Link(Enum):
    """What the linear scores are turned into."""

    MARGIN = "margin"
    SOFTMAX = "softmax"


@dataclass(frozen=True, kw_only=True)
class ConstantModel:
    """Answers one class for every row: what a learner makes of training rows of one class.

    Examples
    --------
    >>> ConstantModel(label=1, n_classes=2).scores(np.zeros((2, 3)))
    array([[0., 1.],
           [0., 1.]])
    """

    label: int
    n_classes: int

    def predict(self, X: np.ndarray) -> np.ndarray:
        """Return labels, int64 of shape (n,)."""
        return np.full(len(X), self.label, dtype=np.int64)

    def scores(self, X: np.ndarray) -> np.ndarray:
        """Return probabilities 0 and 1, shape (n, C)."""
        out = np.zeros((len(X), self.n_classes))
        out[:, self.label] = 1.0
        return out


@dataclass(frozen=True, kw_only=True)
class LinearModel:
    """The class with the largest linear score; equal scores give the lowest label.

    Parameters
    ----------
    coef : ndarray of float64, shape (K, d)
        K = 1 for two classes (score of class 1 against 0, label 1 above zero), else C.
    intercept : ndarray of float64, shape (K,)
        Minus infinity for a class that training did not see.
    link : Link
        Whether :meth:`scores` gives margins or probabilities.

    Examples
    --------
    >>> model = LinearModel(coef=np.array([[1.0, 0.0]]), intercept=np.zeros(1), link=Link.MARGIN)
    >>> model.predict(np.array([[2.0, 5.0], [-1.0, 5.0]]))
    array([1, 0])
    """

    coef: np.ndarray
    intercept: np.ndarray
    link: Link

    @property
    def n_classes(self) -> int:
        """Number of classes C."""
        return 2 if len(self.coef) == 1 else len(self.coef)

    def predict(self, X: np.ndarray) -> np.ndarray:
        """Return labels, int64 of shape (n,)."""
        one = LinearModels(coef=self.coef[None], intercept=self.intercept[None], link=self.link)
        return np.asarray(one.predict(X)[0], dtype=np.int64)

    def decision(self, X: np.ndarray) -> np.ndarray:
        """Return the linear scores, float64 of shape (n, K)."""
        from mlopsim.learners.kernels.predict import linear_scores

        result: np.ndarray = linear_scores(self.coef, self.intercept, columns_of(X)).T
        return result

    def scores(self, X: np.ndarray) -> np.ndarray:
        """Return margins or probabilities, float64 of shape (n, C)."""
        raw = self.decision(X)
        if self.n_classes == 2:
            raw = np.concatenate([-raw, raw], axis=1) * (0.5 if self.link is Link.SOFTMAX else 1.0)
        return softmax(raw) if self.link is Link.SOFTMAX else raw


@dataclass(frozen=True, kw_only=True)
class LinearModels:
    """Many linear models: coef (V, K, d), intercept (V, K); see :class:`LinearModel`."""

    coef: np.ndarray
    intercept: np.ndarray
    link: Link

    def predict(self, X: np.ndarray) -> np.ndarray:
        """Return labels, uint8 of shape (V, n)."""
        from mlopsim.learners.kernels.predict import linear_labels

        labels: np.ndarray = linear_labels(self.coef, self.intercept, columns_of(X))
        return labels

    def model(self, i: int) -> LinearModel:
        """Return the i-th version alone."""
        return LinearModel(coef=self.coef[i], intercept=self.intercept[i], link=self.link)


@dataclass(frozen=True, kw_only=True)
class GaussianModel:
    """Gaussian naive Bayes: log prior minus squared distances over twice the variances.

    Parameters
    ----------
    intercept : ndarray of float64, shape (C,)
        Log prior and normalisation; minus infinity for a class that training did not see.
    half : ndarray of float64, shape (C, d)
        ``1 / (2 variance)``.
    centre : ndarray of float64, shape (C, d)
        Class means.
    """

    intercept: np.ndarray
    half: np.ndarray
    centre: np.ndarray

    def predict(self, X: np.ndarray) -> np.ndarray:
        """Return labels, int64 of shape (n,)."""
        one = GaussianModels(intercept=self.intercept[None], half=self.half[None], centre=self.centre[None])
        return np.asarray(one.predict(X)[0], dtype=np.int64)

    def decision(self, X: np.ndarray) -> np.ndarray:
        """Return the joint log-likelihoods log P(x, c), float64 of shape (n, C)."""
        from mlopsim.learners.kernels.predict import bayes_scores

        result: np.ndarray = bayes_scores(self.intercept, self.half, self.centre, columns_of(X)).T
        return result

    def scores(self, X: np.ndarray) -> np.ndarray:
        """Return probabilities, float64 of shape (n, C)."""
        return softmax(self.decision(X))


@dataclass(frozen=True, kw_only=True)
class GaussianModels:
    """Many naive Bayes models: intercept (V, C), half and centre (V, C, d)."""

    intercept: np.ndarray
    half: np.ndarray
    centre: np.ndarray

    def predict(self, X: np.ndarray) -> np.ndarray:
        """Return labels, uint8 of shape (V, n)."""
        from mlopsim.learners.kernels.predict import bayes_labels

        labels: np.ndarray = bayes_labels(self.intercept, self.half, self.centre, columns_of(X))
        return labels

    def model(self, i: int) -> GaussianModel:
        """Return the i-th version alone."""
        return GaussianModel(intercept=self.intercept[i], half=self.half[i], centre=self.centre[i])


@dataclass(frozen=True, kw_only=True)
class EstimatorModel:
    """A fitted scikit-learn classifier with scores laid out over all C classes.

    Parameters
    ----------
    estimator : object
        Fitted on integer labels (``classes_`` holds those that it saw).
    n_classes : int
        Number of classes C; a class that it did not see has probability 0, or margin minus infinity.
    """

    estimator: Any
    n_classes: int

    def predict(self, X: np.ndarray) -> np.ndarray:
        """Return labels, int64 of shape (n,)."""
        return np.asarray(self.estimator.predict(X)).astype(np.int64)

    def scores(self, X: np.ndarray) -> np.ndarray:
        """Return probabilities, else margins, else 0/1 votes, float64 of shape (n, C)."""
        seen = self.estimator.classes_.astype(np.int64)
        if hasattr(self.estimator, "predict_proba"):
            out = np.zeros((len(X), self.n_classes))
            out[:, seen] = self.estimator.predict_proba(X)
        elif hasattr(self.estimator, "decision_function"):
            margin = np.asarray(self.estimator.decision_function(X), dtype=np.float64)
            if margin.ndim == 1:
                margin = np.stack([-margin, margin], axis=1)
            out = np.full((len(X), self.n_classes), -np.inf)
            out[:, seen] = margin
        else:
            out = np.zeros((len(X), self.n_classes))
            out[np.arange(len(X)), self.predict(X)] = 1.0
        return out


def softmax(raw: np.ndarray) -> np.ndarray:
    """Return probabilities from log scores (n, C); minus infinity becomes 0.

    Examples
    --------
    >>> softmax(np.array([[0.0, 0.0, -np.inf]]))
    array([[0.5, 0.5, 0. ]])
    """
    top = raw.max(axis=1, keepdims=True)
    # a binary model of one class has scores (-inf, inf): certain, not undefined
    shifted = np.where(raw == top, 0.0, raw - np.where(np.isfinite(top), top, 0.0))
    weight = np.exp(np.where(np.isposinf(top) & (raw != top), -np.inf, shifted))
    result: np.ndarray = weight / weight.sum(axis=1, keepdims=True)
    return result


def columns_of(X: np.ndarray) -> np.ndarray:
    """Return rows (n, d) as contiguous float64 columns (d, n)."""
    return np.ascontiguousarray(X.T, dtype=np.float64)


def check_versions(
    X: np.ndarray, y: np.ndarray, n_classes: int, bounds: np.ndarray, first: np.ndarray, last: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return contiguous arrays of the types that the kernels take.

    Raises
    ------
    ConfigError
        For more than 256 classes (labels are stored as uint8).
    DataError
        If shapes, windows or labels do not fit, or a version has no training rows.
    """
    if n_classes > MAX_CLASSES:
        raise ConfigError(f"at most {MAX_CLASSES} classes are supported, got {n_classes}")
    X = np.ascontiguousarray(X, dtype=np.float64)
    y, bounds, first, last = (np.ascontiguousarray(a, dtype=np.int64) for a in (y, bounds, first, last))
    if X.ndim != 2 or y.shape != (len(X),) or first.shape != last.shape or first.ndim != 1:
        raise DataError(f"shapes disagree: X {X.shape}, y {y.shape}, first {first.shape}, last {last.shape}")
    if len(bounds) < 2 or bounds[0] < 0 or bounds[-1] > len(X) or (np.diff(bounds) < 0).any():
        raise DataError(f"the windows' bounds do not cut {len(X)} rows")
    if len(first) and (first.min() < 0 or (last < first).any() or last.max() > len(bounds) - 2):
        raise DataError(f"versions are trained on windows within 0..{len(bounds) - 2}, in order")
    if (bounds[last + 1] == bounds[first]).any():
        raise DataError("a version has no training rows", remedy="train it on more windows")
    if len(y) and (y.min() < 0 or y.max() >= n_classes):
        raise DataError(f"labels must lie in 0..{n_classes - 1}, got {y.min()}..{y.max()}")
    return X, y, bounds, first, last


def check_weight(weight: np.ndarray | None, n: int) -> np.ndarray:
    """Return what each of n rows counts, contiguous float64; by default 1.

    Raises
    ------
    DataError
        Unless all are finite and above 0.

    Examples
    --------
    >>> check_weight(None, 2), check_weight(np.array([1, 3]), 2)
    (array([1., 1.]), array([1., 3.]))
    """
    if weight is None:
        return np.ones(n)
    found = np.ascontiguousarray(weight, dtype=np.float64)
    if found.shape != (n,) or not np.isfinite(found).all() or (found <= 0.0).any():
        raise DataError(f"{n} rows need as many finite weights above 0", remedy="leave rows of weight 0 out")
    return found


def probabilities(scores: np.ndarray) -> np.ndarray:
    """Return a model's scores (n, C) as probabilities.

    Scores that are not negative and add up to 1 in every row are probabilities already. Others are margins
    and go through a softmax: of two classes with the margins -m and m the second gets 1 / (1 + exp(-2 m)).
    That keeps the order of rows, but is not calibrated.

    Examples
    --------
    >>> probabilities(np.array([[-1.0, 1.0]])).round(3), probabilities(np.array([[0.0, 1.0]]))
    (array([[0.119, 0.881]]), array([[0., 1.]]))
    """
    if (scores >= 0.0).all() and (np.abs(scores.sum(axis=1) - 1.0) <= 1e-6).all():
        return scores
    return softmax(scores)
