"""Interventional Shapley values of naive Bayes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mlopsim.core.registry import register
from mlopsim.explain.attributions import Attributions
from mlopsim.explain.explainer import Explainer
from mlopsim.explain.output import Output, output_of
from mlopsim.learners.base import Model
from mlopsim.learners.models import GaussianModel


@register("explainer", "additive")
@dataclass(kw_only=True)
class Additive(Explainer):
    r"""Exact Shapley values of naive Bayes's margin, a sum over features.

    With the part :math:`g_j` of the margin that feature j adds and background rows :math:`b_1, \ldots, b_m`,

    .. math:: \phi_j = g_j(x_j) - \frac{1}{m} \sum_i g_j(b_{ij})

    What is explained is the log score of the class minus the mean log score of the other classes that
    training saw: the log odds of two classes. The mean is that over all background rows. For many versions at
    once use :func:`mlopsim.explain.additive.attribute`.

    Parameters
    ----------
    label : int, default 1
        The class whose margin is explained.

    Notes
    -----
    Use it for ``learner/naive_bayes``: it is exact at no cost. Other models are refused.

    References
    ----------
    .. [1] E. Štrumbelj and I. Kononenko, "Explaining prediction models and individual predictions with
       feature contributions", Knowledge and Information Systems 41, 2014, 647-665.
       doi:10.1007/s10115-013-0679-x

    Examples
    --------
    >>> centre = np.array([[-1.0], [1.0]])
    >>> model = GaussianModel(intercept=np.zeros(2), half=np.full((2, 1), 0.5), centre=centre)
    >>> background = np.array([[0.0], [-1.0]])
    >>> Additive().explain(model, np.array([[1.0]]), background, np.random.default_rng(0))
    Attributions(values=array([[3.]]), base=array([-1.]), stderr=None)
    """

    def check_model(self, model: Model) -> None:
        """Raise unless the model is naive Bayes."""
        if not isinstance(model, GaussianModel):
            raise self._refuse(model, "the learner naive_bayes", "the explainer permutation")

    def explained(self, model: Model, X: np.ndarray) -> np.ndarray:
        """Return the class's margin."""
        return output_of(model, Output.MARGIN, self.label)(X)

    def attribute(
        self, model: Model, X: np.ndarray, background: np.ndarray, rng: np.random.Generator
    ) -> Attributions:
        """Return the closed form."""
        from mlopsim.explain import additive

        assert isinstance(model, GaussianModel)
        margin = self.explained(model, background)
        level, others = additive.rivals(model.intercept, self.label)
        base = np.full(len(X), margin.mean())
        if np.isinf(level):
            return Attributions(values=np.zeros(X.shape), base=base)
        values = additive.attribute(model.half, model.centre, X, background, self.label, others)
        return Attributions(values=values, base=base)
