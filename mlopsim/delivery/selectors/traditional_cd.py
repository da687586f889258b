"""What delivery pipelines do: a schedule, and a rollback if the release is worse."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from mlopsim.core.registry import register
from mlopsim.core.spec import check_range
from mlopsim.delivery.search_space import Choice, Range
from mlopsim.delivery.selector import View
from mlopsim.delivery.selectors.periodic import Periodic
from mlopsim.delivery.selectors.release_judge import ReleaseJudge


@register("selector", "traditional_cd")
@dataclass(kw_only=True)
class TraditionalCd(Periodic):
    r"""Retrain on a schedule; go back to the version before if the new one is worse by a threshold.

    The analysis step of delivery tools (Argo Rollouts, Flagger): a release is judged once, on its
    first ``judge`` labelled windows, against the last ``judge`` labelled windows of the version that
    it replaced. A version that was rolled back is not judged again.

    With the mean error rates :math:`e_{\mathrm{new}}` and :math:`e_{\mathrm{old}}` over ``judge`` windows, it
    rolls back if :math:`e_{\mathrm{new}} > e_{\mathrm{old}} + \mathrm{rise}`.

    Parameters
    ----------
    every, phase : int
        The schedule, as in ``periodic``.
    rise : float, default 0.05
        Roll back if the error rate is higher by more than this.
    judge : int, default 2
        Number of windows on which a release is judged.

    Notes
    -----
    Use it as what delivery tools do today; it judges a release once and never learns of a later fall.

    Examples
    --------
    >>> from mlopsim.checks.toy_deployment import play
    >>> play(TraditionalCd(every=3, judge=1), 9, latency=0, error=[0.1] * 4 + [0.4] * 5)
    'kkkR1kRkk'
    """

    every: int = 20
    rise: float = 0.05
    judge: int = 2

    space: ClassVar[dict[str, Choice]] = {
        "every": Range(1, 60, log=True, integer=True),
        "phase": Range(0, 20, integer=True),
        "rise": Range(0.005, 0.3, log=True),
        "judge": Range(1, 8, integer=True),
    }
    uses_errors: ClassVar[bool] = True
    reads: ClassVar[str] = "errors"

    def __post_init__(self) -> None:
        super().__post_init__()
        check_range("selector/traditional_cd.rise", self.rise, 0.0, 1.0)
        check_range("selector/traditional_cd.judge", self.judge, 1, 10_000)

    def start(self, seeds: Sequence[np.random.SeedSequence]) -> None:
        """Start without a release to judge."""
        super().start(seeds)
        self._judge = ReleaseJudge(self.n)

    def decide(self, view: View) -> np.ndarray:
        """Judge the release, else follow the schedule."""
        rollback, back = self._judge.judge(self, view, self.rise, self.judge)
        actions = super().decide(view)
        # a retrain that gives way to a rollback stays due
        self._due |= rollback & (actions == self.interface.retrain)
        return np.where(rollback, back, actions)
