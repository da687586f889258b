"""Two features that are measured wrongly for one group, with opposite signs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from mlopsim.core.registry import register
from mlopsim.core.spec import check_range
from mlopsim.streams.biases.base import Bias, People
from mlopsim.streams.stream import Norm


@register("bias", "cancelling_proxies")
@dataclass(kw_only=True)
class CancellingProxies(Bias):
    r"""Two proxies that cancel in the score: the first feature is measured lower, the second higher.

    At strength s, of who is hit,

    .. math:: x_0 = m_0 - s \cdot \mathrm{shift}, \qquad x_1 = m_1 + s \cdot \mathrm{shift}

    with merits m and features x. Both weigh the same, so that a score with the true weights keeps its law:
    decisions show nothing, although the group is measured wrongly twice. What one of the two features does
    later, or a model that weighs them unequally, turns it into harm.

    Parameters
    ----------
    shift : float, default 1.0
        At strength 1, in standard deviations of the features.

    Notes
    -----
    Use it against audits of decisions and scores, which do not show it where a model weighs both features
    alike.

    Examples
    --------
    >>> from mlopsim import make
    >>> source = make("stream", "population", bias="cancelling_proxies", strength=1.0,
    ...               timing={"step": {"at": 20}})
    >>> stream = source.generate(np.random.SeedSequence(0))
    >>> late = np.arange(len(stream.y)) >= stream.bounds[20]
    >>> [stream.X[late & (stream.g == g)][:, :2].mean(axis=0).round(1).tolist() for g in (0, 1)]
    [[0.0, 0.0], [-1.0, 1.0]]
    """

    norm: ClassVar[Norm] = Norm.TREATMENT

    shift: float = 1.0

    def __post_init__(self) -> None:
        check_range("bias/cancelling_proxies.shift", self.shift, 0.0, 1e6)

    def measure(self, people: People, merit: np.ndarray) -> np.ndarray:
        """Return the features, the first lower and the second higher where the bias hits."""
        moved = np.where(self.hit(people), people.strength * self.shift, 0.0)
        found = merit.copy()
        found[:, 0] -= moved
        found[:, 1] += moved
        return found

    def responsible(self, features: tuple[str, ...]) -> tuple[int, ...]:
        """Return the two features."""
        return (0, 1)
