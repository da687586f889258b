"""Random RBF: clouds around random centres, each with a class."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from mlopsim.core.registry import register
from mlopsim.core.spec import check_range
from mlopsim.streams.concepts.base import Concept, Law, numbered


@register("concept", "rbf")
@dataclass(kw_only=True)
class Rbf(Concept):
    r"""Random radial basis functions: a centre is drawn by weight, x lies around it, y is its class.

    Centres, widths and weights are uniform on [0, 1]; x = centre + u s, with u a direction (a uniform
    point of the cube, normalised) and s normal with the centre's width. The variants share classes,
    widths and weights; a share of the centres lies elsewhere. So the incremental schedule moves the
    centres as MOA's RandomRBFGeneratorDrift does.

    As in MOA [1]_. The posterior is exact: the density of x around a centre c is, up to a common factor, with
    :math:`r = \|x - c\|`,

    .. math:: \frac{r}{s \max_i |x_i - c_i|^d} \exp\left(-\frac{r^2}{2 s^2}\right)

    Parameters
    ----------
    variants : int, default 5
        Number of variants.
    d : int, default 10
        Number of features.
    centroids : int, default 50
        Number of centres.
    n_classes : int, default 2
        Number of classes.
    moved : float, default 1.0
        Share of the centres that differ between variants.
    width : float, default 1.0
        Factor of all widths.

    Notes
    -----
    Use it for a nonlinear boundary, several classes and centres that move.

    References
    ----------
    .. [1] Bifet, Holmes, Kirkby and Pfahringer, "MOA: Massive online analysis", Journal of Machine Learning
       Research 11, 2010.

    Examples
    --------
    >>> concept = Rbf(centroids=10)
    >>> concept.reset(np.random.default_rng(1))
    >>> X, y = concept.sample(Law.of(0, 500), np.random.default_rng(2))
    >>> bool(np.mean(concept.rule(X, Law.of(0, 500)) == y) > 0.8)
    True
    """

    interpolates: ClassVar[bool] = True
    noisy: ClassVar[bool] = True

    variants: int = 5
    d: int = 10
    centroids: int = 50
    n_classes: int = 2
    moved: float = 1.0
    width: float = 1.0

    def __post_init__(self) -> None:
        check_range("rbf.variants", self.variants, 1, 10_000)
        check_range("rbf.d", self.d, 2, 10_000)
        check_range("rbf.n_classes", self.n_classes, 2, 1000)
        check_range("rbf.centroids", self.centroids, self.n_classes, 100_000)
        check_range("rbf.moved", self.moved, 0.0, 1.0)
        check_range("rbf.width", self.width, 0.0, 100.0, open_low=True)
        self.reset(np.random.default_rng(0))

    @property
    def count(self) -> int:
        """Number of variants."""
        return self.variants

    @property
    def features(self) -> tuple[str, ...]:
        """Names of the features."""
        return numbered("x", self.d)

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the classes."""
        return tuple(str(c) for c in range(self.n_classes))

    def reset(self, rng: np.random.Generator) -> None:
        """Draw the parameters of the variants."""
        m = self.centroids
        self.centres = rng.random((self.variants, m, self.d))
        self.centres[:, round(self.moved * m) :] = self.centres[0, round(self.moved * m) :]
        self.labels_of = rng.integers(0, self.n_classes, size=m)
        # every class needs a centre, or it never occurs
        self.labels_of[: self.n_classes] = np.arange(self.n_classes)
        # 1 - U lies in (0, 1]: a width of 0 has no density
        self.widths = self.width * (1.0 - rng.random(m))
        self.weights = 1.0 - rng.random(m)

    def sample(self, law: Law, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """Draw rows (X, y) from the joint law."""
        self.check(law)
        n = len(law)
        cdf = np.cumsum(self.weights)
        j = np.searchsorted(cdf, rng.random(n) * cdf[-1], side="right").clip(max=self.centroids - 1)
        X = rng.random((n, self.d))
        X *= 2.0
        X -= 1.0
        norm = np.sqrt(np.einsum("nd,nd->n", X, X))
        X *= (rng.standard_normal(n) * self.widths[j] / norm)[:, None]
        if law.still:
            runs = law.runs()
            for rows, variant in runs or []:
                X[rows] += self.centres[variant].take(j[rows], axis=0)
            if runs is None:
                X += self.centres[law.a, j]
        else:
            w = law.w[:, None]
            X += (1.0 - w) * self.centres[law.a, j] + w * self.centres[law.b, j]
        return X, self.labels_of[j]

    def inputs(self, law: Law, rng: np.random.Generator) -> np.ndarray:
        """Draw inputs, float64 of shape (n, d)."""
        return self.sample(law, rng)[0]

    def posterior(self, X: np.ndarray, law: Law) -> np.ndarray:
        """Return P(y | x), float64 of shape (n, C)."""
        log_density = np.empty((len(X), self.centroids))
        runs = law.runs() or [(slice(0, len(X)), -1)]
        columns = np.ascontiguousarray(X.T)
        gap = np.empty_like(columns)
        for j in range(self.centroids):
            # one centre at a time keeps the memory at (d, n)
            for rows, variant in runs:
                centre = (
                    self.centres[variant, j][:, None] if variant >= 0 else law.blend(self.centres[:, j]).T
                )
                np.subtract(columns[:, rows], centre, out=gap[:, rows])
            np.abs(gap, out=gap)
            square = np.einsum("dn,dn->n", gap, gap)
            largest = gap.max(axis=0)
            s = self.widths[j]
            # a row exactly on a centre has infinite density there: the floors keep it finite
            log_density[:, j] = (
                np.log(self.weights[j] / s)
                - 0.5 * square / s**2
                + 0.5 * np.log(np.maximum(square, 1e-300))
                - self.d * np.log(np.maximum(largest, 1e-150))
            )
        log_density -= log_density.max(axis=1, keepdims=True)
        density = np.exp(log_density)
        joint = density @ np.eye(self.n_classes)[self.labels_of]
        return np.asarray(joint / joint.sum(axis=1, keepdims=True))
