"""Errors that become more frequent."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mlopsim.core.registry import register
from mlopsim.core.spec import check_range
from mlopsim.streams.timings.base import Timing


@register("timing", "ramp")
@dataclass(kw_only=True)
class Ramp(Timing):
    r"""A rate that rises linearly and stays.

    The strength in window :math:`t \ge \mathrm{at}` is
    :math:`\min(1, (t - \mathrm{at} + 1) / \mathrm{width})`.

    Parameters
    ----------
    at : int, default 20
        Window in which errors begin.
    width : int, default 10
        Windows after which the whole rate is reached, at least 1.

    Notes
    -----
    Use it for slow decay, which tests against the window before do not see.

    Examples
    --------
    >>> Ramp(at=2, width=2).strength(6, 1).tolist()
    [0.0, 0.0, 0.5, 1.0, 1.0, 1.0]
    """

    width: int = 10

    def __post_init__(self) -> None:
        super().__post_init__()
        check_range("timing/ramp.width", self.width, 1, 10**7)

    def course(self, since: np.ndarray) -> np.ndarray:
        """Return the linear rise."""
        return np.minimum((since + 1.0) / self.width, 1.0)
