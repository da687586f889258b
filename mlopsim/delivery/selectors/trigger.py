"""What the triggers share: an alarm asks for a retrain, after a wait and outside a cool-down."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np

from mlopsim.core.spec import check_range
from mlopsim.delivery.search_space import Choice, Range
from mlopsim.delivery.selector import View
from mlopsim.delivery.selectors.base import Rule

#: the space of what all triggers share
TRIGGER_SPACE: dict[str, Choice] = {
    # with 10 windows to train on and labels 2 windows late all of them are new after 12
    "wait": Range(0, 16, integer=True),
    "cooldown": Range(0, 20, integer=True),
}


@dataclass(kw_only=True)
class Trigger(Rule):
    """Base of the triggers: :meth:`alarm` is the only thing that they add.

    After each decision ``alarmed`` holds where there was an alarm, bool of shape (n,), for records.

    Parameters
    ----------
    wait : int, default 0
        Windows between an alarm and the retrain, so that more rows after the drift are trained on.
    cooldown : int, default 0
        Windows after a retrain decision in which alarms are ignored.
    """

    wait: int = 0
    cooldown: int = 0

    #: whether an alarm is remembered until a retrain is possible (an event) or must persist (a level)
    holds: ClassVar[bool] = False

    def __post_init__(self) -> None:
        check_range(f"{self.full_name}.wait", self.wait, 0, 10_000)
        check_range(f"{self.full_name}.cooldown", self.cooldown, 0, 10_000)
        self._waits: np.ndarray | None = None

    def with_waits(self, waits: np.ndarray) -> Self:
        """Give each roll-out a wait of its own, int64 (n,), in place of ``wait``; return this trigger."""
        self._waits = waits
        return self

    def start(self, seeds: Sequence[np.random.SeedSequence]) -> None:
        """Start without alarms."""
        self._since_alarm = np.full(self.n, -1, np.int64)
        self.begin()

    def begin(self) -> None:
        """Set the state of a trigger."""

    def alarm(self, view: View) -> np.ndarray:
        """Return where there is an alarm now, bool of shape (n,)."""
        raise NotImplementedError

    def decide(self, view: View) -> np.ndarray:
        """Retrain where an alarm is old enough."""
        alarm = self.alarm(view)
        self.alarmed = alarm
        # a version that takes over answers the alarms before it
        since = np.where(self.changed, -1, self._since_alarm)
        since = np.where(since >= 0, since + 1, since)
        allowed = self.cool(self.cooldown)
        since = np.where(alarm & allowed & (since < 0), 0, since)
        possible = allowed & view.mask[:, self.interface.retrain]
        old = since >= (self.wait if self._waits is None else self._waits)
        wanted = old & possible
        self._since_alarm = np.where(wanted, -1, since)
        if not self.holds:
            # a level that could not be answered is looked at again, not remembered
            self._since_alarm = np.where(old & ~possible, -1, self._since_alarm)
        return self.retrain_where(wanted)
