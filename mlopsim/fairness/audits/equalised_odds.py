"""True- and false-positive rates of groups."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from mlopsim.core.registry import register
from mlopsim.fairness.audit import Findings, LabelAudit, lacking
from mlopsim.fairness.evidence import Evidence
from mlopsim.fairness.naming import Named, entry, worst_place
from mlopsim.fairness.rate_audit import THUMB, Rate, broken, noted
from mlopsim.fairness.rates import LEAST, comparable, compare, largest, left_out, surprise


@register("audit", "equalised_odds", version=3)
@dataclass(kw_only=True)
class EqualisedOdds(LabelAudit):
    r"""Gap between the true- or the false-positive rate of a group and that of all others.

    Both rates are compared by Fisher's exact test, randomised, see :func:`mlopsim.fairness.rates.compare`.
    They are rates of different rows, so that given the counts of labels, groups and decisions the two
    p-values are independent: :math:`1 - (1 - p)^2` of the lesser one is exactly uniform, too, where two
    groups have equal rates. The score is its ``-log10``; the statistic is the gap that has it, which need not
    be the larger one. A rate that is 0 or 1 in all groups has a gap of 0 and is not tested; the other one's
    p-value then stands alone. A group needs enough rows of both classes.

    The customary rule asks for the spread: largest less smallest rate of a group, above .1 (with two groups
    it is the absolute gap).

    With the p-values :math:`p_0` of the false- and :math:`p_1` of the true-positive rates, each as of
    ``audit/equal_opportunity`` among its own rows, the score is

    .. math:: -\log_{10} \left(1 - (1 - \min(p_0, p_1))^2\right)

    Parameters
    ----------
    labels : Labels, default observed
        ``observed`` or ``true``.

    Notes
    -----
    Use it where both kinds of errors matter; it waits for labels.

    References
    ----------
    .. [1] M. Hardt, E. Price and N. Srebro, "Equality of opportunity in supervised learning", NeurIPS, 2016.
       arXiv:1610.02413
    .. [2] Z. Šidák, "Rectangular confidence regions for the means of multivariate normal distributions",
       Journal of the American Statistical Association 62, 1967, 626-633.
       doi:10.1080/01621459.1967.10482935
    .. [3] E. L. Lehmann and J. P. Romano, "Testing Statistical Hypotheses", 3rd edition, Springer, 2005,
       section 4.5 (the randomised test of two binomials).
    .. [4] R. K. E. Bellamy and others, "AI Fairness 360: an extensible toolkit for detecting and mitigating
       algorithmic bias", IBM Journal of Research and Development 63, 2019. arXiv:1810.01943 (the rule:
       gaps of two groups within .1 are fair; of more, as fairlearn's ``MetricFrame.difference``).

    Examples
    --------
    >>> from mlopsim.fairness.made_up_evidence import sample
    >>> found = EqualisedOdds().examine(sample(shift=1.0), np.random.default_rng(0))
    >>> found.statistic.round(3), found.score.round(2), found.rule
    (array([-0.388, -0.393]), array([5.09, 6.09]), array([ True,  True]))
    """

    unit: ClassVar[str] = "true- or false-positive rate"
    family: ClassVar[str] = "fairness metric"
    exact: ClassVar[bool] = True
    thumb: ClassVar[str] = THUMB

    def examine(self, evidence: Evidence, rng: np.random.Generator) -> Findings:
        """Return the gap of each window that is least by chance."""
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
        counts = [evidence.count(rate.among) for rate in rates]
        few = [np.logical_not(comparable(n).any(axis=1)) for n in counts]
        # a group is compared in both rates, or in none
        known = comparable(np.minimum(*counts)) & comparable(counts[0]) & comparable(counts[1])
        first, second = (
            compare(evidence.count(rate.hits & rate.among), n, u[:, k], known)
            for k, (rate, n) in enumerate(zip(rates, counts, strict=True))
        )
        missing, reason = lacking(
            *(
                (where, f"fewer than {LEAST} {rate.rows} in a group")
                for rate, where in zip(rates, few, strict=True)
            ),
            (np.logical_not(known.any(axis=1)), f"no group has {LEAST} rows of both classes"),
            (first.alike & second.alike, "every decision about a class is the same"),
        )
        both = np.stack([first.p, second.p], axis=1)
        tested = (~np.isnan(both)).sum(axis=1)
        least = -largest(-both)
        # 1 - (1 - p)^tested, without losing small p
        p = np.where(missing, np.nan, -np.expm1(tested * np.log1p(-np.minimum(least, 1.0 - 2.0**-53))))
        each, gaps = (
            np.concatenate([getattr(first, n), getattr(second, n)], axis=1) for n in ("each", "gaps")
        )
        place = np.where(missing, -1, worst_place(surprise(each), gaps))
        groups = evidence.n_groups
        part = np.where(place < 0, -1, place // groups)
        spread = np.where(missing, np.nan, np.fmax(first.spread, second.spread))
        # of each group the gap of the rate that is named
        shown = np.where((part == 0)[:, None], first.gaps, second.gaps)
        return Findings(
            statistic=entry(gaps, place),
            score=surprise(p),
            p=p,
            rule=broken(spread),
            gaps=np.where(missing[:, None], np.nan, shown),
            reason=noted(reason, left_out(np.minimum(*counts), evidence.groups, "rows of a class")),
            named=Named(
                group=np.where(place < 0, -1, place % groups),
                part=part,
                parts=("false-positive rate", "true-positive rate"),
                counts=entry(np.concatenate([first.counts, second.counts], axis=1), place),
            ),
            asked=spread,
        )
