"""The four-fifths rule."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from mlopsim.core.registry import register
from mlopsim.fairness.audit import Audit, Findings, lacking
from mlopsim.fairness.evidence import Evidence
from mlopsim.fairness.rate_audit import noted
from mlopsim.fairness.rates import LEAST, left_out


@register("audit", "four_fifths")
@dataclass(kw_only=True)
class FourFifths(Audit):
    """Ratio of the lowest acceptance rate of a group to the highest.

    The score is 1 less the ratio, an effect size: calibrated, it is the four-fifths rule with another limit.

    References
    ----------
    Equal Employment Opportunity Commission (1978), *Uniform guidelines on employee selection procedures*, 29
    CFR 1607.4 D.

    Examples
    --------
    >>> from mlopsim.fairness.made_up_evidence import sample
    >>> found = FourFifths().examine(sample(shift=1.0), np.random.default_rng(0))
    >>> found.statistic.round(3), found.score.round(3), found.rule
    (array([0.391, 0.435]), array([0.609, 0.565]), array([ True,  True]))
    """

    unit: ClassVar[str] = "ratio of acceptance rates"
    family: ClassVar[str] = "traditional"
    thumb: ClassVar[str] = "a ratio below .8"

    def examine(self, evidence: Evidence, rng: np.random.Generator) -> Findings:
        """Return the ratio of each window."""
        n, k = evidence.rows, evidence.count(evidence.decision)
        enough = n >= LEAST
        rate = np.where(enough, k / np.maximum(n, 1), np.nan)
        lowest = np.where(enough, rate, np.inf).min(axis=1)
        highest = np.where(enough, rate, -np.inf).max(axis=1)
        few = enough.sum(axis=1) < 2
        missing, reason = lacking(
            (few, f"fewer than {LEAST} rows in a group"),
            (~few & (lowest == highest) & ((lowest == 0.0) | (lowest == 1.0)), "every decision is the same"),
        )
        ratio = np.full(evidence.windows, np.nan)
        ratio[~missing] = lowest[~missing] / highest[~missing]
        return Findings(
            statistic=ratio,
            score=1.0 - ratio,
            # four fifths as a ratio of whole numbers is not less than four fifths
            rule=np.less(ratio, 0.8 - 1e-12),
            reason=noted(reason, left_out(n, evidence.groups)),
        )
