"""Any rule, and a rollback where a release turns out worse than what it replaced."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from mlopsim.core.errors import ConfigError
from mlopsim.core.registry import register
from mlopsim.core.spec import check_range, make, part
from mlopsim.delivery.search_space import Choice, Range
from mlopsim.delivery.selector import KEEP, View
from mlopsim.delivery.selectors.release_judge import ReleaseJudge
from mlopsim.governance.selectors._wrapping import Wrapping

#: what it says of itself where its rule reads something, too
READS: Mapping[str, str] = {"nothing": "errors", "errors": "errors", "observation": "observation"}


@register("selector", "with_rollback")
@dataclass(kw_only=True)
class WithRollback(Wrapping):
    r"""Retrain as a rule says; go back to the version before if a release is worse by a threshold.

    Releases are judged as in ``traditional_cd``, which is this one with a schedule. Where a rollback is
    impossible the rule's own answer stands. A retrain that gives way to a rollback is made up for at the next
    decision at which it is possible and the rule has no other answer.

    With the mean error rates :math:`e_{\mathrm{new}}` and :math:`e_{\mathrm{old}}` over ``judge`` windows, it
    rolls back if :math:`e_{\mathrm{new}} > e_{\mathrm{old}} + \mathrm{rise}`.

    Parameters
    ----------
    rule : spec of a selector
        Says when to retrain; no agent.
    rise : float, default 0.05
        Roll back if the error rate is higher by more than this.
    judge : int, default 2
        Number of windows on which a release is judged.

    Notes
    -----
    Use it to see what rollback adds to a rule.

    Examples
    --------
    >>> from mlopsim.checks.toy_deployment import play
    >>> play(WithRollback(rule={"periodic": {"every": 3}}, judge=1), 9, latency=0,
    ...      error=[0.1] * 4 + [0.4] * 5)
    'kkkR1kRkk'
    """

    rule: Any = part("selector", "periodic")
    rise: float = 0.05
    judge: int = 2

    space: ClassVar[dict[str, Choice]] = {
        "rise": Range(0.005, 0.3, log=True),
        "judge": Range(1, 8, integer=True),
    }
    uses_errors: ClassVar[bool] = True

    def __post_init__(self) -> None:
        check_range("selector/with_rollback.rise", self.rise, 0.0, 1.0)
        check_range("selector/with_rollback.judge", self.judge, 1, 10_000)
        self._rule = make("selector", self.rule)
        if getattr(self._rule, "agent", False) or isinstance(self._rule, WithRollback):
            raise ConfigError(
                f"selector/with_rollback.rule cannot be {self._rule.full_name}",
                remedy="a rule, such as periodic",
            )

    # -- what it says of itself --------------------------------------------------------------------------

    @property
    def can_suspend(self) -> bool:
        """Whether its rule suspends."""
        return bool(getattr(self._rule, "can_suspend", False))

    @property
    def reads(self) -> str:  # type: ignore[override]  # a constant elsewhere
        """What it reads: errors, and what its rule does."""
        return READS.get(str(self._rule.reads), "errors and inputs")

    # -- the roll-out ----------------------------------------------------------------------------------------

    def start(self, seeds: Sequence[np.random.SeedSequence]) -> None:
        """Start the rule, without a release to judge."""
        super().start(seeds)
        self._judge = ReleaseJudge(self.n)

    def decide(self, view: View) -> np.ndarray:
        """Judge the release, else do as the rule says."""
        worse, back = self._judge.judge(self, view, self.rise, self.judge)
        if "suspended" in self.interface.names:
            # what ends a suspension is for its rule to say
            worse &= ~(view["suspended"] > 0.0)
        actions = self.asked(view)
        retrain = self.interface.retrain
        rollback = worse & view.mask[self.walk, back]
        made_up = self._due & (actions == KEEP) & view.mask[:, retrain] & ~rollback
        self._due = (self._due & ~made_up) | (rollback & (actions == retrain))
        return np.where(rollback, back, np.where(made_up, retrain, actions)).astype(np.int64)
