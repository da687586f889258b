"""The control with a stated number of retrains, evenly spread."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from mlopsim.core.registry import register
from mlopsim.core.spec import check_range
from mlopsim.delivery.search_space import Choice, Range
from mlopsim.delivery.selector import View
from mlopsim.delivery.selectors.base import Rule


@register("selector", "uniform")
@dataclass(kw_only=True)
class Uniform(Rule):
    r"""Retrain a stated number of times, evenly spread over the deployment.

    The control for "was it the timing, or only the number of retrains?" (PILOT's matched baseline). It knows
    the length of the deployment. Retrain j of m is due at decision
    :math:`\lfloor (j + 1) T / (m + 1) \rfloor`, T the horizon, j = 0..m-1, and made as soon as it is
    possible.

    Parameters
    ----------
    count : int, default 5
        Number of retrains.

    Notes
    -----
    Use it at the same number of retrains as a trigger made: what is left of the difference is timing.

    Examples
    --------
    >>> from mlopsim.checks.toy_deployment import play
    >>> play(Uniform(count=3), 12, latency=0)
    'kkkRkkRkkRkk'
    """

    count: int = 5

    space: ClassVar[dict[str, Choice]] = {"count": Range(0, 40, integer=True)}
    uses_errors: ClassVar[bool] = False
    reads: ClassVar[str] = "nothing"
    control: ClassVar[bool] = True
    known: ClassVar[str] = "the horizon"

    def __post_init__(self) -> None:
        check_range("selector/uniform.count", self.count, 0, 1_000_000)

    def start(self, seeds: Sequence[np.random.SeedSequence]) -> None:
        """Lay out the schedule."""
        parts = np.arange(1, self.count + 1) * self.interface.horizon // (self.count + 1)
        self._plan = np.bincount(parts, minlength=self.interface.horizon + 1)
        self._due = np.zeros(self.n, np.int64)

    def decide(self, view: View) -> np.ndarray:
        """Retrain where one is due and possible."""
        self._due += self._plan[self.step]
        wanted = (self._due > 0) & view.mask[:, self.interface.retrain]
        self._due -= wanted
        return self.retrain_where(wanted)
