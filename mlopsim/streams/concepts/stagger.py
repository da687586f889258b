"""STAGGER: three categorical features, Boolean rules."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from mlopsim.core.registry import register
from mlopsim.streams.concepts.base import Concept, Law


@register("concept", "stagger")
@dataclass(kw_only=True)
class Stagger(Concept):
    """STAGGER concepts on size, color and shape, each uniform over three values.

    Class 1 is: (0) small and red; (1) green or circle; (2) medium or large.

    Codes and order are river's.

    Notes
    -----
    Use it for categorical columns and rules that a small tree can hold.

    References
    ----------
    .. [1] J. C. Schlimmer and R. H. Granger, "Incremental learning from noisy data", Machine Learning 1,
       1986, 317-354. doi:10.1007/BF00116895

    Examples
    --------
    >>> concept = Stagger()
    >>> small_red_circle = np.array([[0.0, 0.0, 0.0]])
    >>> [int(concept.rule(small_red_circle, Law.of(k, 1))[0]) for k in range(3)]
    [1, 1, 0]
    """

    @property
    def count(self) -> int:
        """Number of variants."""
        return 3

    @property
    def features(self) -> tuple[str, ...]:
        """Names of the features."""
        return ("size", "color", "shape")

    @property
    def categories(self) -> Mapping[int, tuple[str, ...]]:
        """Category names of the categorical features."""
        return {
            0: ("small", "medium", "large"),
            1: ("red", "blue", "green"),
            2: ("circle", "square", "triangle"),
        }

    def inputs(self, law: Law, rng: np.random.Generator) -> np.ndarray:
        """Draw inputs, float64 of shape (n, d)."""
        return rng.integers(0, 3, size=(len(law), 3)).astype(np.float64)

    def rule(self, X: np.ndarray, law: Law) -> np.ndarray:
        """Return the likeliest label of each row, int64 of shape (n,)."""
        size, color, shape = X.T
        rules = ((size == 0) & (color == 0), (color == 2) | (shape == 0), size >= 1)
        return np.choose(law.a, rules).astype(np.int64)
