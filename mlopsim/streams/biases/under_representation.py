"""A group that hardly reaches the training data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from mlopsim.core.registry import register
from mlopsim.core.spec import check_range
from mlopsim.streams.biases.base import Bias, People, turned
from mlopsim.streams.stream import Norm


@register("bias", "under_representation")
@dataclass(kw_only=True)
class UnderRepresentation(Bias):
    r"""Under-representation: few rows of a group are trained on, and its labels follow another rule.

    At strength s a row of the group is kept for training with probability
    :math:`\max(0, 1 - s \cdot \mathrm{share})`, and the direction in which merits count is

    .. math:: w' = \cos(a) \, w + \sin(a) \, (e_0 - e_1) / \sqrt{2}, \qquad a = s \cdot \mathrm{turn}

    with unit vectors :math:`e_0` and :math:`e_1` of the first two merits. A group that followed the same rule
    would not be harmed by being rare.

    Parameters
    ----------
    share : float, default 0.9
        Of the group's rows that are missing at strength 1.
    turn : float, default 60.0
        At strength 1, in degrees.

    Notes
    -----
    The paper calls it representation bias.

    Use it for a group that is rare in training and differs.

    References
    ----------
    .. [1] H. Suresh and J. Guttag, "A framework for understanding sources of harm throughout the machine
       learning life cycle", EAAMO, 2021. doi:10.1145/3465416.3483305

    Examples
    --------
    >>> from mlopsim import make
    >>> source = make("stream", "population", bias="under_representation", strength=1.0,
    ...               timing={"step": {"at": 20}})
    >>> truth, g = (stream := source.generate(np.random.SeedSequence(0))).bias, stream.g
    >>> late = np.arange(len(g)) >= stream.bounds[20]
    >>> [round(float(truth.kept[late & (g == k)].mean()), 1) for k in (0, 1)]
    [1.0, 0.1]
    """

    norm: ClassVar[Norm] = Norm.ERRORS

    share: float = 0.9
    turn: float = 60.0

    def __post_init__(self) -> None:
        check_range("bias/under_representation.share", self.share, 0.0, 1.0)
        check_range("bias/under_representation.turn", self.turn, 0.0, 180.0)

    def direction(self, people: People, weights: np.ndarray) -> np.ndarray:
        """Return the weights, turned for the group."""
        return turned(weights, np.where(self.hit(people), people.strength * self.turn, 0.0))

    def kept(self, people: People) -> np.ndarray:
        """Return which rows can be trained on."""
        found: np.ndarray = ~(self.hit(people) & (people.v < people.strength * self.share))
        return found

    def responsible(self, features: tuple[str, ...]) -> tuple[int, ...]:
        """Return the features whose weights differ most."""
        return (0, 1)
