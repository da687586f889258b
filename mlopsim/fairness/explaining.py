"""Which explanation a model gets in an audit, and how much of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from mlopsim.core.errors import ConfigError
from mlopsim.core.spec import check_range, make, read_settings
from mlopsim.explain.explainer import Explainer
from mlopsim.explain.output import Output
from mlopsim.fairness.deceptive_model import Scaffold
from mlopsim.learners.base import Model
from mlopsim.learners.models import ConstantModel, EstimatorModel, LinearModel

#: explainers that are exact, the fastest first; what none of them can explain is sampled
EXACT = ("linear_interventional", "additive", "tree")


@dataclass(frozen=True, kw_only=True)
class Explaining:
    """How much is explained.

    Parameters
    ----------
    background : int, default 200
        Rows that say what a feature is when it is not known, drawn from those that the model was trained on.
    rows : int, default 50
        Rows a window that LIME explains, as many of each group as possible.
    samples : int, default 500
        Perturbed rows of LIME.

    Examples
    --------
    >>> Explaining.of({"rows": 20})
    Explaining(background=200, rows=20, samples=500)
    """

    background: int = 200
    rows: int = 50
    samples: int = 500

    def __post_init__(self) -> None:
        check_range("fairness.explain.background", self.background, 1, 10**6)
        check_range("fairness.explain.rows", self.rows, 2, 10**6)
        check_range("fairness.explain.samples", self.samples, 2, 10**7)

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> Explaining:
        """Read the settings ``fairness.explain``.

        Raises
        ------
        ConfigError
            For an unknown name or a value out of range.
        """
        return read_settings(cls, given, "fairness.explain")

    def settings(self) -> dict[str, int]:
        """Return all settings."""
        return asdict(self)


def output_kind(model: Model) -> Output:
    """Return what is explained of a model: the margin where it is a sum, else the probability of class 1."""
    from mlopsim.explain.trees import output_kind as of_trees

    if isinstance(model, LinearModel | Scaffold):
        return Output.MARGIN
    if isinstance(model, EstimatorModel):
        return of_trees(model.estimator) or Output.PROBABILITY
    return Output.PROBABILITY


def explainer_for(model: Model) -> Explainer:
    """Return the explainer of a model's Shapley values: exact where there is a fast exact one.

    Examples
    --------
    >>> from mlopsim.learners.models import Link
    >>> linear = LinearModel(coef=np.array([[1.0]]), intercept=np.zeros(1), link=Link.MARGIN)
    >>> explainer_for(linear).full_name
    'explainer/linear_interventional'
    """
    for name in EXACT:
        explainer: Explainer = make("explainer", name)
        try:
            explainer.check_model(model)
        except ConfigError:
            continue
        return explainer
    sampled: Explainer = make("explainer", "permutation")
    return sampled


def score_of(model: Model, X: np.ndarray) -> np.ndarray:
    """Return the output of a model that is explained, float64 (n,), of encoded rows (n, d)."""
    if isinstance(model, Scaffold):
        return model.margin(X)
    if isinstance(model, ConstantModel):
        return model.scores(X)[:, 1]
    return explainer_for(model).explained(model, X)


def shap_values(model: Model, X: np.ndarray, background: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return interventional Shapley values of :func:`score_of`, float64 (n, d)."""
    if isinstance(model, Scaffold):
        return model.attribute(X, background)
    if isinstance(model, ConstantModel):
        return np.zeros(X.shape)
    return explainer_for(model).explain(model, X, background, rng).values


def lime_values(
    model: Model, X: np.ndarray, background: np.ndarray, samples: int, rng: np.random.Generator
) -> np.ndarray:
    """Return LIME attributions of :func:`score_of`, float64 (n, d).

    Features are cut at their quartiles, as LIME does by default: an attribution is what being in that quarter
    adds. (The slopes of the continuous form are the same for all rows of a linear model, so that no
    two groups could ever differ in them.)
    """
    if isinstance(model, ConstantModel):
        return np.zeros(X.shape)
    params = {"samples": samples, "output": output_kind(model), "form": "quartiles"}
    explainer: Explainer = make("explainer", {"lime": params})
    return explainer.explain(model, X, background, rng).values
