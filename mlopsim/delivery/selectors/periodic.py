"""Retraining on a schedule."""

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


@register("selector", "periodic")
@dataclass(kw_only=True)
class Periodic(Rule):
    r"""Retrain every so many windows.

    Due at the decisions :math:`s > 0` with :math:`s \equiv \mathrm{phase} \pmod{\mathrm{every}}`; a due
    retrain that is not possible is made at the first decision at which it is, without moving the schedule.

    Parameters
    ----------
    every : int, default 10
        Windows between retrains.
    phase : int, default 0
        Shift of the schedule.

    Notes
    -----
    Use it as the rival of every trigger: well tuned it is hard to beat. Not where concepts last very
    differently long.

    Examples
    --------
    >>> from mlopsim.checks.toy_deployment import play
    >>> play(Periodic(every=3), 9, latency=0)
    'kkkRkkRkk'
    >>> play(Periodic(every=4, phase=2), 9, latency=0)
    'kkRkkkRkk'
    """

    every: int = 10
    phase: int = 0

    space: ClassVar[dict[str, Choice]] = {
        "every": Range(1, 60, log=True, integer=True),
        "phase": Range(0, 20, integer=True),
    }
    uses_errors: ClassVar[bool] = False
    reads: ClassVar[str] = "nothing"

    def __post_init__(self) -> None:
        check_range("selector/periodic.every", self.every, 1, 1_000_000)
        check_range("selector/periodic.phase", self.phase, 0, 1_000_000)

    def start(self, seeds: Sequence[np.random.SeedSequence]) -> None:
        """Start with nothing due."""
        self._due = np.zeros(self.n, bool)

    def decide(self, view: View) -> np.ndarray:
        """Retrain where it is due and possible."""
        if self.step > 0 and self.step % self.every == self.phase % self.every:
            self._due = np.ones(self.n, bool)
        wanted = self._due & view.mask[:, self.interface.retrain]
        self._due &= ~wanted
        return self.retrain_where(wanted)
