"""The battery of the simplest tests: inputs and scores by group."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from mlopsim.core.registry import register
from mlopsim.fairness.batteries import Battery

RIVALS = ("input_gap", "input_ks", "score_gap", "score_ks")


@register("audit", "rivals")
@dataclass(kw_only=True)
class Rivals(Battery):
    r"""Tests of inputs and of scores by group: no labels, no explanation.

    What tests of explanations are worth is what they find beyond these.

    A window's position is the largest of those of its audits, each on its own chart: :math:`\max_a s_a`,
    those without one left out.

    Notes
    -----
    Use it before ``explanations``: it needs neither labels nor a model.

    Examples
    --------
    >>> Rivals().asks_for, Rivals().reads
    (('group labels',), 'outputs, rows')
    """

    def members(self) -> list[Any]:
        """Return the names of the audits."""
        return list(RIVALS)
