"""Any rule, and the fallback where measured costs have used their limits up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from mlopsim.core.errors import ConfigError
from mlopsim.core.registry import register
from mlopsim.core.spec import make, part
from mlopsim.delivery.search_space import Choice
from mlopsim.delivery.selector import KEEP, View
from mlopsim.governance.selectors._wrapping import Wrapping
from mlopsim.governance.selectors.spent_limits import SPACE, SpentLimits, check_names, check_spent


@register("selector", "with_suspension", version=2)
@dataclass(kw_only=True)
class WithSuspension(Wrapping):
    r"""Decide as a rule says; suspend where a measured cost is beyond its limit, as ``rule_book`` does.

    What a rule needs to be compared with a learned selector, which may suspend and knows the limits, too.
    What is suspended is retrained as soon as that is possible, and again ``retry`` windows later where no
    version came of it: a rule that waits for an alarm may otherwise never bring a version that could take
    over. Meanwhile retrains of the rule are carried out, its other answers are not; a retrain that gives way
    to a suspension is made up for. Without a fallback, or without limits, it is the rule.

    It suspends if :math:`\hat c_k > \rho_k \ell_k` for a measured cost :math:`\hat c_k` with limit
    :math:`\ell_k` and reserve :math:`\rho_k` that what serves now added to.

    Parameters
    ----------
    rule : spec of a selector
        Says what else to do; no agent, and none that suspends.
    reserve : dict of str to float, default none
        Suspend beyond so many times a limit, by the name of its constraint; 1 where it has none. Tuning
        draws one for each limit of the deployment.
    freeze : float, default 100.0
        Stay suspended where a measured cost, over a limit on the mean, is beyond so many times the reserve:
        no version is asked for any more.
    retry : int, default 5
        Windows after a retrain until what is still suspended is retrained again.

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
    reserve: dict[str, float] = field(default_factory=dict)
    freeze: float = 100.0
    retry: int = 5

    space: ClassVar[dict[str, Choice]] = SPACE
    can_suspend: ClassVar[bool] = True

    def __post_init__(self) -> None:
        check_spent(self.full_name, self.reserve, self.freeze, self.retry)
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

    def check(self, deployment: Any) -> None:
        """Refuse a reserve for a limit that is not there, and what its rule refuses."""
        check_names(self.full_name, self.reserve, deployment)
        super().check(deployment)

    # -- the roll-out ----------------------------------------------------------------------------------------

    def start(self, seeds: Sequence[np.random.SeedSequence]) -> None:
        """Start the rule, with nothing spent."""
        super().start(seeds)
        self._limits = SpentLimits(self, self.reserve, self.freeze, self.retry)

    def decide(self, view: View) -> np.ndarray:
        """Suspend, resume, else do as the rule says."""
        ruling, suspended = self._limits.judge(self, view), self._limits.suspended
        suspend, resume = ruling.suspend, ruling.resume
        actions = self.asked(view)
        retrain = self.interface.retrain
        actions = np.where(suspended & ((actions != retrain) | ruling.frozen), KEEP, actions)
        gives_way = suspend | resume
        made_up = (self._due & ~ruling.frozen) | ruling.retrain
        made_up &= (actions == KEEP) & view.mask[:, retrain] & ~gives_way
        self._due = (self._due & ~made_up) | (gives_way & (actions == retrain))
        actions = np.where(made_up, retrain, actions)
        actions = np.where(resume, 1, actions)
        if self.interface.suspends:
            actions = np.where(suspend, self.interface.suspend, actions)
        return actions.astype(np.int64)
