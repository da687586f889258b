"""Sampled Shapley values of any model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from mlopsim.core.registry import register
from mlopsim.core.spec import check_range
from mlopsim.explain.attributions import Attributions
from mlopsim.explain.explainer import Explainer
from mlopsim.explain.output import Output, finite_output, output_of
from mlopsim.learners.base import Model


@register("explainer", "permutation")
@dataclass(kw_only=True)
class Permutation(Explainer):
    r"""Interventional Shapley values from random orders of the features, each with its reverse.

    Every background row is taken equally often, so attributions add up exactly; see
    :func:`mlopsim.explain.sampled.sampled`. Rows share what is drawn.

    With random orders :math:`\pi`, each with its reverse, and the features :math:`P_j(\pi)` before j,

    .. math:: \hat\phi_j = \frac{1}{R} \sum_{\pi} \left(f(x_{P_j \cup j}, b_{-}) - f(x_{P_j}, b_{-})\right)

    where b is a background row, each equally often, on the other features.

    Parameters
    ----------
    draws : int, default 200
        Pairs of orders for a row at least; rounded up to a multiple of the background rows, of two at least.
        The model is asked about ``2 (d - 1)`` rows for each.
    output : Output, default "probability"
        What is explained: the class's ``probability`` or ``margin``.
    label : int, default 1
        The class.

    Notes
    -----
    Use it for any model with more features than ``exact`` takes; where a closed form exists it is slower and
    only an estimate.

    References
    ----------
    .. [1] E. Štrumbelj and I. Kononenko, "Explaining prediction models and individual predictions with
       feature contributions", Knowledge and Information Systems 41, 2014, 647-665.
       doi:10.1007/s10115-013-0679-x
    .. [2] R. Mitchell, J. Cooper, E. Frank and G. Holmes, "Sampling permutations for Shapley value
       estimation", Journal of Machine Learning Research 23(43), 2022, 1-46 (orders with their reverse).

    Examples
    --------
    >>> from mlopsim import make
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(200, 3)); y = (X[:, 0] * X[:, 1] > 0).astype(int)
    >>> model = make("learner", "gbm", max_iter=5).fit(X, y, 2, np.random.SeedSequence(0))
    >>> found = Permutation().explain(model, np.array([[1.0, 1.0, 0.0]]), X, rng)
    >>> found.values[:, :2].round(2), bool((found.stderr < 0.01).all())
    (array([[0.1 , 0.12]]), True)
    """

    drawn: ClassVar[bool] = True

    draws: int = 200
    output: Output = Output.PROBABILITY

    def __post_init__(self) -> None:
        super().__post_init__()
        check_range("explainer/permutation.draws", self.draws, 2, 10**7)

    def explained(self, model: Model, X: np.ndarray) -> np.ndarray:
        """Return the class's probability or margin."""
        return output_of(model, self.output, self.label)(X)

    def attribute(
        self, model: Model, X: np.ndarray, background: np.ndarray, rng: np.random.Generator
    ) -> Attributions:
        """Return estimates with their standard errors."""
        from mlopsim.explain.sampled import sampled

        f, level, _ = finite_output(output_of(model, self.output, self.label), X)
        values, base, stderr = sampled(f, X, background, self.draws, rng)
        return Attributions(values=values, base=np.full(len(X), base + level), stderr=stderr)
