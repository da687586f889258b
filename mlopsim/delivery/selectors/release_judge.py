"""Judging a release once, against what it replaced: what rules that roll back share."""

from __future__ import annotations

import numpy as np

from mlopsim.delivery.selector import View
from mlopsim.delivery.selectors.base import Rule


class ReleaseJudge:
    """Finds releases that are worse than what they replaced.

    A release is judged once, on its first labelled windows, against the last labelled windows of the version
    that it replaced. A version that was rolled back is not judged again.

    Parameters
    ----------
    n : int
        Number of roll-outs.
    """

    def __init__(self, n: int) -> None:
        self._before = np.full(n, np.nan)
        self._back = np.full(n, -1, np.int64)
        self._last = np.full(n, np.nan)
        self._best = np.full(n, -1, np.int64)

    def judge(self, rule: Rule, view: View, rise: float, windows: int) -> tuple[np.ndarray, np.ndarray]:
        """Look at the newest windows; to be called once at every decision.

        Parameters
        ----------
        rule : Rule
            Whose record is read.
        view : View
        rise : float
            A release is worse if its error rate is higher by more than this.
        windows : int
            On how many it is judged.

        Returns
        -------
        rollback : ndarray of bool, shape (n,)
            Where a release is worse, and what it replaced is in the registry.
        action : ndarray of int64, shape (n,)
            That deploys it.
        """
        rate, count = rule.recent_rate(windows)
        serving = rule.served[:, rule.step]
        previous = rule.served[:, max(rule.step - 1, 0)]
        released = rule.changed & (serving > self._best)
        # what a release replaced, and how that did when it was last seen
        self._back = np.where(released, previous, np.where(rule.changed, -1, self._back))
        self._before = np.where(released, self._last, self._before)
        self._best = np.maximum(self._best, serving)
        # after a rollback the old version is as good as it was
        unseen = np.where(released, np.nan, np.where(rule.changed, self._before, self._last))
        self._last = np.where(count > 0, rate, unseen)
        ripe = (self._back >= 0) & (count >= windows)
        worse = ripe & (rate > self._before + rise)
        slot = view.versions == self._back[:, None]
        self._back = np.where(ripe, -1, self._back)
        return worse & slot.any(axis=1), 1 + np.argmax(slot, axis=1)
