"""What delivery pipelines do: a schedule, and a rollback if the release is worse."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from mlopsim.core.registry import register
from mlopsim.core.spec import check_range
from mlopsim.delivery.search_space import Choice, Range
from mlopsim.delivery.selector import View
from mlopsim.delivery.selectors.periodic import Periodic


@register("selector", "traditional_cd")
@dataclass(kw_only=True)
class TraditionalCd(Periodic):
    """Retrain on a schedule; go back to the version before if the new one is worse by a threshold.

    The analysis step of delivery tools (Argo Rollouts, Flagger): a release is judged once, on its
    first ``judge`` labelled windows, against the last ``judge`` labelled windows of the version that
    it replaced. A version that was rolled back is not judged again.

    Parameters
    ----------
    every, phase : int
        The schedule, as in ``periodic``.
    rise : float, default 0.05
        Roll back if the error rate is higher by more than this.
    judge : int, default 2
        Number of windows on which a release is judged.

    Examples
    --------
    >>> from mlopsim.checks.toy_deployment import play
    >>> play(TraditionalCd(every=3, judge=1), 9, latency=0, error=[0.1] * 4 + [0.4] * 5)
    'kkkR1kRkk'
    """

    every: int = 20
    rise: float = 0.05
    judge: int = 2

    space: ClassVar[dict[str, Choice]] = {
        "every": Range(1, 60, log=True, integer=True),
        "phase": Range(0, 20, integer=True),
        "rise": Range(0.005, 0.3, log=True),
        "judge": Range(1, 8, integer=True),
    }
    uses_errors: ClassVar[bool] = True
    reads: ClassVar[str] = "errors"

    def __post_init__(self) -> None:
        super().__post_init__()
        check_range("selector/traditional_cd.rise", self.rise, 0.0, 1.0)
        check_range("selector/traditional_cd.judge", self.judge, 1, 10_000)

    def start(self, seeds: Sequence[np.random.SeedSequence]) -> None:
        """Start without a release to judge."""
        super().start(seeds)
        self._before = np.full(self.n, np.nan)
        self._back = np.full(self.n, -1, np.int64)
        self._last = np.full(self.n, np.nan)
        self._best = np.full(self.n, -1, np.int64)

    def decide(self, view: View) -> np.ndarray:
        """Judge the release, else follow the schedule."""
        rate, count = self.recent_rate(self.judge)
        serving = self.served[:, self.step]
        previous = self.served[:, max(self.step - 1, 0)]
        released = self.changed & (serving > self._best)
        # what a release replaced, and how that did when it was last seen
        self._back = np.where(released, previous, np.where(self.changed, -1, self._back))
        self._before = np.where(released, self._last, self._before)
        self._best = np.maximum(self._best, serving)
        # after a rollback the old version is as good as it was
        unseen = np.where(released, np.nan, np.where(self.changed, self._before, self._last))
        self._last = np.where(count > 0, rate, unseen)
        ripe = (self._back >= 0) & (count >= self.judge)
        worse = ripe & (rate > self._before + self.rise)
        slot = view.versions == self._back[:, None]
        self._back = np.where(ripe, -1, self._back)
        actions = super().decide(view)
        rollback = worse & slot.any(axis=1)
        # a retrain that gives way to a rollback stays due
        self._due |= rollback & (actions == self.interface.retrain)
        return np.where(rollback, 1 + np.argmax(slot, axis=1), actions)
