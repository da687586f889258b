"""Rotating hyperplane: a linear boundary through the middle of the unit cube."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from mlopsim.core.registry import register
from mlopsim.core.spec import check_range
from mlopsim.streams.concepts.base import Concept, Law, numbered


@register("concept", "hyperplane")
@dataclass(kw_only=True)
class Hyperplane(Concept):
    r"""Hyperplanes: inputs uniform on a cube, divided by a plane through its centre.

    .. math:: x \sim U[0, 1]^d, \qquad y = 1 \iff \sum_j w_j x_j \ge \tfrac{1}{2} \sum_j w_j

    The variants differ in the weights; the schedule ``incremental`` rotates from one to the next.

    River draws the weights from U(0, 1), which is ``low=0``; with ``low=-1`` the planes differ more.

    Parameters
    ----------
    variants : int, default 5
        Number of weight vectors.
    d : int, default 10
        Number of features.
    moving : int or None
        How many weights differ between the variants (river: ``n_drift_features``); None: all.
    low : float, default 0.0
        Weights are uniform on [low, 1].

    Notes
    -----
    Use it for slow rotation (``schedule/incremental``); with ``low=0`` its planes differ less than with
    ``low=-1``.

    References
    ----------
    .. [1] G. Hulten, L. Spencer and P. Domingos, "Mining time-changing data streams", KDD, 2001, 97-106.
       doi:10.1145/502512.502529

    Examples
    --------
    >>> concept = Hyperplane(d=3)
    >>> concept.reset(np.random.default_rng(1))
    >>> X, y = concept.sample(Law.of(0, 1000), np.random.default_rng(2))
    >>> X.shape, bool(0.45 < y.mean() < 0.55)
    ((1000, 3), True)
    """

    interpolates: ClassVar[bool] = True

    variants: int = 5
    d: int = 10
    moving: int | None = None
    low: float = 0.0

    def __post_init__(self) -> None:
        check_range("hyperplane.variants", self.variants, 1, 100_000)
        check_range("hyperplane.d", self.d, 1, 100_000)
        check_range("hyperplane.low", self.low, -1.0, 1.0)
        if self.moving is not None:
            check_range("hyperplane.moving", self.moving, 1, self.d)
        self.weights = np.ones((self.variants, self.d))

    @property
    def count(self) -> int:
        """Number of variants."""
        return self.variants

    @property
    def features(self) -> tuple[str, ...]:
        """Names of the features."""
        return numbered("x", self.d)

    def reset(self, rng: np.random.Generator) -> None:
        """Draw the parameters of the variants."""
        self.weights = self.low + (1.0 - self.low) * rng.random((self.variants, self.d))
        if self.moving is not None:
            self.weights[:, self.moving :] = self.weights[0, self.moving :]

    def inputs(self, law: Law, rng: np.random.Generator) -> np.ndarray:
        """Draw inputs, float64 of shape (n, d)."""
        return rng.random((len(law), self.d))

    def rule(self, X: np.ndarray, law: Law) -> np.ndarray:
        """Return the likeliest label of each row, int64 of shape (n,)."""
        half = 0.5 * self.weights.sum(axis=1)
        runs = law.runs()
        if runs is None:
            total = np.einsum("nd,nd->n", X, law.blend(self.weights))
        else:
            total = np.empty(len(X))
            for rows, variant in runs:
                np.einsum("nd,d->n", X[rows], self.weights[variant], out=total[rows])
        return np.asarray(total >= law.blend(half), dtype=np.int64)
