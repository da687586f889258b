"""The contract of constraints: what compliance means, as a cost of every version in every window."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from mlopsim.core.spec import check_range

if TYPE_CHECKING:
    from mlopsim.governance.loop.truth import Law
    from mlopsim.world.world import World


class Over(Enum):
    """What a limit is on: the mean cost of a window, the cost of each, or the longest run of windows."""

    MEAN = "mean"
    WINDOW = "window"
    RUN = "run"


class Charge(Enum):
    """What a violation costs: 1, or by how much."""

    VIOLATION = "violation"
    EXCESS = "excess"


@dataclass(kw_only=True)
class Constraint:
    """Base of constraints (kind ``constraint``). A constraint defines :meth:`true` and :meth:`seen`.

    Parameters
    ----------
    limit : float, default 0.1
        What is allowed: over the mean, the mean cost of a window (0..1); over windows, the cost of each
        (0..1); over runs, the number of successive windows with a cost above 0.
    over : Over, default mean
        What the limit is on.
    weight : float, default 1.0
        In the sum of costs.

    Attributes
    ----------
    uses_labels : bool
        Whether what a deployment measures of it waits for labels.
    at_switch : bool
        Whether it is charged where the traffic moves: then :meth:`true` and :meth:`seen` are zeros.
    """

    limit: float = 0.1
    over: Over = Over.MEAN
    weight: float = 1.0

    uses_labels: ClassVar[bool] = True
    at_switch: ClassVar[bool] = False

    def __post_init__(self) -> None:
        self.over = Over(self.over)
        where = f"{getattr(self, 'full_name', 'constraint')}"
        check_range(f"{where}.limit", self.limit, 0.0, 1e6 if self.over is Over.RUN else 1.0)
        check_range(f"{where}.weight", self.weight, 0.0, 1e6)

    def true(self, law: Law) -> np.ndarray:
        """Return the cost of each version in each window, by the truth.

        Parameters
        ----------
        law : Law
            Rates by group, see :mod:`mlopsim.governance.loop.truth`.

        Returns
        -------
        ndarray of float64, shape (T, T)
            0..1, ``[version, window]``; rows below ``v0`` are 0.
        """
        raise NotImplementedError

    def seen(self, world: World) -> np.ndarray:
        """Return what a deployment measures instead, in one window of rows: float64 (T, T), 0..1."""
        raise NotImplementedError
