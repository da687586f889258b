"""Exact Shapley values of any model, by enumeration."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mlopsim.core.errors import ConfigError
from mlopsim.core.registry import register
from mlopsim.core.spec import check_range
from mlopsim.explain.attributions import Attributions
from mlopsim.explain.explainer import Explainer
from mlopsim.explain.output import Output, finite_output, output_of
from mlopsim.learners.base import Model


@register("explainer", "exact")
@dataclass(kw_only=True)
class Exact(Explainer):
    r"""Interventional Shapley values from all subsets of the features and all background rows.

    The model is asked about ``2^d m`` rows for each row: the reference for the others, for few features.

    With background rows :math:`b_1, \ldots, b_m` and a row that takes x on the features S and b elsewhere,

    .. math::

        \phi_j = \sum_{S \not\ni j} \frac{|S|! \, (d - |S| - 1)!}{d!} \left(v(S \cup j) - v(S)\right), \qquad
        v(S) = \frac{1}{m} \sum_i f(x_S, b_{i, -S})

    Parameters
    ----------
    most : int, default 10
        Most features that are accepted; 16 at most.
    output : Output, default "probability"
        What is explained: the class's ``probability`` or ``margin``.
    label : int, default 1
        The class.

    Notes
    -----
    Use it as the reference for the others, of few features; not beyond ``most``, where ``permutation`` takes
    over.

    References
    ----------
    .. [1] L. S. Shapley, "A value for n-person games", Contributions to the Theory of Games II, Princeton
       University Press, 1953, 307-317.
    .. [2] E. Štrumbelj and I. Kononenko, "Explaining prediction models and individual predictions with
       feature contributions", Knowledge and Information Systems 41, 2014, 647-665.
       doi:10.1007/s10115-013-0679-x

    Examples
    --------
    >>> from mlopsim import make
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(100, 2)); y = (X[:, 0] + X[:, 1] > 0).astype(int)
    >>> model = make("learner", "naive_bayes").fit(X, y, 2, np.random.SeedSequence(0))
    >>> found = Exact().explain(model, np.array([[1.0, 0.0]]), X, rng)
    >>> found.values.round(2), found.total.round(2), model.scores(np.array([[1.0, 0.0]]))[:, 1].round(2)
    (array([[0.33, 0.04]]), array([0.86]), array([0.86]))
    """

    most: int = 10
    output: Output = Output.PROBABILITY

    def __post_init__(self) -> None:
        super().__post_init__()
        check_range("explainer/exact.most", self.most, 1, 16)

    def explained(self, model: Model, X: np.ndarray) -> np.ndarray:
        """Return the class's probability or margin."""
        return output_of(model, self.output, self.label)(X)

    def attribute(
        self, model: Model, X: np.ndarray, background: np.ndarray, rng: np.random.Generator
    ) -> Attributions:
        """Return the values."""
        from mlopsim.explain.sampled import enumerated

        d = X.shape[1]
        if d > self.most:
            raise ConfigError(
                f"{self.full_name}: {d} features have 2^{d} subsets, most={self.most}",
                remedy="the explainer permutation, or a larger most (16 at most)",
            )
        f, level, _ = finite_output(output_of(model, self.output, self.label), X)
        values, base = enumerated(f, X, background)
        return Attributions(values=values, base=np.full(len(X), base + level))
