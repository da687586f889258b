"""The contract of concepts: a family of joint laws P(X, y), one per variant."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from mlopsim.core.errors import ConfigError


@dataclass(frozen=True)
class Law:
    """Which law each row is drawn from: parameters ``(1 - w) * theta[a] + w * theta[b]``.

    Parameters
    ----------
    a, b : ndarray of int64, shape (n,)
        Variant numbers.
    w : ndarray of float64, shape (n,)
        Position between them, 0..1; everywhere 0 unless the concept interpolates.

    Examples
    --------
    >>> law = Law.of(2, 3)
    >>> law.a, law.still
    (array([2, 2, 2]), True)
    """

    a: np.ndarray
    b: np.ndarray
    w: np.ndarray

    @classmethod
    def of(cls, variant: int | np.ndarray, n: int | None = None) -> Law:
        """Return the law of whole variants: one for n rows, or one number per row."""
        a = np.asarray(variant, dtype=np.int64) if n is None else np.full(n, variant, dtype=np.int64)
        return cls(a, a, np.zeros(len(a)))

    def __len__(self) -> int:
        return len(self.a)

    @property
    def still(self) -> bool:
        """Whether no row lies between two variants."""
        return not self.w.any()

    def take(self, index: np.ndarray) -> Law:
        """Return the law of some rows (indices or mask)."""
        return Law(self.a[index], self.b[index], self.w[index])

    def replace(self, index: np.ndarray, a: np.ndarray, b: np.ndarray) -> Law:
        """Return a copy with other variants in some rows."""
        new_a, new_b = self.a.copy(), self.b.copy()
        new_a[index], new_b[index] = a, b
        return Law(new_a, new_b, self.w)

    def runs(self) -> list[tuple[slice, int]] | None:
        """Return stretches of rows of one variant, or None if most are short or rows lie between two.

        They let a concept work on slices rather than on parameters gathered row by row.

        Examples
        --------
        >>> Law.of(np.repeat([4, 2], 100)).runs()
        [(slice(0, 100, None), 4), (slice(100, 200, None), 2)]
        """
        if not len(self) or not self.still:
            return None
        edges = np.flatnonzero(self.a[1:] != self.a[:-1]) + 1
        if len(edges) * 64 > len(self):
            return None
        starts = [0, *edges.tolist(), len(self)]
        return [(slice(low, high), int(self.a[low])) for low, high in itertools.pairwise(starts)]

    def blend(self, theta: np.ndarray) -> np.ndarray:
        """Return the parameters of every row, shape (n, ...), from those of the variants, shape (k, ...)."""
        if self.still:
            return np.asarray(theta[self.a])
        w = self.w.reshape((-1,) + (1,) * (theta.ndim - 1))
        return np.asarray((1.0 - w) * theta[self.a] + w * theta[self.b])

    @property
    def nearest(self) -> np.ndarray:
        """The nearer of the two variants of each row, int64 of shape (n,)."""
        return self.a if self.still else np.where(self.w < 0.5, self.a, self.b)


@dataclass(kw_only=True)
class Concept:
    """Base of all concepts.

    A subclass gives :attr:`count`, :attr:`features`, :meth:`inputs` and either :meth:`rule`
    (labels are a function of the inputs) or :meth:`posterior`. Random parameters are drawn in
    :meth:`reset`, which must be called first.

    Attributes
    ----------
    interpolates : bool
        Whether laws between two variants exist.
    noisy : bool
        Whether labels are random given the inputs (before label noise).
    """

    interpolates: ClassVar[bool] = False
    noisy: ClassVar[bool] = False
    full_name: ClassVar[str] = "concept/?"

    @property
    def count(self) -> int:
        """Number of variants k."""
        raise NotImplementedError

    @property
    def features(self) -> tuple[str, ...]:
        """Names of the d features."""
        raise NotImplementedError

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the C classes."""
        return ("0", "1")

    @property
    def categories(self) -> Mapping[int, tuple[str, ...]]:
        """Category names of categorical features."""
        return {}

    def reset(self, rng: np.random.Generator) -> None:
        """Draw what is random about the variants (nothing, for the published fixed ones)."""

    def inputs(self, law: Law, rng: np.random.Generator) -> np.ndarray:
        """Draw inputs, float64 of shape (n, d)."""
        raise NotImplementedError

    def rule(self, X: np.ndarray, law: Law) -> np.ndarray:
        """Return the likeliest label of each row, int64 of shape (n,)."""
        return np.asarray(self.posterior(X, law).argmax(axis=1), dtype=np.int64)

    def posterior(self, X: np.ndarray, law: Law) -> np.ndarray:
        """Return P(y | x), float64 of shape (n, C)."""
        return np.asarray(np.eye(len(self.classes))[self.rule(X, law)])

    def labels(self, X: np.ndarray, law: Law, rng: np.random.Generator) -> np.ndarray:
        """Draw labels given inputs, int64 of shape (n,)."""
        if not self.noisy:
            return self.rule(X, law)
        cdf = np.cumsum(self.posterior(X, law), axis=1)
        u = rng.random(len(X))[:, None] * cdf[:, -1:]
        passed = np.minimum((u >= cdf).sum(axis=1), len(self.classes) - 1)
        return np.asarray(passed, dtype=np.int64)

    def sample(self, law: Law, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """Draw rows from the joint law.

        Parameters
        ----------
        law : Law
            Which law each row follows.
        rng : numpy.random.Generator
            Source of randomness.

        Returns
        -------
        X : ndarray of float64, shape (n, d)
        y : ndarray of int64, shape (n,)
        """
        X = self.inputs(law, rng)
        return X, self.labels(X, law, rng)

    def bayes_accuracy(self, variant: int) -> float:
        """Return the Bayes accuracy of one variant in closed form; NaN where there is none."""
        return math.nan if self.noisy else 1.0

    def distance(self, a: int, b: int, rng: np.random.Generator, n: int = 1000) -> float:
        """Estimate how much two variants differ.

        Returns the probability, under the inputs of both in equal parts, that their likeliest labels
        disagree; estimated from ``n`` rows.
        """
        law = Law.of(np.repeat([a, b], n // 2))
        X = self.inputs(law, rng)
        rows = len(law)
        return float(np.mean(self.rule(X, Law.of(a, rows)) != self.rule(X, Law.of(b, rows))))

    def check(self, law: Law) -> None:
        """Raise unless every row's law exists."""
        if not self.interpolates and not law.still:
            raise ConfigError(
                f"{self.full_name} has nothing between two variants, so it cannot drift incrementally",
                remedy="use the schedule abrupt, gradual or recurring, or the concept hyperplane, sea, rbf "
                "or linear_gaussian",
            )
        if len(law) and not 0 <= min(law.a.min(), law.b.min()) <= max(law.a.max(), law.b.max()) < self.count:
            raise ConfigError(f"{self.full_name} has the variants 0..{self.count - 1} only")


def numbered(prefix: str, d: int) -> tuple[str, ...]:
    """Return feature names ``x0, x1, ...``."""
    return tuple(f"{prefix}{i}" for i in range(d))


def unit_vectors(k: int, d: int, rng: np.random.Generator) -> np.ndarray:
    """Draw k directions, float64 of shape (k, d) with norm 1."""
    raw: Any = rng.standard_normal((k, d))
    return np.asarray(raw / np.sqrt((raw * raw).sum(axis=1, keepdims=True)))


def add_by_law(X: np.ndarray, law: Law, theta: np.ndarray) -> None:
    """Add to each row, in place, the vector of its law; ``theta`` has the shape (k, d)."""
    runs = law.runs()
    if runs is None:
        X += law.blend(theta)
        return
    for rows, variant in runs:
        X[rows] += theta[variant]
