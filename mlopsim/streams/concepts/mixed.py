"""Mixed: two Boolean and two numeric features."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from mlopsim.core.registry import register
from mlopsim.streams.concepts.base import Concept, Law


@register("concept", "mixed")
@dataclass(kw_only=True)
class Mixed(Concept):
    r"""Mixed concepts: Boolean v, w and x, y uniform on [0, 1]; two variants, each other's reverse.

    With :math:`z = 1[y < 0.5 + 0.3 \sin(3 \pi x)]`, at least two of v, w, z make class 0 in variant 0 and
    class 1 in variant 1: :math:`v + w + z \ge 2`.

    Numbering and polarity are river's.

    Notes
    -----
    Use it for a reversal of all labels: a model that was right is then wrong.

    References
    ----------
    .. [1] J. Gama, P. Medas, G. Castillo and P. Rodrigues, "Learning with drift detection", SBIA, 2004,
       286-295. doi:10.1007/978-3-540-28645-5_29

    Examples
    --------
    >>> concept = Mixed()
    >>> X = np.array([[1.0, 1.0, 0.5, 0.5]])
    >>> [int(concept.rule(X, Law.of(k, 1))[0]) for k in range(2)]
    [0, 1]
    """

    @property
    def count(self) -> int:
        """Number of variants."""
        return 2

    @property
    def features(self) -> tuple[str, ...]:
        """Names of the features."""
        return ("v", "w", "x", "y")

    @property
    def categories(self) -> Mapping[int, tuple[str, ...]]:
        """Category names of the categorical features."""
        return {0: ("false", "true"), 1: ("false", "true")}

    def inputs(self, law: Law, rng: np.random.Generator) -> np.ndarray:
        """Draw inputs, float64 of shape (n, d)."""
        X = rng.random((len(law), 4))
        X[:, :2] = X[:, :2] >= 0.5
        return X

    def rule(self, X: np.ndarray, law: Law) -> np.ndarray:
        """Return the likeliest label of each row, int64 of shape (n,)."""
        z = X[:, 3] < 0.5 + 0.3 * np.sin(3.0 * np.pi * X[:, 2])
        most = (X[:, 0] + X[:, 1] + z) >= 2.0
        return np.asarray(most == (law.a == 1), dtype=np.int64)
