"""What the rules share: the record of a roll-out, arrivals, the mask."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from mlopsim.delivery.search_space import Choice
from mlopsim.delivery.selector import KEEP, Interface, View

#: "long ago" on the clock of decisions
NEVER = -(1 << 30)


class Rule:
    """Base of the rules: keeps a record of the roll-out.

    A rule implements :meth:`decide`. All state has the roll-outs as its first axis and is only combined
    element by element, so that roll-outs cannot influence each other.

    Attributes
    ----------
    step : int
        Number of this decision, from 0.
    rate : ndarray of float64, shape (n, horizon + 1)
        Error rate of the window served at step j; NaN as long as it is not known.
    rows : ndarray of int64, shape (n, horizon + 1)
        Number of labelled rows behind ``rate``.
    served : ndarray of int64, shape (n, horizon + 1)
        Version that served at step j (the stable one during a canary); -1 in the future.
    since : ndarray of int64, shape (n,)
        First step at which the version that serves now was seen serving.
    retrained : ndarray of int64, shape (n,)
        Step of the last retrain that this rule decided.
    """

    full_name: ClassVar[str]
    agent: ClassVar[bool] = False
    #: facts, see :class:`mlopsim.delivery.selector.Selector`
    family: ClassVar[str] = "rule"
    reads: ClassVar[str] = "errors"
    known: ClassVar[str] = "nothing"
    control: ClassVar[bool] = False
    always_listed: ClassVar[bool] = False
    #: False spares the roll-out the row-wise errors; the record of the roll-out then holds no rates
    uses_errors: ClassVar[bool] = True
    space: ClassVar[dict[str, Choice]] = {}

    def reset(self, n: int, interface: Interface, seeds: Sequence[np.random.SeedSequence]) -> None:
        """Start n roll-outs."""
        self.n, self.interface = n, interface
        self.delay = int(interface.deployment.label_delay)
        self.step = -1
        self.walk = np.arange(n)
        length = interface.horizon + 1
        self.rate = np.full((n, length), np.nan)
        self.rows = np.zeros((n, length), np.int64)
        self.served = np.full((n, length), -1, np.int64)
        self.since = np.zeros(n, np.int64)
        self.retrained = np.full(n, NEVER, np.int64)
        self._newest = np.full(n, -1, np.int64)
        self._release = np.zeros(n, bool)
        self.start(seeds)

    def check(self, deployment: Any) -> None:
        """Refuse a deployment that it cannot be rolled out in, with a ConfigError; by default none."""

    def start(self, seeds: Sequence[np.random.SeedSequence]) -> None:
        """Set the state of a rule (called by :meth:`reset`)."""

    def decide(self, view: View) -> np.ndarray:
        """Return the wanted action of each roll-out, int64 of shape (n,).

        One that is impossible is carried out as keep, and counted.
        """
        raise NotImplementedError

    def act(self, view: View) -> np.ndarray:
        """Return the wanted action of each roll-out, possible or not, int64 of shape (n,)."""
        self.step += 1
        self._record(view)
        actions = self.decide(view)
        if not self.interface.deployment.deploy_on_arrival:
            # a version that a rule asked for is meant to serve: release it where arrival does not
            possible = self._release & view.mask[:, 1] & (actions == KEEP)
            actions = np.where(possible, 1, actions)
            self._release &= ~(actions == 1)
        # what is impossible becomes keep in the dynamics, where it is counted
        done = view.mask[self.walk, actions]
        self.retrained = np.where(done & (actions == self.interface.retrain), self.step, self.retrained)
        return np.asarray(actions, dtype=np.int64)

    def _record(self, view: View) -> None:
        now = self.step
        serving = view.versions[self.walk, view.serving]
        before = self.served[:, now - 1] if now else serving
        self.since = np.where(serving != before, now, self.since)
        self.changed = serving != before
        self.served[:, now] = serving
        known = now - self.delay
        if known >= 0 and self.uses_errors:
            rows = np.count_nonzero(view.errors >= 0, axis=1)
            wrong = np.count_nonzero(view.errors > 0, axis=1)
            self.rows[:, known] = rows
            self.rate[:, known] = np.where(rows > 0, wrong / np.maximum(rows, 1), np.nan)
        newest = view.versions[:, 0]
        self._release |= (newest > self._newest) & (self._newest >= 0) & (view.serving != 0)
        self._newest = np.maximum(newest, self._newest)

    @property
    def fresh(self) -> np.ndarray:
        """Where the window that became known now was served by the version that serves now, bool (n,)."""
        known = self.step - self.delay
        if known < 0:
            return np.zeros(self.n, bool)
        mine = (self.served[:, known] == self.served[:, self.step]) & (known >= self.since)
        return np.asarray(mine & (self.rows[:, known] > 0))

    @property
    def newest_rate(self) -> np.ndarray:
        """Error rate of the window that became known now, float64 (n,), NaN where there is none."""
        known = self.step - self.delay
        return self.rate[:, known] if known >= 0 else np.full(self.n, np.nan)

    def recent_rate(self, memory: int) -> tuple[np.ndarray, np.ndarray]:
        """Return the mean error rate of the newest known windows of the version that serves.

        Parameters
        ----------
        memory : int
            At most so many windows; only those since it began to serve count.

        Returns
        -------
        rate : ndarray of float64, shape (n,)
            NaN where none is known.
        count : ndarray of int64, shape (n,)
            Number of windows behind it.
        """
        total, count = np.zeros(self.n), np.zeros(self.n, np.int64)
        known = self.step - self.delay
        for j in range(known, max(known - memory, -1), -1):
            use = (j >= self.since) & (self.rows[:, j] > 0)
            total += np.where(use, self.rate[:, j], 0.0)
            count += use
        return np.where(count > 0, total / np.maximum(count, 1), np.nan), count

    def cool(self, cooldown: int) -> np.ndarray:
        """Where the last retrain was decided at least ``cooldown`` steps ago, bool (n,)."""
        return self.step - self.retrained >= cooldown

    def retrain_where(self, wanted: np.ndarray) -> np.ndarray:
        """Return *retrain* where wanted, else *keep*."""
        return np.where(wanted, self.interface.retrain, KEEP).astype(np.int64)

    def keep(self) -> np.ndarray:
        """Return *keep* for all roll-outs."""
        return np.full(self.n, KEEP, np.int64)


def generators(seeds: Sequence[np.random.SeedSequence]) -> list[np.random.Generator]:
    """Return one generator a roll-out, each from its own seed."""
    return [np.random.Generator(np.random.PCG64(seed)) for seed in seeds]
