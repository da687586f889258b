"""Gaussian naive Bayes for all versions at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mlopsim.core.registry import register
from mlopsim.core.spec import check_range
from mlopsim.learners.models import GaussianModel, GaussianModels, check_versions, check_weight


@register("learner", "naive_bayes")
@dataclass(kw_only=True)
class NaiveBayes:
    r"""Independent normal features within each class.

    Equal to ``sklearn.naive_bayes.GaussianNB(var_smoothing=smoothing)`` within 1e-8, and so as
    overconfident on indicator columns of rare categories, whose variance within a class may be 0:
    with many categorical features use a ``smoothing`` of 0.01 to 0.1.

    With shares :math:`\pi_c`, means :math:`\mu_{cj}` and variances :math:`v_{cj}` of feature j in class c,
    and :math:`\varepsilon` = ``smoothing`` times the largest variance of a feature, the score of class c is

    .. math::

        \log \pi_c - \tfrac{1}{2} \sum_j \left(\log(2 \pi (v_{cj} + \varepsilon)) + \frac{(x_j -
        \mu_{cj})^2}{v_{cj} + \varepsilon}\right)

    Parameters
    ----------
    smoothing : float, default 1e-9
        Share of the widest feature's variance that is added to all variances.

    Notes
    -----
    Use it where versions must be cheap and features tell about the class one by one; its probabilities are
    too sure where features depend on each other.

    References
    ----------
    .. [1] D. J. Hand and K. Yu, "Idiot's Bayes: not so stupid after all?", International Statistical Review
       69, 2001, 385-398. doi:10.1111/j.1751-5823.2001.tb00465.x
    .. [2] F. Pedregosa and others, "Scikit-learn: machine learning in Python", Journal of Machine Learning
       Research 12, 2011, 2825-2830.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> y = rng.integers(0, 2, 300); X = rng.normal(size=(300, 2)) * (1 + 4 * y[:, None])
    >>> model = NaiveBayes().fit(X, y, 2, np.random.SeedSequence(0))
    >>> float((model.predict(X) == y).mean().round(2))
    0.88
    """

    smoothing: float = 1e-9

    def __post_init__(self) -> None:
        check_range("naive_bayes.smoothing", self.smoothing, 0.0, 1.0, open_low=True)

    def fit_versions(
        self,
        X: np.ndarray,
        y: np.ndarray,
        n_classes: int,
        bounds: np.ndarray,
        first: np.ndarray,
        last: np.ndarray,
        weight: np.ndarray | None = None,
    ) -> GaussianModels:
        """Train version i on the windows ``first[i]..last[i]``; see ``learners/base.py``."""
        from mlopsim.learners.kernels import moments as _moments
        from mlopsim.learners.kernels import solve as _solve

        X, y, bounds, first, last = check_versions(X, y, n_classes, bounds, first, last)
        weight = check_weight(weight, len(y))
        count, mean = _moments.window_means(X, y, weight, bounds, n_classes)
        squares = _moments.window_squares(X, y, weight, bounds, mean)
        n, centre, square = _moments.fold_squares(count, mean, squares, first, last)
        intercept, half = _solve.bayes(n, centre, square, self.smoothing)
        return GaussianModels(intercept=intercept, half=half, centre=centre)

    def fit(
        self,
        X: np.ndarray,
        y: np.ndarray,
        n_classes: int,
        seed: np.random.SeedSequence,
        weight: np.ndarray | None = None,
    ) -> GaussianModel:
        """Train on all rows given; ``seed`` is not used."""
        zero = np.zeros(1, dtype=np.int64)
        return self.fit_versions(X, y, n_classes, np.array([0, len(X)]), zero, zero, weight).model(0)
