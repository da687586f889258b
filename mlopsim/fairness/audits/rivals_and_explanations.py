"""The battery of the simplest tests and of explanations."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from mlopsim.core.registry import register
from mlopsim.fairness.audits.explanations import EXPLANATIONS
from mlopsim.fairness.audits.rivals import RIVALS
from mlopsim.fairness.batteries import Battery

RIVALS_AND_EXPLANATIONS = (*RIVALS, *EXPLANATIONS)


@register("audit", "rivals_and_explanations")
@dataclass(kw_only=True)
class RivalsAndExplanations(Battery):
    r"""Tests of inputs, of scores and of explanations: what explanations add to the simplest tests.

    A window's position is the largest of those of its audits, each on its own chart: :math:`\max_a s_a`,
    those without one left out.

    Notes
    -----
    Use it beside ``rivals``: what explanations add to it is the difference.

    Examples
    --------
    >>> len(RivalsAndExplanations().members())
    10
    """

    def members(self) -> list[Any]:
        """Return the names of the audits."""
        return list(RIVALS_AND_EXPLANATIONS)
