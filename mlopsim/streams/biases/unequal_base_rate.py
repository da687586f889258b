"""Groups that really differ: nothing is wrong."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from mlopsim.core.registry import register
from mlopsim.core.spec import check_range
from mlopsim.streams.biases.base import Bias, People
from mlopsim.streams.stream import Norm


@register("bias", "unequal_base_rate")
@dataclass(kw_only=True)
class UnequalBaseRate(Bias):
    r"""Fair but unequal: the first merit of the group really is lower, and labels are drawn from it.

    At strength s, of who is hit, :math:`m_0 \leftarrow m_0 - s \cdot \mathrm{shift}`. The features have the
    same law given the group as under ``bias/proxy``, with the same seed the same values; labels do not.

    Parameters
    ----------
    shift : float, default 1.0
        At strength 1, in standard deviations of the feature.

    Notes
    -----
    Use it for false alarms: groups differ and nothing is wrong.

    References
    ----------
    .. [1] J. Kleinberg, S. Mullainathan and M. Raghavan, "Inherent trade-offs in the fair determination of
       risk scores", ITCS, 2017. arXiv:1609.05807
    .. [2] S. Corbett-Davies and S. Goel, "The measure and mismeasure of fairness: a critical review of fair
       machine learning", 2018. arXiv:1808.00023

    Examples
    --------
    >>> from mlopsim import make
    >>> drawn = {}
    >>> for bias in ("proxy", "unequal_base_rate"):
    ...     source = make("stream", "population", bias=bias, strength=0.5, timing={"step": {"at": 20}})
    ...     drawn[bias] = source.generate(np.random.SeedSequence(0))
    >>> one, other = drawn.values()
    >>> np.array_equal(one.X, other.X), round(float((one.y != other.y).mean()), 2)
    (True, 0.03)
    """

    norm: ClassVar[Norm] = Norm.NONE
    twin: ClassVar[str] = "proxy"

    shift: float = 1.0

    def __post_init__(self) -> None:
        check_range("bias/unequal_base_rate.shift", self.shift, 0.0, 1e6)

    def move(self, people: People) -> np.ndarray:
        """Return the merits, the first one lower in the group."""
        found = people.merit.copy()
        found[:, 0] -= np.where(self.hit(people), people.strength * self.shift, 0.0)
        return found
