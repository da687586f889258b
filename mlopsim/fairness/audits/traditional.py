"""The traditional battery."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from mlopsim.core.registry import register
from mlopsim.fairness.batteries import Battery

TRADITIONAL = ("accuracy", "f1", "slice_accuracy", "four_fifths")


@register("audit", "traditional")
@dataclass(kw_only=True)
class Traditional(Battery):
    r"""Release tests without explanations: accuracy, F1, accuracy of slices, the four-fifths rule.

    A window's position is the largest of those of its audits, each on its own chart: :math:`\max_a s_a`,
    those without one left out.

    Notes
    -----
    Use it as what release tests do today.

    Examples
    --------
    >>> len(Traditional().members()), sorted(source.value for source in Traditional().needs)
    (4, [])
    """

    def members(self) -> list[Any]:
        """Return the names of the audits."""
        return list(TRADITIONAL)
