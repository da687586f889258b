"""Conditional Shapley values of linear models of normal features."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from mlopsim.core.errors import DataError
from mlopsim.core.registry import register
from mlopsim.core.spec import check_range
from mlopsim.explain.attributions import Attributions
from mlopsim.explain.explainer import Explainer
from mlopsim.explain.output import Output, output_of
from mlopsim.learners.base import Model
from mlopsim.learners.models import LinearModel


@register("explainer", "linear_conditional")
@dataclass(kw_only=True)
class LinearConditional(Explainer):
    r"""Shapley values of a linear model's margin given a normal law of the features.

    Features that are not known are drawn given those that are, so a feature that the model does not use gets
    a share for what it tells about others: the margin's dependence on a proxy shows. Mean and covariance
    are those of all background rows. Exact up to ``exact`` features, from all subsets; beyond, the mean over
    ``pairs`` random orders of the features, each with its reverse, with standard errors. For many versions at
    once use :mod:`mlopsim.explain.conditional`. The background must have more rows than features.

    With the margin's weights w and normal features X,

    .. math::

        \phi_j = \sum_{S \not\ni j} \frac{|S|! \, (d - |S| - 1)!}{d!} \left(v(S \cup j) - v(S)\right), \qquad
        v(S) = \mathrm{E}[w^\top X \mid X_S = x_S]

    Parameters
    ----------
    exact : int, default 12
        Most features for which all subsets are taken; 16 at most.
    pairs : int, default 500
        Orders that are drawn beyond, each used forwards and backwards.
    shrinkage : float, default 1e-6
        Share by which correlations are shrunk towards 0, which moves attributions by about as much. With 0,
        features that determine each other (all indicators of a category) are an error.
    label : int, default 1
        The class whose margin is explained.

    Notes
    -----
    Use it to see proxies of a feature that the model does not use; not for categorical features, whose law is
    far from normal.

    References
    ----------
    .. [1] K. Aas, M. Jullum and A. Løland, "Explaining individual predictions when features are dependent:
       more accurate approximations to Shapley values", Artificial Intelligence 298, 2021, 103502.
       doi:10.1016/j.artint.2021.103502

    Examples
    --------
    >>> from mlopsim.learners.models import Link
    >>> model = LinearModel(coef=np.array([[1.0, 0.0]]), intercept=np.zeros(1), link=Link.SOFTMAX)
    >>> background = np.array([[2.0, 1.0], [-2.0, -1.0], [-1.0, 2.0], [1.0, -2.0]]) @ [[1.0, 0.6], [0.0, 0.8]]
    >>> rng = np.random.default_rng(0)
    >>> LinearConditional(shrinkage=0.0).explain(model, np.array([[0.0, 1.0]]), background, rng)
    Attributions(values=array([[-0.3,  0.3]]), base=array([0.]), stderr=None)
    """

    drawn: ClassVar[bool] = True
    ignores_unused: ClassVar[bool] = False

    exact: int = 12
    pairs: int = 500
    shrinkage: float = 1e-6

    def __post_init__(self) -> None:
        super().__post_init__()
        check_range("explainer/linear_conditional.exact", self.exact, 0, 16)
        check_range("explainer/linear_conditional.pairs", self.pairs, 2, 10**6)
        check_range("explainer/linear_conditional.shrinkage", self.shrinkage, 0.0, 1.0)

    def check_model(self, model: Model) -> None:
        """Raise unless the model is linear."""
        if not isinstance(model, LinearModel):
            raise self._refuse(model, "a linear model (ridge, lda, logistic)", "the explainer permutation")

    def explained(self, model: Model, X: np.ndarray) -> np.ndarray:
        """Return the class's margin."""
        return output_of(model, Output.MARGIN, self.label)(X)

    def attribute(
        self, model: Model, X: np.ndarray, background: np.ndarray, rng: np.random.Generator
    ) -> Attributions:
        """Return all rows' attributions by one linear map."""
        from mlopsim.explain.conditional import conditional, conditional_sampled, conditional_tensor
        from mlopsim.explain.linear import score_of

        assert isinstance(model, LinearModel)
        if len(background) <= X.shape[1]:
            raise DataError(
                f"{self.full_name}: the covariance of {X.shape[1]} features needs more rows than that, the "
                f"background has {len(background)}",
                remedy="more background rows, or the explainer linear_interventional",
            )
        coef, intercept = score_of(model, self.label)
        mean = background.mean(axis=0)
        apart = background - mean
        covariance = apart.T @ apart / len(background)
        base = np.full(len(X), intercept + mean @ coef)
        if X.shape[1] <= self.exact:
            tensor = conditional_tensor(covariance, self.shrinkage)
            return Attributions(values=conditional(coef, X, mean, tensor), base=base)
        values, stderr = conditional_sampled(coef[None], X, mean, covariance, self.pairs, rng, self.shrinkage)
        return Attributions(values=values[0], base=base, stderr=stderr[0])
