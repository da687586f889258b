"""Acceptance of groups."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from mlopsim.core.registry import register
from mlopsim.fairness.audit import Audit, Findings
from mlopsim.fairness.evidence import Evidence
from mlopsim.fairness.rate_audit import THUMB, Rate, findings


@register("audit", "demographic_parity", version=3)
@dataclass(kw_only=True)
class DemographicParity(Audit):
    """Gap between the acceptance rate of a group and that of all others.

    The score is ``-log10`` of the p-value of Fisher's exact test, randomised: exactly uniform where two
    groups are accepted equally often, see :func:`mlopsim.fairness.rates.compare`.

    The statistic is the gap of the group that is named: the one whose gap is least by chance, below 0 if it
    has less than all others.

    The customary rule asks for the spread: largest less smallest rate of a group, above .1 (with two groups
    it is the absolute gap).

    References
    ----------
    Dwork, Hardt, Pitassi, Reingold and Zemel (2012), *Fairness through awareness*, ITCS. The rule: Bellamy et
    al. (2019), *AI Fairness 360*, IBM J. Res. Dev. 63, whose tool takes gaps
    of two groups within .1 as fair; of more, as fairlearn's ``MetricFrame.difference``.

    Examples
    --------
    >>> from mlopsim.fairness.made_up_evidence import sample
    >>> found = DemographicParity().examine(sample(shift=1.0), np.random.default_rng(0))
    >>> found.statistic.round(3), found.score.round(2), found.rule
    (array([-0.195, -0.175]), array([5.55, 4.73]), array([ True,  True]))
    """

    unit: ClassVar[str] = "acceptance rate"
    family: ClassVar[str] = "fairness metric"
    exact: ClassVar[bool] = True
    thumb: ClassVar[str] = THUMB

    def examine(self, evidence: Evidence, rng: np.random.Generator) -> Findings:
        """Return the gap of each window that is least by chance."""
        rate = Rate(
            hits=evidence.decision,
            among=np.ones(len(evidence.window), dtype=np.bool_),
            rows="rows",
            alike="every decision is the same",
        )
        return findings(evidence, rate, rng.random(evidence.windows), ruled=True)
