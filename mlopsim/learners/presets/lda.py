"""Linear discriminant analysis for all versions at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mlopsim.core.registry import register
from mlopsim.core.spec import check_range
from mlopsim.learners.models import LinearModel, LinearModels, Link, check_versions, check_weight


@register("learner", "lda")
@dataclass(kw_only=True)
class Lda:
    r"""Normal classes with one covariance; probabilities by Bayes' rule with the training shares.

    Gives the scores of ``sklearn.discriminant_analysis.LinearDiscriminantAnalysis()`` (its ``svd``
    solver: covariance divided by n, as from release 1.8 on, and the same rank decision) within
    1e-8; for three and more classes up to a constant per row, which moves neither labels nor
    probabilities. Versions with no more rows than classes are fitted, too.

    With shares :math:`\pi_c`, means :math:`\mu_c` and the covariance S within classes (its pseudo-inverse
    where it is singular), the score of class c is

    .. math:: x^\top S^{+} \mu_c - \tfrac{1}{2} \mu_c^\top S^{+} \mu_c + \log \pi_c

    Parameters
    ----------
    tol : float, default 1e-4
        Directions whose within-class standard deviation (of columns scaled to 1) is not above this
        are left out.

    Notes
    -----
    Use it for numeric features of about normal law; all versions of a World are fitted at once.

    References
    ----------
    .. [1] R. A. Fisher, "The use of multiple measurements in taxonomic problems", Annals of Eugenics 7, 1936,
       179-188. doi:10.1111/j.1469-1809.1936.tb02137.x
    .. [2] F. Pedregosa and others, "Scikit-learn: machine learning in Python", Journal of Machine Learning
       Research 12, 2011, 2825-2830.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> y = rng.integers(0, 3, 300); X = rng.normal(size=(300, 2)) + 4 * np.eye(3)[y][:, :2]
    >>> model = Lda().fit(X, y, 3, np.random.SeedSequence(0))
    >>> float((model.predict(X) == y).mean().round(2))
    0.97
    """

    tol: float = 1e-4

    def __post_init__(self) -> None:
        check_range("lda.tol", self.tol, 0.0, 1.0, open_low=True)

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
        correlation = np.empty_like(within)
        deviation = np.empty(within.shape[:2])
        _solve.whiten(n, within, correlation, deviation)
        # one LAPACK call a matrix: a version alone has the same bits as among others
        values, vectors = np.linalg.eigh(correlation)
        coef, intercept = _solve.lda(n, centre, deviation, values, vectors, self.tol**2)
        return LinearModels(coef=coef, intercept=intercept, link=Link.SOFTMAX)

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
