"""A disadvantage of the past that is real by now."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from mlopsim.core.errors import ConfigError
from mlopsim.core.registry import register
from mlopsim.core.spec import check_range
from mlopsim.streams.biases.base import Bias, People
from mlopsim.streams.stream import Norm


@register("bias", "inherited")
@dataclass(kw_only=True)
class Inherited(Bias):
    r"""Inherited disadvantage: fewer of the group have the merits, since they were kept from them.

    At strength s, of who is hit, :math:`m_j \leftarrow m_j - s \cdot \mathrm{shift}` for the first ``merits``
    merits; labels are drawn from them. Everything is measured and recorded as it is and equals are treated
    equally; error rates differ a little, as they do wherever base rates differ. The wrong is that groups are
    not accepted equally often, for whoever holds that they ought to be. Whether it is one the rows cannot
    say: those of ``bias/unequal_base_rate`` are of the same kind, and there nothing is wrong.

    Parameters
    ----------
    merits : int, default 4
        How many of the merits.
    shift : float, default 0.3
        At strength 1, in standard deviations of each.

    Notes
    -----
    Section 3.1 of the first: data that are measured perfectly, of a world that was unjust. The second: which
    norm follows is a view of the world, "we are all equal" or "what you see is what you get".

    Use it where norms part: equal treatment holds, equal outcome does not.

    References
    ----------
    .. [1] H. Suresh and J. Guttag, "A framework for understanding sources of harm throughout the machine
       learning life cycle", EAAMO, 2021. doi:10.1145/3465416.3483305
    .. [2] S. A. Friedler, C. Scheidegger and S. Venkatasubramanian, "The (im)possibility of fairness:
       different value systems require different mechanisms for fair decision making", Communications of
       the ACM 64(4), 2021, 136-143. doi:10.1145/3433949

    Examples
    --------
    >>> from mlopsim import make
    >>> source = make("stream", "population", bias="inherited", strength=1.0, timing={"step": {"at": 20}})
    >>> stream = source.generate(np.random.SeedSequence(0))
    >>> late = np.arange(len(stream.y)) >= stream.bounds[20]
    >>> [round(float(stream.y[late & (stream.g == g)].mean()), 2) for g in (0, 1)]
    [0.33, 0.18]
    """

    norm: ClassVar[Norm] = Norm.IMPACT

    merits: int = 4
    shift: float = 0.3

    def __post_init__(self) -> None:
        check_range("bias/inherited.merits", self.merits, 1, 10**6)
        check_range("bias/inherited.shift", self.shift, 0.0, 1e6)

    def check(self, features: tuple[str, ...]) -> None:
        """Raise ConfigError if there are fewer merits."""
        there = sum(name not in ("place", "total") for name in features)
        if self.merits > there:
            raise ConfigError(
                f"bias/inherited lowers {self.merits} merits, there are {there}",
                remedy=f"merits of at most {there}, or a population with a larger d",
            )

    def move(self, people: People) -> np.ndarray:
        """Return the merits, the first ones lower in the group."""
        found = people.merit.copy()
        lower = np.where(self.hit(people), people.strength * self.shift, 0.0)
        found[:, : self.merits] -= lower[:, None]
        return found

    def responsible(self, features: tuple[str, ...]) -> tuple[int, ...]:
        """Return the merits that are lower."""
        return tuple(range(self.merits))
