"""Interventional Shapley values of trees, forests and boosting."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

import numpy as np

from mlopsim.core.registry import register
from mlopsim.explain.attributions import Attributions
from mlopsim.explain.explainer import Explainer
from mlopsim.explain.output import Output, output_of
from mlopsim.learners.base import Model
from mlopsim.learners.models import EstimatorModel


class Engine(Enum):
    """What computes: our kernel, or ``shap.TreeExplainer``."""

    OWN = "own"
    SHAP = "shap"


@register("explainer", "tree")
@dataclass(kw_only=True)
class TreeShapley(Explainer):
    r"""Exact Shapley values of scikit-learn's trees against all background rows.

    What is explained is what the trees add up to: the probability of the class for a decision tree, a random
    forest or extra trees, the margin (decision function) for gradient boosting, with histograms or without;
    a constant model's probability. That attributions and base add up to what the model itself predicts is
    checked in every call.

    With background rows :math:`b_1, \ldots, b_m` and a row that takes x on the features S and b elsewhere,

    .. math::

        \phi_j = \sum_{S \not\ni j} \frac{|S|! \, (d - |S| - 1)!}{d!} \left(v(S \cup j) - v(S)\right), \qquad
        v(S) = \frac{1}{m} \sum_i f(x_S, b_{i, -S})

    Parameters
    ----------
    engine : Engine, default "own"
        ``own``: rows as they are, in double precision. ``shap``: rows and background rounded to float32
        first, and the model evaluated on the rounded rows; about 1e-7 exact and hundreds of times slower. It
        needs the extra ``explain``.
    label : int, default 1
        The class whose probability or margin is explained.

    Notes
    -----
    Use it for trees and what is made of them. Numbers of path-dependent TreeSHAP are others: they depend on
    how the trees were grown.

    References
    ----------
    .. [1] S. M. Lundberg and others, "From local explanations to global understanding with explainable AI for
       trees", Nature Machine Intelligence 2, 2020, 56-67. doi:10.1038/s42256-019-0138-9

    Examples
    --------
    >>> from mlopsim import make
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(200, 3)); y = (X[:, 0] > 0).astype(int)
    >>> model = make("learner", "tree", max_depth=3).fit(X, y, 2, np.random.SeedSequence(0))
    >>> found = TreeShapley().explain(model, np.array([[1.0, 0.0, 0.0]]), X, rng)
    >>> found.values.round(3), found.base.round(3)
    (array([[0.53, 0.  , 0.  ]]), array([0.47]))
    """

    engine: Engine = Engine.OWN

    def check_model(self, model: Model) -> None:
        """Raise unless the model is made of scikit-learn's trees."""
        from mlopsim.explain.trees import output_kind

        if not isinstance(model, EstimatorModel) or output_kind(model.estimator) is None:
            raise self._refuse(
                model,
                "a decision tree, random forest, extra trees or gradient boosting of scikit-learn",
                "the explainer permutation",
            )

    def explained(self, model: Model, X: np.ndarray) -> np.ndarray:
        """Return the class's probability or margin, of rounded rows with ``engine=shap``."""
        from mlopsim.explain.trees import output_kind, rounded

        if self.engine is Engine.SHAP:
            X = rounded(X)
        kind = output_kind(model.estimator) if isinstance(model, EstimatorModel) else None
        return output_of(model, kind or Output.PROBABILITY, self.label)(X)

    def attribute(
        self, model: Model, X: np.ndarray, background: np.ndarray, rng: np.random.Generator
    ) -> Attributions:
        """Return exact values, checked against the model's predictions."""
        from mlopsim.explain import trees

        assert isinstance(model, EstimatorModel)
        both = self.explained(model, np.concatenate([X, background]))
        output, base = both[: len(X)], float(both[len(X) :].mean())
        found = trees.trees_of(model.estimator, self.label)
        if found is None:
            return Attributions(values=np.zeros(X.shape), base=output)
        if self.engine is Engine.SHAP:
            values = trees.attribute_by_shap(found, trees.rounded(X), trees.rounded(background))
            trees.check_additive(values, output, base, self.full_name, trees.CLOSE_SHAP)
        else:
            values = trees.attribute(found, X, background)
            trees.check_additive(values, output, base, self.full_name)
        return Attributions(values=values, base=np.full(len(X), base))
