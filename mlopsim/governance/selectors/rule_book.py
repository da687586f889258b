"""The traditional pipeline as a book of rules: schedule, threshold alarm, rollback, suspension."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from mlopsim.core.registry import register
from mlopsim.core.spec import check_range
from mlopsim.delivery.search_space import Choice, Range
from mlopsim.delivery.selector import KEEP, View
from mlopsim.delivery.selectors.base import Rule
from mlopsim.delivery.selectors.release_judge import ReleaseJudge
from mlopsim.governance.selectors.spent_limits import SPACE, SpentLimits, check_names, check_spent


@register("selector", "rule_book", version=2)
@dataclass(kw_only=True)
class RuleBook(Rule):
    r"""Release on a schedule and on a threshold alarm, roll back what is worse, suspend what costs too much.

    What a team without learning writes into its pipeline, one rule after the other; the first that applies is
    followed, if what it asks for is possible:

    1. *Suspend* where a measured cost is beyond the ``reserve`` of its limit and what serves now added to it
       in the newest window known: of a limit on the mean its sum so far, on runs the present one, on windows
       the newest. Only where there is a fallback.
    2. *Resume* with a version that arrived while suspended, where it does not serve by itself.
    3. *Roll back* a release whose error rate is higher by more than ``rise`` than that of what it replaced.
    4. *Retrain* every ``every`` windows, where the measured accuracy of what serves is below ``least``, and
       where it is suspended: at once, and again ``retry`` windows later where no version came of it.

    A retrain that was due and impossible, or gave way to another rule, stays due. Whether a person approves
    versions is the deployment's (``reviewer``).

    It suspends if :math:`\hat c_k > \rho_k \ell_k` for a measured cost :math:`\hat c_k` with limit
    :math:`\ell_k` and reserve :math:`\rho_k` that what serves now added to.

    Parameters
    ----------
    every, phase : int
        The schedule, as in ``periodic``.
    least : float, default 0.7
        Threshold alarm: lowest measured accuracy of what serves; 0: none.
    memory : int, default 3
        Over its newest known windows; only those since it began to serve count.
    rest : int, default 5
        Windows after a retrain in which the threshold alarm is ignored.
    rise : float, default 0.05
        Roll back if the error rate of a release is higher by more than this; 1: never.
    judge : int, default 2
        Number of windows on which a release is judged.
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
    Use it as the rival of learned selectors under constraints.

    Examples
    --------
    >>> from mlopsim.checks.toy_deployment import play
    >>> play(RuleBook(every=4, least=0.8, memory=1, rest=2, judge=1), 12, error=[0.1] * 6 + [0.3] * 6)
    'kkkkRkRkRkRk'
    """

    every: int = 10
    phase: int = 0
    least: float = 0.7
    memory: int = 3
    rest: int = 5
    rise: float = 0.05
    judge: int = 2
    reserve: dict[str, float] = field(default_factory=dict)
    freeze: float = 100.0
    retry: int = 5

    space: ClassVar[dict[str, Choice]] = {
        "every": Range(1, 60, log=True, integer=True),
        "phase": Range(0, 20, integer=True),
        "least": Range(0.0, 1.0),
        "memory": Range(1, 8, integer=True),
        "rest": Range(0, 20, integer=True),
        "rise": Range(0.005, 1.0, log=True),
        "judge": Range(1, 8, integer=True),
        **SPACE,
    }
    reads: ClassVar[str] = "observation"
    can_suspend: ClassVar[bool] = True

    def __post_init__(self) -> None:
        where = self.full_name
        check_range(f"{where}.every", self.every, 1, 1_000_000)
        check_range(f"{where}.phase", self.phase, 0, 1_000_000)
        check_range(f"{where}.least", self.least, 0.0, 1.0)
        check_range(f"{where}.memory", self.memory, 1, 10_000)
        check_range(f"{where}.rest", self.rest, 0, 10_000)
        check_range(f"{where}.rise", self.rise, 0.0, 1.0)
        check_range(f"{where}.judge", self.judge, 1, 10_000)
        check_spent(where, self.reserve, self.freeze, self.retry)

    def check(self, deployment: Any) -> None:
        """Refuse a reserve for a limit that is not there."""
        check_names(self.full_name, self.reserve, deployment)

    def start(self, seeds: Sequence[np.random.SeedSequence]) -> None:
        """Start with nothing due, nothing suspended, no release to judge."""
        self._due = np.zeros(self.n, bool)
        self._judge = ReleaseJudge(self.n)
        self._limits = SpentLimits(self, self.reserve, self.freeze, self.retry)

    def decide(self, view: View) -> np.ndarray:
        """Follow the first rule that applies."""
        retrain, walk, mask = self.interface.retrain, self.walk, view.mask
        ruling, suspended = self._limits.judge(self, view), self._limits.suspended
        suspend, resume = ruling.suspend, ruling.resume
        worse, back = self._judge.judge(self, view, self.rise, self.judge)
        rollback = worse & ~suspended & mask[walk, back]
        if self.step > 0 and self.step % self.every == self.phase % self.every:
            self._due = np.ones(self.n, bool)
        rate, count = self.recent_rate(self.memory)
        # 1 - rate is compared as people write it: .3 wrong is not below .7
        low = (count > 0) & (1.0 - rate < self.least - 1e-12)
        self._due |= low & self.cool(self.rest) & ~suspended
        self._due |= ruling.retrain
        wanted = self._due & mask[:, retrain] & ~(suspend | resume | rollback | ruling.frozen)
        self._due &= ~wanted
        actions = np.where(wanted, retrain, KEEP)
        actions = np.where(rollback, back, actions)
        actions = np.where(resume, 1, actions)
        if self.interface.suspends:
            actions = np.where(suspend, self.interface.suspend, actions)
        return actions.astype(np.int64)
