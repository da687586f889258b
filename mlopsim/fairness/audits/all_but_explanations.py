"""The battery of all tests that need no explanation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from mlopsim.core.registry import register
from mlopsim.fairness.audits.metrics import METRICS
from mlopsim.fairness.audits.rivals import RIVALS
from mlopsim.fairness.audits.traditional import TRADITIONAL
from mlopsim.fairness.batteries import Battery

ALL_BUT_EXPLANATIONS = (*TRADITIONAL, *METRICS, *RIVALS)


@register("audit", "all_but_explanations")
@dataclass(kw_only=True)
class AllButExplanations(Battery):
    r"""Traditional tests, fairness metrics, tests of inputs and of scores: all but explanations.

    A window's position is the largest of those of its audits, each on its own chart: :math:`\max_a s_a`,
    those without one left out.

    Notes
    -----
    Use it as the rival of ``all_audits``: what explanations add is the difference.

    Examples
    --------
    >>> len(AllButExplanations().members()), AllButExplanations().asks_for
    (13, ('labels', 'group labels'))
    """

    def members(self) -> list[Any]:
        """Return the names of the audits."""
        return list(ALL_BUT_EXPLANATIONS)
