"""Interventional Shapley values of linear models."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mlopsim.core.registry import register
from mlopsim.explain.attributions import Attributions
from mlopsim.explain.explainer import Explainer
from mlopsim.explain.output import Output, output_of
from mlopsim.learners.base import Model
from mlopsim.learners.models import LinearModel


@register("explainer", "linear_interventional")
@dataclass(kw_only=True)
class LinearInterventional(Explainer):
    r"""Exact Shapley values of a linear model's margin.

    .. math:: \phi_j = w_j (x_j - \bar b_j)

    with the mean :math:`\bar b` of the background rows.

    What is explained is the linear score of the class (see :func:`mlopsim.explain.linear.class_score`), the
    log odds of two classes where scores are probabilities. The mean is that of all background rows. For many
    versions at once use :func:`mlopsim.explain.linear.interventional`.

    Parameters
    ----------
    label : int, default 1
        The class whose margin is explained.

    Notes
    -----
    Use it for linear models: it is exact at no cost. A feature without a weight gets nothing, whatever it
    tells about others (``linear_conditional``).

    References
    ----------
    .. [1] S. M. Lundberg and S.-I. Lee, "A unified approach to interpreting model predictions", NeurIPS,
       2017, corollary 1. arXiv:1705.07874

    Examples
    --------
    >>> from mlopsim.learners.models import Link
    >>> model = LinearModel(coef=np.array([[1.0, -2.0]]), intercept=np.array([3.0]), link=Link.SOFTMAX)
    >>> background = np.array([[0.0, 1.0], [2.0, 1.0]])
    >>> LinearInterventional().explain(model, np.array([[2.0, 0.0]]), background, np.random.default_rng(0))
    Attributions(values=array([[1., 2.]]), base=array([2.]), stderr=None)
    """

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
        """Return the closed form."""
        from mlopsim.explain.linear import interventional, score_of

        assert isinstance(model, LinearModel)
        coef, intercept = score_of(model, self.label)
        mean = background.mean(axis=0)
        base = np.full(len(X), intercept + mean @ coef)
        return Attributions(values=interventional(coef, X, mean), base=base)
