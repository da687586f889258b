"""Errors for a while."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mlopsim.core.registry import register
from mlopsim.core.spec import check_range
from mlopsim.streams.timings.base import Timing


@register("timing", "burst")
@dataclass(kw_only=True)
class Burst(Timing):
    r"""The whole rate for some windows, once.

    The strength in window t is :math:`1[\mathrm{at} \le t < \mathrm{at} + \mathrm{length}]`.

    Parameters
    ----------
    at : int, default 20
        Window in which errors begin.
    length : int, default 5
        Windows that they last.

    Notes
    -----
    Use it for an accident with an end: whether a gate lets go again.

    Examples
    --------
    >>> Burst(at=2, length=2).strength(6, 1).tolist()
    [0.0, 0.0, 1.0, 1.0, 0.0, 0.0]
    """

    length: int = 5

    def __post_init__(self) -> None:
        super().__post_init__()
        check_range("timing/burst.length", self.length, 1, 10**7)

    def course(self, since: np.ndarray) -> np.ndarray:
        """Return ones, then zeros."""
        return (since < self.length).astype(np.float64)
