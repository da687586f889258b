"""A rule that changes for one group only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from mlopsim.core.registry import register
from mlopsim.core.spec import check_range
from mlopsim.streams.biases.base import Bias, People, turned
from mlopsim.streams.stream import Norm


@register("bias", "subgroup_drift")
@dataclass(kw_only=True)
class SubgroupDrift(Bias):
    r"""Subgroup drift: what labels of the group depend on changes, and the model does not know.

    The direction in which merits count is, of who is hit,

    .. math:: w' = \cos(a) \, w + \sin(a) \, (e_0 - e_1) / \sqrt{2}, \qquad a = s \cdot \mathrm{turn}

    at strength s, with unit vectors :math:`e_0` and :math:`e_1` of the first two merits; base rates stay
    equal.

    Parameters
    ----------
    turn : float, default 90.0
        At strength 1, in degrees.

    Notes
    -----
    Use it for a model that has become wrong for one group.

    Examples
    --------
    >>> from mlopsim import make
    >>> source = make("stream", "population", bias="subgroup_drift", strength=1.0,
    ...               timing={"step": {"at": 20}})
    >>> stream = source.generate(np.random.SeedSequence(0))
    >>> late = np.arange(len(stream.y)) >= stream.bounds[20]
    >>> groups = [late & (stream.g == g) for g in (0, 1)]
    >>> [round(float(np.corrcoef(stream.X[rows, 1], stream.y[rows])[0, 1]), 1) for rows in groups]
    [0.4, -0.5]
    """

    norm: ClassVar[Norm] = Norm.ERRORS

    turn: float = 90.0

    def __post_init__(self) -> None:
        check_range("bias/subgroup_drift.turn", self.turn, 0.0, 180.0)

    def direction(self, people: People, weights: np.ndarray) -> np.ndarray:
        """Return the weights, turned for the group."""
        return turned(weights, np.where(self.hit(people), people.strength * self.turn, 0.0))

    def responsible(self, features: tuple[str, ...]) -> tuple[int, ...]:
        """Return the features whose weights change most."""
        return (0, 1)
