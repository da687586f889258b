"""The battery of explanations alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from mlopsim.core.registry import register
from mlopsim.fairness.batteries import Battery

EXPLANATIONS = ("shap_gap", "shap_ks", "lime_gap", "influence", "flip", "explanation_shift")


@register("audit", "explanations")
@dataclass(kw_only=True)
class Explanations(Battery):
    r"""All audits of explanations, and nothing else.

    A window's position is the largest of those of its audits, each on its own chart: :math:`\max_a s_a`,
    those without one left out.

    Notes
    -----
    Use it to see what explanations find alone.

    Examples
    --------
    >>> len(Explanations().members()), Explanations().asks_for
    (6, ('group labels', 'model'))
    """

    def members(self) -> list[Any]:
        """Return the names of the audits."""
        return list(EXPLANATIONS)
