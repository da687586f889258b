"""Errors that come back."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mlopsim.core.registry import register
from mlopsim.core.spec import check_range
from mlopsim.streams.timings.base import Timing


@register("timing", "recurring")
@dataclass(kw_only=True)
class RecurringTiming(Timing):
    r"""Bursts at equal distances.

    The strength in window :math:`t \ge \mathrm{at}` is
    :math:`1[(t - \mathrm{at}) \bmod \mathrm{every} < \mathrm{length}]`.

    Parameters
    ----------
    at : int, default 20
        Window in which the first one begins.
    length : int, default 3
        Windows that a burst lasts.
    every : int, default 10
        Windows from the beginning of one to that of the next, at least ``length``.

    Notes
    -----
    Use it for accidents that repeat, such as a nightly job.

    Examples
    --------
    >>> RecurringTiming(at=1, length=1, every=3).strength(8, 1).tolist()
    [0.0, 1.0, 0.0, 0.0, 1.0, 0.0, 0.0, 1.0]
    """

    length: int = 3
    every: int = 10

    def __post_init__(self) -> None:
        super().__post_init__()
        check_range("timing/recurring.length", self.length, 1, 10**7)
        check_range("timing/recurring.every", self.every, self.length, 10**7)

    def course(self, since: np.ndarray) -> np.ndarray:
        """Return ones within a burst."""
        return (since % self.every < self.length).astype(np.float64)
