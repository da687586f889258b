"""Suspending what has used its limits up, and mending it: what rules that suspend share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from mlopsim.core.errors import ConfigError, nearest
from mlopsim.core.spec import check_range, make
from mlopsim.delivery.search_space import Choice, Each, Range
from mlopsim.delivery.selector import View
from mlopsim.delivery.selectors.base import Rule
from mlopsim.governance.constraint import Over

#: what tuning may search of it. The least ``reserve`` suspends at the first violations, and with the least
#: ``freeze`` for good: so the space has candidates that keep limits which any first version can keep so long
SPACE: dict[str, Choice] = {
    "reserve": Each(Range(0.1, 10.0, log=True), 1.0),
    "freeze": Range(1.0, 100.0, log=True),
    "retry": Range(1, 20, log=True, integer=True),
}


def check_spent(where: str, reserve: Mapping[str, float], freeze: float, retry: int) -> None:
    """Raise ConfigError if parameters of a rule that suspends are out of range."""
    for name, value in reserve.items():
        check_range(f"{where}.reserve.{name}", value, 0.0, 1e6)
    check_range(f"{where}.freeze", freeze, 1.0, 1e6)
    check_range(f"{where}.retry", retry, 1, 1_000_000)


def check_names(where: str, reserve: Mapping[str, float], deployment: Any) -> None:
    """Raise ConfigError if there is a reserve for what a deployment has no limit on."""
    names = [make("constraint", spec).name for spec in getattr(deployment, "constraints", [])]
    for name in reserve:
        if name not in names:
            raise ConfigError(
                f"{where}.reserve has '{name}', on which the deployment has no limit{nearest(name, names)}",
                remedy=f"its limits: {', '.join(names) or '(none)'}",
            )


@dataclass(frozen=True, kw_only=True)
class Ruling:
    """What is to be done in each of n roll-outs.

    Parameters
    ----------
    suspend, resume : ndarray of bool, shape (n,)
        Where it should be, and can be. What resumes is slot 1, the newest version.
    retrain : ndarray of bool, shape (n,)
        Where what is suspended should be retrained, and can be.
    frozen : ndarray of bool, shape (n,)
        Where it is suspended, and no version is to be asked for.
    """

    suspend: np.ndarray
    resume: np.ndarray
    retrain: np.ndarray
    frozen: np.ndarray


class SpentLimits:
    """Finds where a deployment should be suspended, retrained meanwhile, and resumed.

    It is to be suspended where a measured cost is beyond ``reserve`` times its limit and what serves now
    added to it in the newest window known: of a limit on the mean its sum so far, on runs the present one, on
    windows the newest. Each limit has a reserve of its own: with few rows in a group the measured gap of a
    model that keeps a limit is beyond what is tolerated now and then, and who suspends on the first
    violation of the limit that binds should not have to on that of one that does not.

    What is suspended is to be retrained as soon as that is possible, and again ``retry`` windows after a
    retrain that brought no version (release gates or a reviewer may have stopped it): else it would wait for
    a schedule that may never come. It is to be resumed with a version that arrived meanwhile, where that does
    not serve by itself. Beyond ``freeze`` times the reserve of a limit on the mean no version is asked for
    any more, and none resumed: each would be charged until its own violations are known.

    Parameters
    ----------
    rule : Rule
        Whose roll-outs they are, started.
    reserve : mapping of str to float
        Suspend beyond so many times a limit, by the name of its constraint; 1 where it has none.
    freeze : float
        Stay suspended beyond so many times that.
    retry : int
        Windows after a retrain until the next.

    Attributes
    ----------
    suspended : ndarray of bool, shape (n,)
        Where the fallback serves now.
    since : ndarray of int64, shape (n,)
        Decision at which that was first seen; -1: it does not.
    """

    def __init__(self, rule: Rule, reserve: Mapping[str, float], freeze: float, retry: int) -> None:
        check_names(type(rule).full_name, reserve, rule.interface.deployment)
        self._freeze, self._retry = freeze, retry
        n, self._names = rule.n, rule.interface.names
        self.suspended, self.since = np.zeros(n, bool), np.full(n, -1, np.int64)
        # newest version there was when it was suspended; -1: it is not
        self._left = np.full(n, -1, np.int64)
        constraints = getattr(rule.interface.deployment, "constraints", [])
        built = [make("constraint", spec) for spec in constraints]
        self._limits = [
            (one.name, one.over, reserve.get(one.name, 1.0) * one.limit)
            for one in built
            if f"cost_{one.name}_seen" in self._names
        ]
        self._runs = np.zeros((n, len(self._limits)), np.int64)

    def judge(self, rule: Rule, view: View) -> Ruling:
        """Look at the newest window; to be called once at every decision.

        Parameters
        ----------
        rule : Rule
            Whose record is read.
        view : View
        """
        newest = view.versions[:, 0]
        if "suspended" in self._names:
            self.suspended = view["suspended"] > 0.0
        self._left = np.where(self.suspended, np.where(self._left < 0, newest, self._left), -1)
        self.since = np.where(self.suspended, np.where(self.since < 0, rule.step, self.since), -1)
        frozen = self.suspended & self._used_up(view)
        resume = self.suspended & (newest > self._left) & view.mask[:, 1] & ~frozen
        suspend = self._spent(rule, view) & ~self.suspended
        suspend &= view.mask[:, rule.interface.suspend] if rule.interface.suspends else False
        # what is in flight comes first: then none is possible
        again = (rule.retrained < self.since) | (rule.step - rule.retrained >= self._retry)
        retrain = self.suspended & again & ~frozen & ~resume & view.mask[:, rule.interface.retrain]
        return Ruling(suspend=suspend, resume=resume, retrain=retrain, frozen=frozen)

    def _used_up(self, view: View) -> np.ndarray:
        """Return where so much of a limit on the mean is used up that it is suspended for good."""
        found = np.zeros(len(view.mask), bool)
        for name, over, allowed in self._limits:
            if over is Over.MEAN:
                found |= view[f"cost_{name}_seen"] > self._freeze * allowed + 1e-6
        return found

    def _spent(self, rule: Rule, view: View) -> np.ndarray:
        """Return where a measured cost is beyond what is allowed, on account of what serves now too."""
        found = np.zeros(rule.n, bool)
        # what became known now may be of a version that no longer serves
        mine = rule.step - rule.delay >= rule.since
        for k, (name, over, allowed) in enumerate(self._limits):
            last = view[f"cost_{name}_last"].astype(np.float64)
            adds = last > 0.0
            self._runs[:, k] = np.where(adds, self._runs[:, k] + 1, 0)
            if over is Over.MEAN:
                beyond = view[f"cost_{name}_seen"] > allowed + 1e-6
            elif over is Over.RUN:
                beyond = self._runs[:, k] > allowed
            else:
                beyond = last > allowed + 1e-6
            found |= beyond & adds & mine
        return found
