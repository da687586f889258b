"""Labels that were given with a higher bar for one group."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from mlopsim.core.registry import register
from mlopsim.core.spec import check_range
from mlopsim.streams.biases.base import Bias, People, place_of
from mlopsim.streams.stream import Norm


@register("bias", "historical")
@dataclass(kw_only=True)
class Historical(Bias):
    r"""Historical bias: those who gave the labels asked more merit of the group.

    At strength s, of who is hit,

    .. math:: y = 1 \iff w^\top m + \sigma e > \mathrm{bar} + s \cdot \mathrm{shift}

    Unlike under ``bias/label_bias`` it is the people just above the bar who are wronged, and always the same
    ones.

    Parameters
    ----------
    shift : float, default 1.0
        At strength 1, in standard deviations of the weighted merit.

    Notes
    -----
    Use it for labels that follow an unfair rule, always to the loss of the same people.

    References
    ----------
    .. [1] H. Suresh and J. Guttag, "A framework for understanding sources of harm throughout the machine
       learning life cycle", EAAMO, 2021. doi:10.1145/3465416.3483305

    Examples
    --------
    >>> from mlopsim import make
    >>> source = make("stream", "population", bias="historical", strength=0.5, timing={"step": {"at": 20}})
    >>> stream = source.generate(np.random.SeedSequence(0))
    >>> late = np.arange(len(stream.y)) >= stream.bounds[20]
    >>> [round(float(stream.y[late & (stream.g == g)].mean()), 2) for g in (0, 1)]
    [0.33, 0.19]
    """

    norm: ClassVar[Norm] = Norm.TREATMENT

    shift: float = 1.0

    def __post_init__(self) -> None:
        check_range("bias/historical.shift", self.shift, 0.0, 1e6)

    def record(self, people: People, margin: np.ndarray) -> np.ndarray:
        """Return the labels by a bar that is higher for the group."""
        higher = np.where(self.hit(people), people.strength * self.shift, 0.0)
        found: np.ndarray = (margin > higher).astype(np.int64)
        return found

    def responsible(self, features: tuple[str, ...]) -> tuple[int, ...]:
        """Return the feature that tells the group, if there is one."""
        return place_of(features)
