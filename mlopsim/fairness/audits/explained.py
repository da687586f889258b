"""The traditional battery with explanations."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from mlopsim.core.registry import register
from mlopsim.fairness.audits.explanations import EXPLANATIONS
from mlopsim.fairness.audits.traditional import TRADITIONAL
from mlopsim.fairness.batteries import Battery

EXPLAINED = (*TRADITIONAL, *EXPLANATIONS)


@register("audit", "explained")
@dataclass(kw_only=True)
class Explained(Battery):
    r"""Traditional release tests and all audits of explanations.

    A window's position is the largest of those of its audits, each on its own chart: :math:`\max_a s_a`,
    those without one left out.

    Notes
    -----
    Use it beside ``traditional``: what explanations add to it is the difference.

    Examples
    --------
    >>> len(Explained().members()), sorted(source.value for source in Explained().needs)
    (10, ['flip', 'known', 'lime', 'shap'])
    """

    def members(self) -> list[Any]:
        """Return the names of the audits."""
        return list(EXPLAINED)
