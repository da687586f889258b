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
    r"""Gap between the positive predictive value of a group and that of all others.

    The score is ``-log10`` of the p-value of Fisher's exact test among the rows that are accepted,
    randomised: exactly uniform where two groups have equal values, see
    :func:`mlopsim.fairness.rates.compare`.

    The statistic is the gap of the group that is named: the one whose gap is least by chance, below 0 if it
    has less than all others.

    With :math:`n_g` accepted rows of group g, :math:`k_g` of them of class 1, and n and k of all groups
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
    Use it where an acceptance must mean the same in all groups; it waits for labels. With unequal base rates
    it and equalised odds cannot both hold but for a perfect model.

    References
    ----------
    .. [1] A. Chouldechova, "Fair prediction with disparate impact: a study of bias in recidivism prediction
       instruments", Big Data 5, 2017, 153-163. doi:10.1089/big.2016.0047
    .. [2] E. L. Lehmann and J. P. Romano, "Testing Statistical Hypotheses", 3rd edition, Springer, 2005,
       section 4.5 (the randomised test of two binomials).

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
