"""Sine: two features, the boundary is a sine curve."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mlopsim.core.registry import register
from mlopsim.core.spec import check_range
from mlopsim.streams.concepts.base import Concept, Law, numbered


@register("concept", "sine")
@dataclass(kw_only=True)
class Sine(Concept):
    r"""Sine concepts: x uniform on [0, 1]^2; variants SINE1, its reverse, SINE2, its reverse.

    SINE1: class 1 where :math:`x_0 < \sin(x_1)`. SINE2: class 1 where
    :math:`x_0 < 0.5 + 0.3 \sin(3 \pi x_1)`.

    Numbering and polarity are river's.

    Parameters
    ----------
    irrelevant : int, default 0
        Further uniform features that say nothing about the label (2 in the original SIRREL sets).

    Notes
    -----
    Use it for a nonlinear boundary and its reversal.

    References
    ----------
    .. [1] J. Gama, P. Medas, G. Castillo and P. Rodrigues, "Learning with drift detection", SBIA, 2004,
       286-295. doi:10.1007/978-3-540-28645-5_29

    Examples
    --------
    >>> concept = Sine()
    >>> X = np.array([[0.1, 0.9]])
    >>> [int(concept.rule(X, Law.of(k, 1))[0]) for k in range(4)]
    [1, 0, 1, 0]
    """

    irrelevant: int = 0

    def __post_init__(self) -> None:
        check_range("sine.irrelevant", self.irrelevant, 0, 10_000)

    @property
    def count(self) -> int:
        """Number of variants."""
        return 4

    @property
    def features(self) -> tuple[str, ...]:
        """Names of the features."""
        return numbered("x", 2 + self.irrelevant)

    def inputs(self, law: Law, rng: np.random.Generator) -> np.ndarray:
        """Draw inputs, float64 of shape (n, d)."""
        return rng.random((len(law), 2 + self.irrelevant))

    def rule(self, X: np.ndarray, law: Law) -> np.ndarray:
        """Return the likeliest label of each row, int64 of shape (n,)."""
        # one sine a row, of the angle that its variant asks for
        second = law.a >= 2
        wave = np.sin(np.where(second, 3.0 * np.pi, 1.0) * X[:, 1])
        below = X[:, 0] < np.where(second, 0.5 + 0.3 * wave, wave)
        return np.asarray(below ^ (law.a % 2 == 1), dtype=np.int64)
