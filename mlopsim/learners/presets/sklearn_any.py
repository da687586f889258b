"""Any scikit-learn classifier by its import path."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from mlopsim.core.registry import register
from mlopsim.learners.models import ConstantModel, EstimatorModel


@register("learner", "sklearn")
@dataclass(kw_only=True)
class SklearnAny:
    """A scikit-learn classifier with its own parameters, one job, seeded.

    Parameters
    ----------
    path : str
        Import path; only names under ``sklearn.`` are accepted.
    params : dict
        Constructor parameters. ``n_jobs`` is set to 1 and ``random_state`` by the seed unless it is
        given here.

    Notes
    -----
    Use it for any classifier that is not listed; it is trained version by version.

    References
    ----------
    .. [1] F. Pedregosa and others, "Scikit-learn: machine learning in Python", Journal of Machine Learning
       Research 12, 2011, 2825-2830.

    Examples
    --------
    >>> learner = SklearnAny(path="sklearn.neighbors.KNeighborsClassifier", params={"n_neighbors": 1})
    >>> X = np.array([[0.0], [1.0]]); y = np.array([2, 0])
    >>> learner.fit(X, y, 3, np.random.SeedSequence(0)).scores(np.array([[0.9]]))
    array([[1., 0., 0.]])
    """

    path: str = "sklearn.neighbors.KNeighborsClassifier"
    params: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        from mlopsim.learners.estimators import check_params, estimator_class

        check_params(estimator_class(self.path, "sklearn.path"), self.params, "sklearn.params")

    def fit(
        self,
        X: np.ndarray,
        y: np.ndarray,
        n_classes: int,
        seed: np.random.SeedSequence,
        weight: np.ndarray | None = None,
    ) -> EstimatorModel | ConstantModel:
        """Train on all rows given."""
        from mlopsim.learners.estimators import estimator_class, train

        # some classifiers (nearest neighbours) keep the rows themselves
        X, y = X.copy(), y.copy()
        return train(estimator_class(self.path, "sklearn.path"), self.params, X, y, n_classes, seed, weight)
