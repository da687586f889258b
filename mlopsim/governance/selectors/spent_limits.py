"""Suspending what has used its limits up: what rules that suspend share."""

from __future__ import annotations

import numpy as np

from mlopsim.core.spec import make
from mlopsim.delivery.selector import View
from mlopsim.delivery.selectors.base import Rule
from mlopsim.governance.constraint import Over


class SpentLimits:
    """Finds where a deployment should be suspended, and where it should be resumed.

    It is to be suspended where a measured cost is beyond ``reserve`` times its limit and what serves now
    added to it in the newest window known: of a limit on the mean its sum so far, on runs the present one, on
    windows the newest. It is to be resumed with a version that arrived meanwhile, where that does not serve
    by itself.

    Parameters
    ----------
    rule : Rule
        Whose roll-outs they are, started.

    Attributes
    ----------
    suspended : ndarray of bool, shape (n,)
        Where the fallback serves now.
    since : ndarray of int64, shape (n,)
        Decision at which that was first seen; -1: it does not.
    """

    def __init__(self, rule: Rule) -> None:
        n, self._names = rule.n, rule.interface.names
        self.suspended, self.since = np.zeros(n, bool), np.full(n, -1, np.int64)
        # newest version there was when it was suspended; -1: it is not
        self._left = np.full(n, -1, np.int64)
        constraints = getattr(rule.interface.deployment, "constraints", [])
        built = [make("constraint", spec) for spec in constraints]
        self._limits = [
            (one.name, one.over, one.limit) for one in built if f"cost_{one.name}_seen" in self._names
        ]
        self._runs = np.zeros((n, len(self._limits)), np.int64)

    def judge(self, rule: Rule, view: View, reserve: float) -> tuple[np.ndarray, np.ndarray]:
        """Look at the newest window; to be called once at every decision.

        Parameters
        ----------
        rule : Rule
            Whose record is read.
        view : View
        reserve : float
            Suspend beyond so many times a limit.

        Returns
        -------
        suspend, resume : ndarray of bool, shape (n,)
            Where it should be, and can be. What resumes is slot 1, the newest version.
        """
        newest = view.versions[:, 0]
        if "suspended" in self._names:
            self.suspended = view["suspended"] > 0.0
        self._left = np.where(self.suspended, np.where(self._left < 0, newest, self._left), -1)
        self.since = np.where(self.suspended, np.where(self.since < 0, rule.step, self.since), -1)
        resume = self.suspended & (newest > self._left) & view.mask[:, 1]
        suspend = self._spent(rule, view, reserve) & ~self.suspended
        suspend &= view.mask[:, rule.interface.suspend] if rule.interface.suspends else False
        return suspend, resume

    def _spent(self, rule: Rule, view: View, reserve: float) -> np.ndarray:
        """Return where a measured cost is beyond what is allowed, on account of what serves now too."""
        found = np.zeros(rule.n, bool)
        # what became known now may be of a version that no longer serves
        mine = rule.step - rule.delay >= rule.since
        for k, (name, over, limit) in enumerate(self._limits):
            last = view[f"cost_{name}_last"].astype(np.float64)
            adds = last > 0.0
            self._runs[:, k] = np.where(adds, self._runs[:, k] + 1, 0)
            if over is Over.MEAN:
                beyond = view[f"cost_{name}_seen"] > reserve * limit + 1e-6
            elif over is Over.RUN:
                beyond = self._runs[:, k] > reserve * limit
            else:
                beyond = last > reserve * limit + 1e-6
            found |= beyond & adds & mine
        return found
