"""Which decision earned what: the rewards of the next H windows, known when their labels are."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np


@dataclass(kw_only=True)
class DelayedCredit:
    """Hands decisions back with their returns, once all of these are known.

    The return of the decision at t is the sum of the rewards of the windows t + 1..t + H. The last of them is
    served after step t + H and its labels come L windows later; only then is the decision handed back. A
    decision whose H windows, or their labels, do not come within its episode is dropped, not cut short.

    Parameters
    ----------
    horizon : int
        H, at least 1.
    delay : int
        Label delay L.

    Examples
    --------
    >>> credit = DelayedCredit(horizon=2, delay=1)
    >>> arm, goes_on = np.array([0]), np.array([False])
    >>> for t, reward in enumerate([1.0, 10.0, 100.0, 1000.0]):
    ...     x, _, total = credit.add(np.array([[t]]), arm, np.array([reward]), goes_on)
    ...     print(x.ravel(), total)
    [] []
    [] []
    [0] [11.]
    [1] [110.]
    """

    horizon: int
    delay: int
    _entries: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = field(default_factory=list, repr=False)
    _sums: list[np.ndarray] = field(default_factory=list, repr=False)

    def add(
        self, x: np.ndarray, actions: np.ndarray, rewards: np.ndarray, ended: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Take one step of n deployments; return the decisions whose returns are known now.

        Parameters
        ----------
        x : ndarray, shape (n, d)
            What the decisions were made of.
        actions : ndarray of int64, shape (n,)
        rewards : ndarray of float64, shape (n,)
            Of the window that was served after them.
        ended : ndarray of bool, shape (n,)
            Where this step was the last one of its episode.

        Returns
        -------
        x : ndarray, shape (m, d)
        actions : ndarray of int64, shape (m,)
        returns : ndarray of float64, shape (m,)
            Those of at most one decision of each deployment, in the order of the deployments.
        """
        self._entries.append((x, actions, np.ones(len(actions), dtype=bool)))
        self._sums.append(np.zeros(len(actions)))
        # the newest H decisions are still earning
        for total in self._sums[-self.horizon :]:
            total += rewards
        ready = x[:0], actions[:0], np.zeros(0)
        if len(self._entries) == self.horizon + self.delay:
            first, chosen, alive = self._entries.pop(0)
            ready = first[alive], chosen[alive], self._sums.pop(0)[alive]
        for _, _, alive in self._entries:
            # what comes next belongs to another episode
            alive &= ~ended
        return ready
