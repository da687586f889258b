"""Decision tree of scikit-learn."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mlopsim.core.registry import register
from mlopsim.core.spec import check_range
from mlopsim.learners.models import ConstantModel, EstimatorModel


@register("learner", "tree")
@dataclass(kw_only=True)
class Tree:
    r"""``sklearn.tree.DecisionTreeClassifier``.

    Each split is that feature and cut for which the Gini impurity :math:`\sum_c p_c (1 - p_c)` falls most,
    weighted by the rows of each side.

    Parameters
    ----------
    max_depth : int, default 6
        Levels of splits at most.
    min_samples_leaf : int, default 5
        Rows that a leaf must hold at least.

    Notes
    -----
    Use it where a model must be read; one tree changes much with few rows.

    References
    ----------
    .. [1] L. Breiman, J. H. Friedman, R. A. Olshen and C. J. Stone, "Classification and Regression Trees",
       Wadsworth, 1984.
    .. [2] F. Pedregosa and others, "Scikit-learn: machine learning in Python", Journal of Machine Learning
       Research 12, 2011, 2825-2830.

    Examples
    --------
    >>> X = np.arange(40.0)[:, None]; y = (X[:, 0] > 20).astype(int)
    >>> Tree().fit(X, y, 2, np.random.SeedSequence(0)).predict(np.array([[3.0], [30.0]]))
    array([0, 1])
    """

    max_depth: int = 6
    min_samples_leaf: int = 5

    def __post_init__(self) -> None:
        check_range("tree.max_depth", self.max_depth, 1, 1000)
        check_range("tree.min_samples_leaf", self.min_samples_leaf, 1, 1_000_000)

    def fit(
        self,
        X: np.ndarray,
        y: np.ndarray,
        n_classes: int,
        seed: np.random.SeedSequence,
        weight: np.ndarray | None = None,
    ) -> EstimatorModel | ConstantModel:
        """Train on all rows given; ``seed`` breaks ties between equally good splits."""
        from sklearn.tree import DecisionTreeClassifier

        from mlopsim.learners.estimators import train

        params = {"max_depth": self.max_depth, "min_samples_leaf": self.min_samples_leaf}
        return train(DecisionTreeClassifier, params, X, y, n_classes, seed, weight)
