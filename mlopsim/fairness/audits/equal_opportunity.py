"""True-positive rates of groups."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from mlopsim.core.registry import register
from mlopsim.fairness.audit import Findings, LabelAudit
from mlopsim.fairness.evidence import Evidence
from mlopsim.fairness.rate_audit import THUMB, Rate, findings


@register("audit", "equal_opportunity", version=3)
@dataclass(kw_only=True)
class EqualOpportunity(LabelAudit):
    """Gap between the true-positive rate of a group and that of all others.

    The score is ``-log10`` of the p-value of Fisher's exact test among the rows of class 1, randomised:
    exactly uniform where two groups have equal rates, see :func:`mlopsim.fairness.rates.compare`.

    The statistic is the gap of the group that is named: the one whose gap is least by chance, below 0 if it
    has less than all others.

    The customary rule asks for the spread: largest less smallest rate of a group, above .1 (with two groups
    it is the absolute gap).

    Parameters
    ----------
    labels : Labels, default observed
        ``observed`` or ``true``.

    References
    ----------
    Hardt, Price and Srebro (2016), *Equality of opportunity in supervised learning*, NIPS. The rule: Bellamy
    et al. (2019), *AI Fairness 360*, IBM J. Res. Dev. 63, whose tool takes gaps
    of two groups within .1 as fair; of more, as fairlearn's ``MetricFrame.difference``.

    Examples
    --------
    >>> from mlopsim.fairness.made_up_evidence import sample
    >>> found = EqualOpportunity().examine(sample(shift=1.0), np.random.default_rng(0))
    >>> found.statistic.round(3), found.score.round(2), found.rule
    (array([-0.388, -0.393]), array([5.15, 6.07]), array([ True,  True]))
    """

    unit: ClassVar[str] = "true-positive rate"
    family: ClassVar[str] = "fairness metric"
    exact: ClassVar[bool] = True
    thumb: ClassVar[str] = THUMB

    def examine(self, evidence: Evidence, rng: np.random.Generator) -> Findings:
        """Return the gap of each window that is least by chance."""
        rate = Rate(
            hits=evidence.decision,
            among=self.label(evidence) == 1,
            rows="rows of class 1",
            alike="every decision about class 1 is the same",
        )
        return findings(evidence, rate, rng.random(evidence.windows), ruled=True)
