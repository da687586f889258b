"""A measurement error of combinations of two attributes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from mlopsim.core.registry import register
from mlopsim.core.spec import check_range
from mlopsim.streams.biases.base import Bias, People
from mlopsim.streams.stream import Norm


@register("bias", "intersectional")
@dataclass(kw_only=True)
class Intersectional(Bias):
    r"""Intersectional bias: each attribute alone looks fair, combinations are not.

    The first feature is measured ``s * shift`` lower where both attributes are equal and as much higher
    where they are not: the groups of either attribute have the same law as each other.

    With attributes a and b, :math:`x_0 = m_0 - s \cdot \mathrm{shift}` where a = b and
    :math:`x_0 = m_0 + s \cdot \mathrm{shift}` where not.

    Parameters
    ----------
    shift : float, default 0.5
        At strength 1, in standard deviations of the feature.

    Notes
    -----
    Use it for audits that know more than one attribute; each one alone shows nothing.

    References
    ----------
    .. [1] M. Kearns, S. Neel, A. Roth and Z. S. Wu, "Preventing fairness gerrymandering: auditing and
       learning for subgroup fairness", ICML, 2018. arXiv:1711.05144

    Examples
    --------
    >>> from mlopsim import make
    >>> source = make("stream", "population", attributes=2, bias="intersectional", strength=1.0,
    ...               timing={"step": {"at": 20}})
    >>> stream = source.generate(np.random.SeedSequence(0))
    >>> late = np.arange(len(stream.y)) >= stream.bounds[20]
    >>> [round(float(stream.X[late & (stream.g == g), 0].mean()), 1) for g in range(4)]
    [-0.5, 0.5, 0.5, -0.5]
    """

    norm: ClassVar[Norm] = Norm.TREATMENT
    two_attributes: ClassVar[bool] = True

    shift: float = 0.5

    def __post_init__(self) -> None:
        check_range("bias/intersectional.shift", self.shift, 0.0, 1e6)

    def hit(self, people: People) -> np.ndarray:
        """Return everyone: the error has one sign or the other."""
        return np.ones(len(people), dtype=np.bool_)

    def measure(self, people: People, merit: np.ndarray) -> np.ndarray:
        """Return the features, the first one lower where the attributes are equal, else higher."""
        moved = people.strength * self.shift
        found = merit.copy()
        found[:, 0] += np.where(people.first == people.second, -moved, moved)
        return found

    def responsible(self, features: tuple[str, ...]) -> tuple[int, ...]:
        """Return the feature that is measured wrongly."""
        return (0,)
