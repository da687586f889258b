"""Correlated normal inputs, a linear boundary."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from mlopsim.core.registry import register
from mlopsim.core.spec import check_range
from mlopsim.streams.concepts.base import Law, add_by_law
from mlopsim.streams.concepts.linear_gaussian import LinearGaussian


@register("concept", "factor_gaussian")
@dataclass(kw_only=True)
class FactorGaussian(LinearGaussian):
    r"""Standard normal inputs that all share one factor, and labels by a noisy linear boundary.

    With the correlation c and independent standard normal f and :math:`e_j`,

    .. math:: x_j = \sqrt{c} \, f + \sqrt{1 - c} \, e_j

    any two have that correlation, and a row that breaks it is unusual although each of its values is not. All
    else is as in :class:`mlopsim.streams.concepts.linear_gaussian.LinearGaussian`.

    Parameters
    ----------
    variants, d, sigma, angle, offset, move_inputs, n_relevant
        As in ``concept/linear_gaussian``.
    correlation : float, default 0.7
        Of any two inputs, 0 to below 1.

    Notes
    -----
    Use it for gates: a row may be wrong although each of its values is usual.

    Examples
    --------
    >>> concept = FactorGaussian(d=4, correlation=0.5)
    >>> X = concept.inputs(Law.of(0, 20000), np.random.default_rng(0))
    >>> np.corrcoef(X.T)[0, 1:].round(1), X.std(axis=0).round(1)
    (array([0.5, 0.5, 0.5]), array([1., 1., 1., 1.]))
    """

    correlation: float = 0.7

    def __post_init__(self) -> None:
        super().__post_init__()
        check_range("factor_gaussian.correlation", self.correlation, 0.0, 1.0 - 1e-9)

    def inputs(self, law: Law, rng: np.random.Generator) -> np.ndarray:
        """Draw inputs, float64 of shape (n, d)."""
        factor = rng.standard_normal((len(law), 1))
        own = rng.standard_normal((len(law), self.d))
        X: np.ndarray = math.sqrt(self.correlation) * factor + math.sqrt(1.0 - self.correlation) * own
        if self.move_inputs:
            add_by_law(X, law, self.centres)
        return X

    def bayes_accuracy(self, variant: int, shift: np.ndarray | None = None) -> float:
        """Return the Bayes accuracy of a variant in closed form: that of a margin of another spread.

        The margin has the variance ``1 - c + c (sum w)^2``, c the correlation; in its units offset and noise
        are those of the independent case.
        """
        weights = self.weights[variant]
        spread = math.sqrt(1.0 - self.correlation + self.correlation * float(weights.sum()) ** 2)
        scaled = LinearGaussian(
            variants=1, d=2, sigma=self.sigma / spread, offset=self._distance(variant, shift) / spread
        )
        return scaled.bayes_accuracy(0)

    def _distance(self, variant: int, shift: np.ndarray | None) -> float:
        """Return the distance of the boundary from the centre of the inputs."""
        moved = 0.0 if shift is None else float((self.weights[variant] * shift).sum())
        return self.offset - moved
