"""Logistic regression of scikit-learn."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mlopsim.core.registry import register
from mlopsim.core.spec import check_range
from mlopsim.learners.models import ConstantModel, LinearModel, Link


@register("learner", "logistic")
@dataclass(kw_only=True)
class Logistic:
    r"""``sklearn.linear_model.LogisticRegression`` (lbfgs; softmax for three classes and more).

    Trained by scikit-learn, then kept as a linear model of our own, whose predictions for a row do
    not depend on the rows beside it.

    Of two classes, y = -1 or +1:

    .. math:: \min_{w, b} \; \tfrac{1}{2} \|w\|^2 + C \sum_i \log\left(1 + \exp(-y_i (w^\top x_i + b))\right)

    Parameters
    ----------
    C : float, default 1.0
        Inverse weight of the squared coefficients.
    max_iter : int, default 200
        Iterations at most.

    Notes
    -----
    Use it for probabilities of a linear model; it is trained version by version.

    References
    ----------
    .. [1] D. R. Cox, "The regression analysis of binary sequences", Journal of the Royal Statistical Society
       B 20, 1958, 215-242.
    .. [2] F. Pedregosa and others, "Scikit-learn: machine learning in Python", Journal of Machine Learning
       Research 12, 2011, 2825-2830.

    Examples
    --------
    >>> X = np.linspace(-1, 1, 40)[:, None]; y = (X[:, 0] > 0.2).astype(int)
    >>> model = Logistic().fit(X, y, 2, np.random.SeedSequence(0))
    >>> model.scores(np.array([[1.0]])).round(2)
    array([[0.1, 0.9]])
    """

    C: float = 1.0
    max_iter: int = 200

    def __post_init__(self) -> None:
        check_range("logistic.C", self.C, 0.0, 1e12, open_low=True)
        check_range("logistic.max_iter", self.max_iter, 1, 1_000_000)

    def fit(
        self,
        X: np.ndarray,
        y: np.ndarray,
        n_classes: int,
        seed: np.random.SeedSequence,
        weight: np.ndarray | None = None,
    ) -> LinearModel | ConstantModel:
        """Train on all rows given; ``seed`` is not used (lbfgs draws nothing)."""
        from sklearn.linear_model import LogisticRegression

        from mlopsim.learners.estimators import train

        fitted = train(
            LogisticRegression, {"C": self.C, "max_iter": self.max_iter}, X, y, n_classes, seed, weight
        )
        if isinstance(fitted, ConstantModel):
            return fitted
        weights = np.asarray(fitted.estimator.coef_, dtype=np.float64)
        offsets = np.asarray(fitted.estimator.intercept_, dtype=np.float64)
        if n_classes == 2:
            return LinearModel(coef=weights, intercept=offsets, link=Link.SOFTMAX)
        seen = fitted.estimator.classes_.astype(np.int64)
        coef = np.zeros((n_classes, X.shape[1]))
        intercept = np.full(n_classes, -np.inf)
        if len(seen) == 2:
            # scikit-learn keeps one score for two classes: that of the second against zero
            weights, offsets = np.stack([0 * weights[0], weights[0]]), np.array([0.0, offsets[0]])
        coef[seen], intercept[seen] = weights, offsets
        return LinearModel(coef=coef, intercept=intercept, link=Link.SOFTMAX)
