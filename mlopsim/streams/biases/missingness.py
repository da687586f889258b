"""A feature that is missing more often in one group."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from mlopsim.core.registry import register
from mlopsim.core.spec import check_range
from mlopsim.streams.biases.base import Bias, People
from mlopsim.streams.stream import Norm


@register("bias", "missingness")
@dataclass(kw_only=True)
class Missingness(Bias):
    r"""Group-dependent missingness: the first feature of the group is not measured.

    Of who is hit, :math:`P(x_0 = \mathrm{NaN}) = \min(1, s \cdot \mathrm{rate})` at strength s; the model
    then takes the warm-up's median for it.

    Parameters
    ----------
    rate : float, default 0.8
        Probability at strength 1.

    Notes
    -----
    Use it for values that go missing in one group and are filled in by the median.

    References
    ----------
    .. [1] F. Martínez-Plumed, C. Ferri, D. Nieves and J. Hernández-Orallo, "Missing the missing values: the
       ugly duckling of fairness in machine learning", International Journal of Intelligent Systems 36,
       2021, 3217-3258. doi:10.1002/int.22415

    Examples
    --------
    >>> from mlopsim import make
    >>> source = make("stream", "population", bias="missingness", strength=0.5, timing={"step": {"at": 20}})
    >>> stream = source.generate(np.random.SeedSequence(0))
    >>> late = np.arange(len(stream.y)) >= stream.bounds[20]
    >>> [round(float(np.isnan(stream.X[late & (stream.g == g), 0]).mean()), 1) for g in (0, 1)]
    [0.0, 0.4]
    """

    norm: ClassVar[Norm] = Norm.ERRORS

    rate: float = 0.8

    def __post_init__(self) -> None:
        check_range("bias/missingness.rate", self.rate, 0.0, 1.0)

    def measure(self, people: People, merit: np.ndarray) -> np.ndarray:
        """Return the features, the first one NaN where it is not measured."""
        found = merit.copy()
        found[self.hit(people) & (people.u < people.strength * self.rate), 0] = np.nan
        return found

    def responsible(self, features: tuple[str, ...]) -> tuple[int, ...]:
        """Return the feature that is missing."""
        return (0,)
