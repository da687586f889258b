"""The battery of fairness metrics."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from mlopsim.core.registry import register
from mlopsim.fairness.batteries import Battery

METRICS = (
    "demographic_parity",
    "equal_opportunity",
    "equalised_odds",
    "predictive_parity",
    "calibration_gap",
)


@register("audit", "metrics")
@dataclass(kw_only=True)
class Metrics(Battery):
    r"""Fairness metrics only: gaps of acceptance, error rates, precision and calibration.

    A window's position is the largest of those of its audits, each on its own chart: :math:`\max_a s_a`,
    those without one left out.

    Notes
    -----
    Use it where labels come and decisions are what counts.

    Examples
    --------
    >>> len(Metrics().members()), sorted(source.value for source in Metrics().needs)
    (5, [])
    """

    def members(self) -> list[Any]:
        """Return the names of the audits."""
        return list(METRICS)
