"""Gradient boosting of scikit-learn."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mlopsim.core.registry import register
from mlopsim.core.spec import check_range
from mlopsim.learners.models import ConstantModel, EstimatorModel


@register("learner", "gbm")
@dataclass(kw_only=True)
class Gbm:
    r"""``sklearn.ensemble.HistGradientBoostingClassifier`` without early stopping.

    With trees :math:`h_m` fitted to the gradient of the log loss at :math:`F_{m-1}`,

    .. math::

        F_m(x) = F_{m-1}(x) + \mathrm{learning\_rate} \cdot h_m(x), \qquad m = 1, \ldots, \mathrm{max\_iter}

    Parameters
    ----------
    max_iter : int, default 50
        Boosting rounds (trees a class).
    learning_rate : float, default 0.1
        Shrinkage.
    max_leaf_nodes : int, default 15
        Leaves of a tree at most.
    min_samples_leaf : int, default 10
        Rows that a leaf must hold at least.

    Notes
    -----
    Use it for tables with interactions; not where thousands of versions are trained: it has no closed form.

    References
    ----------
    .. [1] J. H. Friedman, "Greedy function approximation: a gradient boosting machine", Annals of Statistics
       29, 2001, 1189-1232. doi:10.1214/aos/1013203451
    .. [2] G. Ke, Q. Meng, T. Finley, T. Wang, W. Chen, W. Ma, Q. Ye and T.-Y. Liu, "LightGBM: a highly
       efficient gradient boosting decision tree", NeurIPS, 2017 (histograms).
    .. [3] F. Pedregosa and others, "Scikit-learn: machine learning in Python", Journal of Machine Learning
       Research 12, 2011, 2825-2830.

    Examples
    --------
    >>> X = np.arange(80.0)[:, None]; y = (X[:, 0] > 40).astype(int)
    >>> Gbm(max_iter=5).fit(X, y, 2, np.random.SeedSequence(0)).predict(np.array([[3.0], [70.0]]))
    array([0, 1])
    """

    max_iter: int = 50
    learning_rate: float = 0.1
    max_leaf_nodes: int = 15
    min_samples_leaf: int = 10

    def __post_init__(self) -> None:
        check_range("gbm.max_iter", self.max_iter, 1, 100_000)
        check_range("gbm.learning_rate", self.learning_rate, 0.0, 10.0, open_low=True)
        check_range("gbm.max_leaf_nodes", self.max_leaf_nodes, 2, 10_000)
        check_range("gbm.min_samples_leaf", self.min_samples_leaf, 1, 1_000_000)

    def fit(
        self,
        X: np.ndarray,
        y: np.ndarray,
        n_classes: int,
        seed: np.random.SeedSequence,
        weight: np.ndarray | None = None,
    ) -> EstimatorModel | ConstantModel:
        """Train on all rows given; ``seed`` draws the rows that the bins are made from."""
        from sklearn.ensemble import HistGradientBoostingClassifier

        from mlopsim.learners.estimators import train

        params = {
            "max_iter": self.max_iter,
            "learning_rate": self.learning_rate,
            "max_leaf_nodes": self.max_leaf_nodes,
            "min_samples_leaf": self.min_samples_leaf,
            "early_stopping": False,
        }
        return train(HistGradientBoostingClassifier, params, X, y, n_classes, seed, weight)
