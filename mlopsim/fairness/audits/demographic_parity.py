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
    r"""Gap between the acceptance rate of a group and that of all others.

    The score is ``-log10`` of the p-value of Fisher's exact test, randomised: exactly uniform where two
    groups are accepted equally often, see :func:`mlopsim.fairness.rates.compare`.

    The statistic is the gap of the group that is named: the one whose gap is least by chance, below 0 if it
    has less than all others.

    The customary rule asks for the spread: largest less smallest rate of a group, above .1 (with two groups
    it is the absolute gap).

    With :math:`n_g` rows of group g, :math:`k_g` of them accepted, and n and k of all groups together, the
    gap is

    .. math:: \Delta_g = \frac{k_g}{n_g} - \frac{k - k_g}{n - n_g}

    and the score is :math:`-\log_{10} \min(1, H \min_g p_g)` with H groups (1 for two) and :math:`p_g` from
    :math:`K_g \sim \mathrm{Hypergeometric}(n, k, n_g)`.

    Notes
    -----
    Use it where equal acceptance is asked for; it needs no labels. Not where base rates differ and may
    differ: a fair model then fails it.

    References
    ----------
    .. [1] C. Dwork, M. Hardt, T. Pitassi, O. Reingold and R. Zemel, "Fairness through awareness", ITCS, 2012,
       214-226. doi:10.1145/2090236.2090255
    .. [2] E. L. Lehmann and J. P. Romano, "Testing Statistical Hypotheses", 3rd edition, Springer, 2005,
       section 4.5 (the randomised test of two binomials).
    .. [3] R. K. E. Bellamy and others, "AI Fairness 360: an extensible toolkit for detecting and mitigating
       algorithmic bias", IBM Journal of Research and Development 63, 2019. arXiv:1810.01943 (the rule:
       gaps of two groups within .1 are fair; of more, as fairlearn's ``MetricFrame.difference``).

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
