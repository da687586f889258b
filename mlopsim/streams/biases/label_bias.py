"""Labels that are written down wrongly for one group."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from mlopsim.core.registry import register
from mlopsim.core.spec import check_range
from mlopsim.streams.biases.base import Bias, People, place_of
from mlopsim.streams.stream import Norm


@register("bias", "label_bias")
@dataclass(kw_only=True)
class LabelBias(Bias):
    r"""Label bias: who deserves a 1 in the group gets a 0 written down, at random.

    With the true label y and strength s, of who is hit,
    :math:`P(\tilde y = 0 \mid y = 1) = \min(1, s \cdot \mathrm{rate})`. A frozen model never sees these
    labels; one that is trained on them can treat the group unlike others only through a feature that tells
    it.

    Parameters
    ----------
    rate : float, default 0.5
        Probability at strength 1.

    Notes
    -----
    Use it for wrong labels of one group; a model that is not retrained never learns it.

    References
    ----------
    .. [1] R. Fogliato, A. Chouldechova and M. G'Sell, "Fairness evaluation in presence of biased noisy
       labels", AISTATS, 2020. arXiv:2003.13808

    Examples
    --------
    >>> from mlopsim import make
    >>> source = make("stream", "population", bias="label_bias", strength=1.0, timing={"step": {"at": 20}})
    >>> stream = source.generate(np.random.SeedSequence(0))
    >>> wronged = (stream.bias.y == 1) & (stream.g == 1) & (np.arange(len(stream.y)) >= stream.bounds[20])
    >>> round(float(stream.biased[wronged].mean()), 1), bool(stream.biased[~wronged].any())
    (0.5, False)
    """

    norm: ClassVar[Norm] = Norm.TREATMENT

    rate: float = 0.5

    def __post_init__(self) -> None:
        check_range("bias/label_bias.rate", self.rate, 0.0, 1.0)

    def record(self, people: People, margin: np.ndarray) -> np.ndarray:
        """Return the labels, some 1 of the group being 0."""
        true = super().record(people, margin)
        wronged = self.hit(people) & (people.u < people.strength * self.rate)
        found: np.ndarray = np.where(wronged, 0, true)
        return found

    def responsible(self, features: tuple[str, ...]) -> tuple[int, ...]:
        """Return the feature that tells the group, if there is one."""
        return place_of(features)
