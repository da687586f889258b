"""SEA: a threshold on the sum of two of three features."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np

from mlopsim.core.errors import ConfigError
from mlopsim.core.registry import register
from mlopsim.streams.concepts.base import Concept, Law, numbered


@register("concept", "sea")
@dataclass(kw_only=True)
class Sea(Concept):
    r"""SEA concepts: two of three uniform inputs add up, and their sum is compared with a threshold.

    .. math:: x \sim U[0, 10]^3, \qquad y = 1 \iff x_0 + x_1 > \mathrm{threshold}

    The default thresholds and their order are river's.

    Parameters
    ----------
    thresholds : list of float
        One per variant, each in (0, 20).

    Notes
    -----
    Use it as the classical small drift: neighbouring thresholds disagree on few rows.

    References
    ----------
    .. [1] W. N. Street and Y. Kim, "A streaming ensemble algorithm (SEA) for large-scale classification",
       KDD, 2001, 377-382. doi:10.1145/502512.502568

    Examples
    --------
    >>> concept = Sea()
    >>> X = np.array([[4.0, 4.5, 0.0]])
    >>> [int(concept.rule(X, Law.of(k, 1))[0]) for k in range(4)]
    [1, 0, 1, 0]
    """

    interpolates: ClassVar[bool] = True

    thresholds: list[float] = field(default_factory=lambda: [8.0, 9.0, 7.0, 9.5])

    def __post_init__(self) -> None:
        if not self.thresholds or not all(0.0 < value < 20.0 for value in self.thresholds):
            raise ConfigError(f"sea.thresholds must lie in (0, 20), got {self.thresholds}")

    @property
    def count(self) -> int:
        """Number of variants."""
        return len(self.thresholds)

    @property
    def features(self) -> tuple[str, ...]:
        """Names of the features."""
        return numbered("x", 3)

    def inputs(self, law: Law, rng: np.random.Generator) -> np.ndarray:
        """Draw inputs, float64 of shape (n, d)."""
        X = rng.random((len(law), 3))
        X *= 10.0
        return X

    def rule(self, X: np.ndarray, law: Law) -> np.ndarray:
        """Return the likeliest label of each row, int64 of shape (n,)."""
        threshold = law.blend(np.array(self.thresholds, dtype=np.float64))
        return np.asarray(X[:, 0] + X[:, 1] > threshold, dtype=np.int64)
