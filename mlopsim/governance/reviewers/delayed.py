"""A review that takes time and changes nothing."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mlopsim.core.registry import register
from mlopsim.core.spec import check_range
from mlopsim.governance.reviewer import Review, Reviewer


@register("reviewer", "delayed")
@dataclass(kw_only=True)
class Delayed(Reviewer):
    """Every version is approved some windows after it was trained.

    Parameters
    ----------
    delay : int, default 2
        Windows.

    Notes
    -----
    Use it for the price of waiting alone.

    Examples
    --------
    >>> Delayed(delay=3).review(np.array([[True, False]]), np.zeros(1, dtype=np.uint64)).delay
    array([[3, 3]])
    """

    delay: int = 2

    def __post_init__(self) -> None:
        check_range("reviewer/delayed.delay", self.delay, 0, 1_000_000)

    def review(self, bad: np.ndarray, seeds: np.ndarray) -> Review:
        """Return the delay, and no denial."""
        return Review(
            delay=np.full(bad.shape, self.delay, dtype=np.int64), denied=np.zeros(bad.shape, dtype=np.bool_)
        )
