"""The battery of all tests."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from mlopsim.core.registry import register
from mlopsim.fairness.audits.all_but_explanations import ALL_BUT_EXPLANATIONS
from mlopsim.fairness.audits.explanations import EXPLANATIONS
from mlopsim.fairness.batteries import Battery

ALL_AUDITS = (*ALL_BUT_EXPLANATIONS, *EXPLANATIONS)


@register("audit", "all_audits")
@dataclass(kw_only=True)
class AllAudits(Battery):
    r"""All tests, those of explanations too.

    A window's position is the largest of those of its audits, each on its own chart: :math:`\max_a s_a`,
    those without one left out.

    Notes
    -----
    Use it to find whatever can be found; its limit is that of the largest of many charts, so that each audit
    alone is sooner at what it is made for.

    Examples
    --------
    >>> len(AllAudits().members())
    19
    """

    def members(self) -> list[Any]:
        """Return the names of the audits."""
        return list(ALL_AUDITS)
