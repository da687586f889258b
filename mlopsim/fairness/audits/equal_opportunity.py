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
    r"""Gap between the true-positive rate of a group and that of all others.

    The score is ``-log10`` of the p-value of Fisher's exact test among the rows of class 1, randomised:
    exactly uniform where two groups have equal rates, see :func:`mlopsim.fairness.rates.compare`.

    The statistic is the gap of the group that is named: the one whose gap is least by chance, below 0 if it
    has less than all others.

    The customary rule asks for the spread: largest less smallest rate of a group, above .1 (with two groups
    it is the absolute gap).

    With :math:`n_g` rows of class 1 of group g, :math:`k_g` of them accepted, and n and k of all groups
    together, the gap is

    .. math:: \Delta_g = \frac{k_g}{n_g} - \frac{k - k_g}{n - n_g}

    and the score is :math:`-\log_{10} \min(1, H \min_g p_g)` with H groups (1 for two) and :math:`p_g` from
    :math:`K_g \sim \mathrm{Hypergeometric}(n, k, n_g)`.

    Parameters
    ----------
    labels : Labels, default observed
        ``observed`` or ``true``.

    Notes
    -----
    Use it where those who deserve acceptance must get it equally often; it waits for labels, and biased
    labels hide what it looks for.

    References
    ----------
    .. [1] M. Hardt, E. Price and N. Srebro, "Equality of opportunity in supervised learning", NeurIPS, 2016.
       arXiv:1610.02413
    .. [2] E. L. Lehmann and J. P. Romano, "Testing Statistical Hypotheses", 3rd edition, Springer, 2005,
       section 4.5 (the randomised test of two binomials).
    .. [3] R. K. E. Bellamy and others, "AI Fairness 360: an extensible toolkit for detecting and mitigating
       algorithmic bias", IBM Journal of Research and Development 63, 2019. arXiv:1810.01943 (the rule:
       gaps of two groups within .1 are fair; of more, as fairlearn's ``MetricFrame.difference``).

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
