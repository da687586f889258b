"""Two people who review a version, each on their own."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mlopsim.core.registry import register
from mlopsim.core.spec import check_range
from mlopsim.governance.reviewer import Review, Reviewer, uniforms


@register("reviewer", "two_persons")
@dataclass(kw_only=True)
class TwoPersons(Reviewer):
    r"""A version is approved if two people approve it, each on their own and at the same time.

    Both are right about a bad version with probability ``sensitivity`` and about a good one with
    ``specificity``. With the probability ``dependence`` the second one says what the first did; else the two
    draw by themselves, and bad versions are found with probability :math:`1 - (1 - \mathrm{sensitivity})^2`.

    With the chance q that one denies, and d = ``dependence``,
    :math:`P(\mathrm{denied}) = 1 - (1 - q) (d + (1 - d) (1 - q))`.

    Parameters
    ----------
    sensitivity, specificity : float, default 0.8 and 0.95
        Of each.
    delay : int, default 2
        Windows from the end of the training to the verdict of the slower one.
    dependence : float, default 0.0

    Notes
    -----
    Use it for a second pair of eyes; with ``dependence`` 1 it is the first pair alone.

    Examples
    --------
    >>> bad = np.tile(np.arange(1000) % 2 == 0, (2, 1))
    >>> denied = TwoPersons().review(bad, np.array([3, 4], dtype=np.uint64)).denied
    >>> round(float(denied[bad].mean()), 2), round(float(denied[~bad].mean()), 2)
    (0.96, 0.09)
    """

    sensitivity: float = 0.8
    specificity: float = 0.95
    delay: int = 2
    dependence: float = 0.0

    def __post_init__(self) -> None:
        check_range("reviewer/two_persons.sensitivity", self.sensitivity, 0.0, 1.0)
        check_range("reviewer/two_persons.specificity", self.specificity, 0.0, 1.0)
        check_range("reviewer/two_persons.delay", self.delay, 0, 1_000_000)
        check_range("reviewer/two_persons.dependence", self.dependence, 0.0, 1.0)

    def review(self, bad: np.ndarray, seeds: np.ndarray) -> Review:
        """Return the delay, and who is denied by either."""
        drawn = uniforms(seeds, bad.shape[1], 3)
        chance = np.where(bad, self.sensitivity, 1.0 - self.specificity)
        first = drawn[:, :, 0] < chance
        second = np.where(drawn[:, :, 2] < self.dependence, first, drawn[:, :, 1] < chance)
        return Review(delay=np.full(bad.shape, self.delay, dtype=np.int64), denied=first | second)
