"""LED: the segments of a digit display, some of them wrong."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from mlopsim.core.registry import register
from mlopsim.core.spec import check_range
from mlopsim.streams.concepts.base import Concept, Law, numbered

#: segments of the digits 0..9: top, upper left, upper right, middle, lower left, lower right, bottom
DIGITS = (
    "1110111", "0010010", "1011101", "1011011", "0111010",
    "1101011", "1101111", "1010010", "1111111", "1111011",
)  # fmt: skip
SEGMENTS = np.array([[int(segment) for segment in digit] for digit in DIGITS])
USELESS = 17


@register("concept", "led")
@dataclass(kw_only=True)
class Led(Concept):
    r"""LED concepts: which digit a display shows; each segment is wrong with probability ``flip``.

    Variant 0 has the seven segments in front; in every other variant ``moved`` of them have changed
    places with useless random bits.

    The exchange of attributes follows MOA's and river's LEDDrift.

    With the bits :math:`b_{yj}` of digit y and h of the seven that are shown otherwise,

    .. math::

        P(x \mid y) = \mathrm{flip}^h (1 - \mathrm{flip})^{7 - h}, \qquad
        h = \sum_j 1[x_j \ne b_{yj}], \qquad P(y) = \tfrac{1}{10}

    Parameters
    ----------
    variants : int, default 4
        Number of variants.
    flip : float, default 0.1
        Probability that a segment is wrong, 0..0.5.
    moved : int, default 4
        How many segments change places, 1..7.

    Notes
    -----
    Use it for ten classes and irrelevant columns.

    References
    ----------
    .. [1] L. Breiman, J. H. Friedman, R. A. Olshen and C. J. Stone, "Classification and Regression Trees",
       Wadsworth, 1984.

    Examples
    --------
    >>> concept = Led(flip=0.0)
    >>> concept.reset(np.random.default_rng(1))
    >>> X, y = concept.sample(Law.of(0, 200), np.random.default_rng(2))
    >>> X.shape, bool((concept.rule(X, Law.of(0, 200)) == y).all())
    ((200, 24), True)
    """

    noisy: ClassVar[bool] = True

    variants: int = 4
    flip: float = 0.1
    moved: int = 4

    def __post_init__(self) -> None:
        check_range("led.variants", self.variants, 1, 1000)
        check_range("led.flip", self.flip, 0.0, 0.5)
        check_range("led.moved", self.moved, 1, 7)
        self._place = np.tile(np.arange(7 + USELESS), (self.variants, 1))

    @property
    def count(self) -> int:
        """Number of variants."""
        return self.variants

    @property
    def features(self) -> tuple[str, ...]:
        """Names of the features."""
        return numbered("led", 7 + USELESS)

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the classes."""
        return tuple(str(digit) for digit in range(10))

    @property
    def categories(self) -> Mapping[int, tuple[str, ...]]:
        """Category names of the categorical features."""
        return dict.fromkeys(range(7 + USELESS), ("off", "on"))

    def reset(self, rng: np.random.Generator) -> None:
        """Draw the parameters of the variants."""
        self._place = np.tile(np.arange(7 + USELESS), (self.variants, 1))
        for place in self._place[1:]:
            front = (np.arange(self.moved) + rng.integers(7)) % 7
            back = 7 + (np.arange(self.moved) + rng.integers(USELESS)) % USELESS
            place[front], place[back] = back, front

    def sample(self, law: Law, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """Draw rows (X, y) from the joint law."""
        self.check(law)
        n = len(law)
        y = rng.integers(0, 10, size=n)
        bits = rng.integers(0, 2, size=(n, 7 + USELESS))
        wrong = rng.random((n, 7)) < self.flip
        bits[:, :7] = SEGMENTS[y] ^ wrong
        X = np.empty((n, 7 + USELESS))
        np.put_along_axis(X, self._place[law.a], bits.astype(np.float64), axis=1)
        return X, y

    def inputs(self, law: Law, rng: np.random.Generator) -> np.ndarray:
        """Draw inputs, float64 of shape (n, d)."""
        return self.sample(law, rng)[0]

    def posterior(self, X: np.ndarray, law: Law) -> np.ndarray:
        """Return P(y | x), float64 of shape (n, C)."""
        shown = np.take_along_axis(X, self._place[law.a][:, :7], axis=1) > 0.5
        code = shown @ (1 << np.arange(7))
        return _table(self.flip)[code]

    def bayes_accuracy(self, variant: int) -> float:
        """Return the Bayes accuracy, the same for all variants."""
        codes = np.arange(128)[:, None] >> np.arange(7) & 1
        wrong = (codes[:, None, :] != SEGMENTS).sum(axis=2)
        joint = 0.1 * self.flip**wrong * (1.0 - self.flip) ** (7 - wrong)
        return float(joint.max(axis=1).sum())


def _table(flip: float) -> np.ndarray:
    """Return P(digit | segments) for all 128 patterns (uniform where a pattern cannot occur)."""
    codes = np.arange(128)[:, None] >> np.arange(7) & 1
    wrong = (codes[:, None, :] != SEGMENTS).sum(axis=2)
    joint = flip**wrong * (1.0 - flip) ** (7 - wrong)
    total = joint.sum(axis=1, keepdims=True)
    possible = total > 0.0
    return np.where(possible, joint / np.where(possible, total, 1.0), 0.1)
