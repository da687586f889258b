"""Ridge classifier for all versions at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mlopsim.core.registry import register
from mlopsim.core.spec import check_range
from mlopsim.learners.models import LinearModel, LinearModels, Link, check_versions, check_weight


@register("learner", "ridge")
@dataclass(kw_only=True)
class Ridge:
    r"""Least squares on targets -1 and +1 with a penalty, one regression per class.

    Equal to ``sklearn.linear_model.RidgeClassifier(alpha)`` within 1e-8, classes missing from a
    version's windows included; rows of one class only give a constant model.

    With targets t = -1 or +1 of a class,

    .. math:: \min_{w, b} \; \sum_i (t_i - w^\top x_i - b)^2 + \alpha \|w\|^2

    Parameters
    ----------
    alpha : float, default 1.0
        Weight of the squared coefficients against the sum of squared errors; above 0.

    Notes
    -----
    Use it where many versions are trained: all of them have a closed form. Its scores are margins, not
    probabilities.

    References
    ----------
    .. [1] A. E. Hoerl and R. W. Kennard, "Ridge regression: biased estimation for nonorthogonal problems",
       Technometrics 12, 1970, 55-67. doi:10.1080/00401706.1970.10488634
    .. [2] F. Pedregosa and others, "Scikit-learn: machine learning in Python", Journal of Machine Learning
       Research 12, 2011, 2825-2830.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(300, 2)); y = (X[:, 0] > 0).astype(int)
    >>> bounds = np.array([0, 100, 200, 300])
    >>> models = Ridge().fit_versions(X, y, 2, bounds, np.array([0, 1]), np.array([1, 2]))
    >>> (models.predict(X) == y).mean(axis=1).round(2)
    array([0.99, 0.98])
    """

    alpha: float = 1.0

    def __post_init__(self) -> None:
        check_range("ridge.alpha", self.alpha, 0.0, 1e12, open_low=True)

    def fit_versions(
        self,
        X: np.ndarray,
        y: np.ndarray,
        n_classes: int,
        bounds: np.ndarray,
        first: np.ndarray,
        last: np.ndarray,
        weight: np.ndarray | None = None,
    ) -> LinearModels:
        """Train version i on the windows ``first[i]..last[i]``; see ``learners/base.py``."""
        from mlopsim.learners.kernels import moments as _moments
        from mlopsim.learners.kernels import solve as _solve

        X, y, bounds, first, last = check_versions(X, y, n_classes, bounds, first, last)
        weight = check_weight(weight, len(y))
        count, mean = _moments.window_means(X, y, weight, bounds, n_classes)
        scatter = _moments.window_scatter(X, y, weight, bounds, mean)
        n, centre, within = _moments.fold_scatter(count, mean, scatter, first, last)
        coef, intercept = _solve.ridge(n, centre, within, self.alpha)
        return LinearModels(coef=coef, intercept=intercept, link=Link.MARGIN)

    def fit(
        self,
        X: np.ndarray,
        y: np.ndarray,
        n_classes: int,
        seed: np.random.SeedSequence,
        weight: np.ndarray | None = None,
    ) -> LinearModel:
        """Train on all rows given; ``seed`` is not used."""
        zero = np.zeros(1, dtype=np.int64)
        return self.fit_versions(X, y, n_classes, np.array([0, len(X)]), zero, zero, weight).model(0)
