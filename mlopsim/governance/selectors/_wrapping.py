"""Rules that decide as another rule does, but for something: what they share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from mlopsim.delivery.search_space import Choice, space_of_rule
from mlopsim.delivery.selector import View
from mlopsim.delivery.selectors.base import Rule


class Wrapping(Rule):
    """A rule around the one that its field ``rule`` says; who wraps builds that into ``_rule``."""

    space: ClassVar[dict[str, Choice]]
    rule: Any
    _rule: Any

    @property
    def uses_inputs(self) -> bool:
        """Whether its rule reads rows."""
        return bool(getattr(self._rule, "uses_inputs", False))

    @property
    def known(self) -> str:  # type: ignore[override]  # a constant elsewhere
        """What its rule knows that a deployment does not show."""
        return str(getattr(self._rule, "known", "nothing"))

    def searchable(self) -> dict[str, Choice]:
        """Return what tuning may search: its own parameters, and those of its rule that are not given."""
        return {**self.space, **space_of_rule(self.rule)}

    def check(self, deployment: Any) -> None:
        """Refuse what its rule refuses."""
        check = getattr(self._rule, "check", None)
        if callable(check):
            check(deployment)

    def start(self, seeds: Sequence[np.random.SeedSequence]) -> None:
        """Start its rule, none of whose retrains has given way yet."""
        self._rule.reset(self.n, self.interface, seeds)
        self._due = np.zeros(self.n, bool)

    def asked(self, view: View) -> np.ndarray:
        """Return what its rule says, int64 (n,); the rule's alarms are its own."""
        actions: np.ndarray = self._rule.act(view)
        if hasattr(self._rule, "alarmed"):
            self.alarmed = self._rule.alarmed
        return actions
