"""Nobody reviews."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mlopsim.core.registry import register
from mlopsim.governance.reviewer import Review, Reviewer


@register("reviewer", "none")
@dataclass(kw_only=True)
class NoReviewer(Reviewer):
    """Every version is approved at once.

    Notes
    -----
    Use it as the control: no review, no delay.

    Examples
    --------
    >>> review = NoReviewer().review(np.array([[True, False]]), np.zeros(1, dtype=np.uint64))
    >>> review.delay, review.denied
    (array([[0, 0]]), array([[False, False]]))
    """

    def review(self, bad: np.ndarray, seeds: np.ndarray) -> Review:
        """Return no delay and no denial."""
        return Review(delay=np.zeros(bad.shape, dtype=np.int64), denied=np.zeros(bad.shape, dtype=np.bool_))
