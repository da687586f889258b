"""Precision of groups."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from mlopsim.core.registry import register
from mlopsim.fairness.audit import Findings, LabelAudit
from mlopsim.fairness.evidence import Evidence
from mlopsim.fairness.rate_audit import Rate, findings


@register("audit", "predictive_parity", version=2)
@dataclass(kw_only=True)
class PredictiveParity(LabelAudit):
    """Gap between the positive predictive value of a group and that of all others.

    The score is ``-log10`` of the p-value of Fisher's exact test among the rows that are accepted,
    randomised: exactly uniform where two groups have equal values, see
    :func:`mlopsim.fairness.rates.compare`.

    The statistic is the gap of the group that is named: the one whose gap is least by chance, below 0 if it
    has less than all others.

    Parameters
    ----------
    labels : Labels, default observed
        ``observed`` or ``true``.

    References
    ----------
    Chouldechova (2017), *Fair prediction with disparate impact*, Big Data 5, 153-163.

    Examples
    --------
    >>> from mlopsim.fairness.made_up_evidence import sample
    >>> found = PredictiveParity().examine(sample(shift=1.0), np.random.default_rng(0))
    >>> found.statistic.round(3), found.score.round(2)
    (array([-0.203, -0.113]), array([1.92, 1.41]))
    """

    unit: ClassVar[str] = "positive predictive value"
    family: ClassVar[str] = "fairness metric"
    exact: ClassVar[bool] = True

    def examine(self, evidence: Evidence, rng: np.random.Generator) -> Findings:
        """Return the gap of each window that is least by chance."""
        rate = Rate(
            hits=self.label(evidence) == 1,
            among=evidence.decision,
            rows="accepted rows",
            alike="every accepted row has the same label",
        )
        return findings(evidence, rate, rng.random(evidence.windows), ruled=False)
