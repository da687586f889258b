"""Somebody who approves whatever comes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mlopsim.core.registry import register
from mlopsim.core.spec import check_range
from mlopsim.governance.reviewer import Review, Reviewer
from mlopsim.governance.reviewers.fallible import Fallible


@register("reviewer", "rubber_stamp")
@dataclass(kw_only=True)
class RubberStamp(Reviewer):
    """A fallible reviewer who denies nothing, good or bad: what is left of the review is its delay.

    Parameters
    ----------
    delay : int, default 2
        Windows from the end of the training to the approval.

    Notes
    -----
    Use it as the rival of every reviewer: the delay without the judgement.

    References
    ----------
    .. [1] B. Green, "The flaws of policies requiring human oversight of government algorithms", Computer Law
       & Security Review 45, 2022, 105681. doi:10.1016/j.clsr.2022.105681

    Examples
    --------
    >>> RubberStamp().review(np.array([[True, False]]), np.zeros(1, dtype=np.uint64)).denied
    array([[False, False]])
    """

    delay: int = 2

    def __post_init__(self) -> None:
        check_range("reviewer/rubber_stamp.delay", self.delay, 0, 1_000_000)

    def review(self, bad: np.ndarray, seeds: np.ndarray) -> Review:
        """Return what a reviewer gives who finds nothing and is never wrong about what is good."""
        return Fallible(sensitivity=0.0, specificity=1.0, delay=self.delay).review(bad, seeds)
