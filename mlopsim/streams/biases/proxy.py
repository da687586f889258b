"""A feature that is measured lower for one group."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from mlopsim.core.registry import register
from mlopsim.core.spec import check_range
from mlopsim.streams.biases.base import Bias, People
from mlopsim.streams.stream import Norm


@register("bias", "proxy")
@dataclass(kw_only=True)
class Proxy(Bias):
    r"""Measurement error: labels are drawn from what people are, then the first feature is measured lower.

    At strength s, of who is hit, :math:`x_0 = m_0 - s \cdot \mathrm{shift}`; labels do not change. The
    observed features then have the same law given the group as under ``bias/unequal_base_rate``.

    Parameters
    ----------
    shift : float, default 1.0
        At strength 1, in standard deviations of the feature.

    Notes
    -----
    Use it with its twin ``unequal_base_rate``: the inputs are the same, and only here something is wrong.

    Examples
    --------
    >>> from mlopsim import make
    >>> source = make("stream", "population", bias="proxy", strength=0.5, timing={"step": {"at": 20}})
    >>> stream = source.generate(np.random.SeedSequence(0))
    >>> late = np.arange(len(stream.y)) >= stream.bounds[20]
    >>> [round(float(stream.X[late & (stream.g == g), 0].mean()), 1) for g in (0, 1)]
    [0.0, -0.5]
    """

    norm: ClassVar[Norm] = Norm.TREATMENT

    shift: float = 1.0

    def __post_init__(self) -> None:
        check_range("bias/proxy.shift", self.shift, 0.0, 1e6)

    def measure(self, people: People, merit: np.ndarray) -> np.ndarray:
        """Return the features, the first one lower where the bias hits."""
        found = merit.copy()
        found[:, 0] -= np.where(self.hit(people), people.strength * self.shift, 0.0)
        return found

    def responsible(self, features: tuple[str, ...]) -> tuple[int, ...]:
        """Return the feature that is measured lower."""
        return (0,)
