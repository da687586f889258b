"""Linear-Gaussian: normal inputs, noisy linear labels, Bayes accuracy in closed form."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from mlopsim.core.registry import register
from mlopsim.core.spec import check_range
from mlopsim.streams.concepts.base import Concept, Law, add_by_law, numbered, unit_vectors


@register("concept", "linear_gaussian")
@dataclass(kw_only=True)
class LinearGaussian(Concept):
    r"""Linear-Gaussian: normal inputs, and a linear rule with normal noise in the label.

    .. math::

        X \sim N(m, I), \qquad y = 1 \iff w^\top (X - m) - b + \sigma e > 0, \qquad
        e \sim N(0, 1), \; \|w\| = 1

    with offset b. So :math:`P(y = 1 \mid x) = \Phi((w^\top (x - m) - b) / \sigma)`, and the Bayes accuracy
    is the probability that two normals with correlation :math:`1 / \sqrt{1 + \sigma^2}` lie on the same side:
    for offset 0 it is :math:`1/2 + \arctan(1 / \sigma) / \pi`, in any dimension.

    Variant 0 has a random direction w; every other one has its own, at ``angle`` degrees from it. With
    ``move_inputs`` each variant has its own centre m, so that the inputs betray the concept; with 0 the
    inputs say nothing about it.

    Parameters
    ----------
    variants : int, default 5
        Number of variants.
    d : int, default 10
        Number of features.
    sigma : float, default 0.25
        Standard deviation of the noise in the label, in units of the inputs'.
    angle : float, default 90.0
        Degrees between the direction of variant 0 and each other's; at offset 0 and equal centres two
        directions disagree on angle / 180 of the rows.
    offset : float, default 0.0
        Distance of the boundary from the centre; P(y = 1) = Phi(-offset / sqrt(1 + sigma^2)).
    move_inputs : float, default 0.0
        Distance of the variants' centres from the origin, in standard deviations.
    n_relevant : int or None
        Only the first so many features have weight; None: all.

    Notes
    -----
    Use it where the best possible accuracy must be known exactly, in any dimension; its boundary is linear,
    so a linear learner is right.

    Examples
    --------
    >>> concept = LinearGaussian(d=100, sigma=1.0)
    >>> concept.reset(np.random.default_rng(1))
    >>> round(concept.bayes_accuracy(0), 6)
    0.75
    >>> X, y = concept.sample(Law.of(0, 20000), np.random.default_rng(2))
    >>> bool(abs(np.mean(concept.rule(X, Law.of(0, 20000)) == y) - 0.75) < 0.01)
    True
    """

    interpolates: ClassVar[bool] = True
    noisy: ClassVar[bool] = True

    variants: int = 5
    d: int = 10
    sigma: float = 0.25
    angle: float = 90.0
    offset: float = 0.0
    move_inputs: float = 0.0
    n_relevant: int | None = None

    def __post_init__(self) -> None:
        check_range("linear_gaussian.variants", self.variants, 1, 100_000)
        check_range("linear_gaussian.d", self.d, 2, 100_000)
        check_range("linear_gaussian.sigma", self.sigma, 1e-6, 1e6)
        check_range("linear_gaussian.angle", self.angle, 0.0, 180.0)
        check_range("linear_gaussian.offset", self.offset, -10.0, 10.0)
        check_range("linear_gaussian.move_inputs", self.move_inputs, 0.0, 1e6)
        if self.n_relevant is not None:
            check_range("linear_gaussian.n_relevant", self.n_relevant, 2, self.d)
        self.reset(np.random.default_rng(0))

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
        relevant = self.d if self.n_relevant is None else self.n_relevant
        w = unit_vectors(self.variants, relevant, rng)
        for i in range(1, self.variants):
            side = w[i] - (w[i] * w[0]).sum() * w[0]
            side /= math.sqrt(float((side * side).sum()))
            turn = math.radians(self.angle)
            w[i] = math.cos(turn) * w[0] + math.sin(turn) * side
        self.weights = np.zeros((self.variants, self.d))
        self.weights[:, :relevant] = w
        self.centres = self.move_inputs * unit_vectors(self.variants, self.d, rng)

    def inputs(self, law: Law, rng: np.random.Generator) -> np.ndarray:
        """Draw inputs, float64 of shape (n, d)."""
        X = rng.standard_normal((len(law), self.d))
        if self.move_inputs:
            add_by_law(X, law, self.centres)
        return X

    def margin(self, X: np.ndarray, law: Law) -> np.ndarray:
        """Return the signed distance of rows from the boundary, float64 of shape (n,)."""
        runs = law.runs()
        if runs is not None:
            margin = np.empty(len(X))
            for rows, variant in runs:
                np.einsum("nd,d->n", X[rows], self.weights[variant], out=margin[rows])
                margin[rows] -= (self.centres[variant] * self.weights[variant]).sum() + self.offset
            return margin
        w = law.blend(self.weights)
        if not law.still:
            # two opposite directions have no direction between them: keep the first
            norm = np.sqrt(np.einsum("nd,nd->n", w, w))[:, None]
            w = np.where(norm > 1e-9, w / np.maximum(norm, 1e-9), self.weights[law.a])
        gap = X - law.blend(self.centres) if self.move_inputs else X
        return np.asarray(np.einsum("nd,nd->n", gap, w) - self.offset)

    def rule(self, X: np.ndarray, law: Law) -> np.ndarray:
        """Return the likeliest label of each row, int64 of shape (n,)."""
        return np.asarray(self.margin(X, law) > 0.0).astype(np.int64)

    def posterior(self, X: np.ndarray, law: Law) -> np.ndarray:
        """Return P(y | x), float64 of shape (n, C)."""
        from scipy.special import ndtr

        p = ndtr(self.margin(X, law) / self.sigma)
        return np.stack([1.0 - p, p], axis=1)

    def labels(self, X: np.ndarray, law: Law, rng: np.random.Generator) -> np.ndarray:
        """Draw labels given inputs, int64 of shape (n,)."""
        noise = self.sigma * rng.standard_normal(len(X))
        return (self.margin(X, law) + noise > 0.0).astype(np.int64)

    def bayes_accuracy(self, variant: int, shift: np.ndarray | None = None) -> float:
        """Return the Bayes accuracy of a variant in closed form.

        Parameters
        ----------
        variant : int
            Its number.
        shift : ndarray of float64, shape (d,), optional
            By how much the inputs are displaced before the labels are drawn.

        Notes
        -----
        With u ~ N(mu, 1) the margin and v = u + sigma e, the accuracy is
        P(u > 0, v > 0) + P(u < 0, v < 0), which is 1 + 2 B - Phi(mu) - Phi(k) with
        k = mu / sqrt(1 + sigma^2) and B = (Phi(mu) + Phi(k)) / 2 - T(k, sigma),
        T being Owen's function (Owen 1956, eq. 2.1).
        """
        from scipy.special import ndtr, owens_t

        mu = -self.offset
        if shift is not None:
            mu += float((self.weights[variant] * shift).sum())
        k = mu / math.sqrt(1.0 + self.sigma**2)
        both = 0.5 * ndtr(mu) + 0.5 * ndtr(k) - owens_t(k, self.sigma)
        neither = 1.0 - ndtr(mu) - ndtr(k) + both
        return float(both + neither)
