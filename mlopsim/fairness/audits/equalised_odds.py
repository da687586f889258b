"""True- and false-positive rates of groups."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from mlopsim.core.registry import register
from mlopsim.fairness.audit import Findings, LabelAudit, lacking
from mlopsim.fairness.evidence import Evidence
from mlopsim.fairness.rate_audit import THUMB, Rate, broken, noted
from mlopsim.fairness.rates import largest, left_out, surprise


@register("audit", "equalised_odds", version=2)
@dataclass(kw_only=True)
class EqualisedOdds(LabelAudit):
    """The larger of the gaps of true-positive and of false-positive rates, of a group and all others.

    Both rates are compared by Fisher's exact test, randomised, see :func:`mlopsim.fairness.rates.compare`.
    They are rates of different rows, so that given the counts of labels, groups and decisions the two
    p-values are independent: ``1 - (1 - p)^2`` of the lesser one is exactly uniform, too, where two groups
    have equal rates. The score is its ``-log10``. A rate that is 0 or 1 in all groups has a gap of 0 and is
    not tested; the other one's p-value then stands alone.

    The customary rule asks another gap: largest less smallest rate of a group, above .1 (with two groups both
    gaps are the same).

    Parameters
    ----------
    labels : Labels, default observed
        ``observed`` or ``true``.

    References
    ----------
    Hardt, Price and Srebro (2016), *Equality of opportunity in supervised learning*, NIPS; Sidak (1967), JASA
    62, 626-633. The rule: Bellamy et al. (2019), *AI Fairness 360*, IBM J. Res. Dev. 63.

    Examples
    --------
    >>> from mlopsim.fairness.made_up_evidence import sample
    >>> found = EqualisedOdds().examine(sample(shift=1.0), np.random.default_rng(0))
    >>> found.statistic.round(3), found.score.round(2), found.rule
    (array([0.388, 0.393]), array([5.09, 6.09]), array([ True,  True]))
    """

    unit: ClassVar[str] = "true- or false-positive rate"
    family: ClassVar[str] = "fairness metric"
    exact: ClassVar[bool] = True
    thumb: ClassVar[str] = THUMB

    def examine(self, evidence: Evidence, rng: np.random.Generator) -> Findings:
        """Return the larger gap of each window."""
        label, u = self.label(evidence), rng.random((evidence.windows, 2))
        rates = [
            Rate(
                hits=evidence.decision,
                among=label == value,
                rows=f"rows of class {value}",
                alike=f"every decision about class {value} is the same",
            )
            for value in (0, 1)
        ]
        (first, n), (second, m) = (rate.compared(evidence, u[:, k]) for k, rate in enumerate(rates))
        missing, reason = lacking(
            *(rate.causes(found)[0] for rate, found in zip(rates, (first, second), strict=True)),
            (first.alike & second.alike, "every decision about a class is the same"),
        )
        both = np.stack([first.p, second.p], axis=1)
        tested = (~np.isnan(both)).sum(axis=1)
        least = -largest(-both)
        # 1 - (1 - p)^tested, without losing small p
        p = np.where(missing, np.nan, -np.expm1(tested * np.log1p(-np.minimum(least, 1.0 - 2.0**-53))))
        statistic = np.where(missing, np.nan, np.maximum(first.worst, second.worst))
        larger = (np.abs(first.gaps) >= np.abs(second.gaps)) | np.isnan(second.gaps)
        return Findings(
            statistic=statistic,
            score=surprise(p),
            p=p,
            rule=broken(np.where(missing, np.nan, np.fmax(first.spread, second.spread))),
            gaps=np.where(missing[:, None], np.nan, np.where(larger, first.gaps, second.gaps)),
            reason=noted(reason, left_out(np.minimum(n, m), evidence.groups)),
        )
