"""Detectors of rises of the error rate, and their mirror images: the same test on right answers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mlopsim.core.spec import added
from mlopsim.drift.compiled import Compiled, Kernel
from mlopsim.drift.signal import Side


@dataclass(kw_only=True)
class Mirrored(Compiled):
    """A test for rises of the error rate; falls are rises of the share of right answers.

    Parameters
    ----------
    side : Side, default up
        Which changes it looks for. ``up``: as published. ``down``: the published test on ``1 - error``.
        ``both``: the two side by side under one limit; the score is the higher one, and an alarm of one side
        starts both afresh, as the two-sided test of river's HDDM does.
    """

    side: Side = added(Side.UP)

    @property
    def sides(self) -> Side:
        """Which changes it looks for."""
        return self.side

    def kernels(self) -> tuple[Kernel, Kernel]:
        """Return the compiled loop for rises, and the one that reads any sides (see "
        "``kernels.both_sides``).
        """
        raise NotImplementedError

    def numbers(self) -> list[float]:
        """Return the numbers that the loop for rises needs."""
        raise NotImplementedError

    def start(self) -> np.ndarray:
        """Return the state of the loop for rises before the first row, float64."""
        raise NotImplementedError

    def kernel(self) -> Kernel:
        """Return the compiled loop."""
        return self.kernels()[self.side is not Side.UP]

    def params(self) -> np.ndarray:
        """Return the numbers of the loop for rises and, of others, up, down."""
        sides = [] if self.side is Side.UP else [float(self.side is not Side.DOWN), 1.0]
        return np.array([*self.numbers(), *sides], dtype=np.float64)

    def fresh(self) -> np.ndarray:
        """Return the state before the first row: of rises, then of falls where these are looked for."""
        return self.start() if self.side is Side.UP else np.tile(self.start(), 2)
