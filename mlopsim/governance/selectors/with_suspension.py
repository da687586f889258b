"""Any rule, and the fallback where measured costs have used their limits up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from mlopsim.core.errors import ConfigError
from mlopsim.core.registry import register
from mlopsim.core.spec import check_range, make, part
from mlopsim.delivery.search_space import Choice, Range
from mlopsim.delivery.selector import KEEP, View
from mlopsim.governance.selectors._wrapping import Wrapping
from mlopsim.governance.selectors.spent_limits import SpentLimits


@register("selector", "with_suspension")
@dataclass(kw_only=True)
class WithSuspension(Wrapping):
    r"""Decide as a rule says; suspend where a measured cost is beyond its limit, as ``rule_book`` does.

    What a rule needs to be compared with a learned selector, which may suspend and knows the limits, too: the
    two then differ in how they decide only. What is suspended is retrained once, as soon as that is possible:
    a rule that waits for an alarm may otherwise never bring a version that could take over. Meanwhile
    retrains of the rule are carried out, its other answers are not; a retrain that gives way to a suspension
    is made up for. Without a fallback, or without limits, it is the rule.

    It suspends if :math:`\hat c_k > \mathrm{reserve} \cdot \ell_k` for a measured cost :math:`\hat c_k` with
    limit :math:`\ell_k` that what serves now added to.

    Parameters
    ----------
    rule : spec of a selector
        Says what else to do; no agent, and none that suspends.
    reserve : float, default 1.0
        Suspend beyond so many times a limit.

    Notes
    -----
    Use it where a rule is compared with a learned selector that may suspend; not where there is no fallback:
    it is the rule then.

    Examples
    --------
    >>> from mlopsim.checks.toy_deployment import play
    >>> play(WithSuspension(rule={"periodic": {"every": 3}}), 9, latency=0)
    'kkkRkkRkk'
    """

    rule: Any = part("selector", "periodic")
    reserve: float = 1.0

    space: ClassVar[dict[str, Choice]] = {"reserve": Range(0.1, 10.0, log=True)}
    can_suspend: ClassVar[bool] = True

    def __post_init__(self) -> None:
        check_range("selector/with_suspension.reserve", self.reserve, 0.0, 1e6)
        self._rule = make("selector", self.rule)
        if getattr(self._rule, "agent", False) or getattr(self._rule, "can_suspend", False):
            raise ConfigError(
                f"selector/with_suspension.rule cannot be {self._rule.full_name}",
                remedy="a rule that does not suspend by itself, such as periodic",
            )

    # -- what it says of itself --------------------------------------------------------------------------

    @property
    def uses_errors(self) -> bool:  # type: ignore[override]  # a constant elsewhere
        """Whether its rule reads errors row by row."""
        return bool(getattr(self._rule, "uses_errors", True))

    @property
    def reads(self) -> str:  # type: ignore[override]
        """What it reads: measured costs, and what its rule does."""
        return "observation and inputs" if self.uses_inputs else "observation"

    # -- the roll-out ----------------------------------------------------------------------------------------

    def start(self, seeds: Sequence[np.random.SeedSequence]) -> None:
        """Start the rule, with nothing spent."""
        super().start(seeds)
        self._limits = SpentLimits(self)

    def decide(self, view: View) -> np.ndarray:
        """Suspend, resume, else do as the rule says."""
        suspend, resume = self._limits.judge(self, view, self.reserve)
        suspended = self._limits.suspended
        actions = self.asked(view)
        retrain = self.interface.retrain
        actions = np.where(suspended & (actions != retrain), KEEP, actions)
        # once for each suspension; what is in flight comes first
        mend = suspended & (self.retrained < self._limits.since)
        gives_way = suspend | resume
        made_up = (self._due | mend) & (actions == KEEP) & view.mask[:, retrain] & ~gives_way
        self._due = (self._due & ~made_up) | (gives_way & (actions == retrain))
        actions = np.where(made_up, retrain, actions)
        actions = np.where(resume, 1, actions)
        if self.interface.suspends:
            actions = np.where(suspend, self.interface.suspend, actions)
        return actions.astype(np.int64)
