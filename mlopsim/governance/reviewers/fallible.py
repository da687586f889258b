"""Somebody who finds some of what is wrong, and some of what is not."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mlopsim.core.registry import register
from mlopsim.core.spec import check_range
from mlopsim.governance.reviewer import Review, Reviewer, uniforms


@register("reviewer", "fallible")
@dataclass(kw_only=True)
class Fallible(Reviewer):
    r"""Denies a bad version with probability ``sensitivity`` and a good one with ``1 - specificity``.

    One number is drawn for each version of a scenario: whoever is more sensitive denies all that somebody
    less sensitive does.

    :math:`P(\mathrm{denied} \mid \mathrm{bad}) = \mathrm{sensitivity}` and
    :math:`P(\mathrm{denied} \mid \mathrm{good}) = 1 - \mathrm{specificity}`.

    Parameters
    ----------
    sensitivity, specificity : float, default 0.8 and 0.95
    delay : int, default 2
        Windows from the end of the training to the verdict.

    Notes
    -----
    Use it for one person who is wrong sometimes.

    Examples
    --------
    >>> bad = np.tile(np.arange(1000) % 2 == 0, (2, 1))
    >>> denied = Fallible().review(bad, np.array([3, 4], dtype=np.uint64)).denied
    >>> denied[bad].mean().round(2), denied[~bad].mean().round(2)
    (np.float64(0.81), np.float64(0.05))
    """

    sensitivity: float = 0.8
    specificity: float = 0.95
    delay: int = 2

    def __post_init__(self) -> None:
        check_range("reviewer/fallible.sensitivity", self.sensitivity, 0.0, 1.0)
        check_range("reviewer/fallible.specificity", self.specificity, 0.0, 1.0)
        check_range("reviewer/fallible.delay", self.delay, 0, 1_000_000)

    def review(self, bad: np.ndarray, seeds: np.ndarray) -> Review:
        """Return the delay and the denials."""
        drawn = uniforms(seeds, bad.shape[1], 1)[:, :, 0]
        denied = drawn < np.where(bad, self.sensitivity, 1.0 - self.specificity)
        return Review(delay=np.full(bad.shape, self.delay, dtype=np.int64), denied=denied)
