"""Labels of groups at equal scores."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from mlopsim.core.registry import register
from mlopsim.core.spec import check_range
from mlopsim.fairness.audit import Findings, LabelAudit, lacking
from mlopsim.fairness.evidence import Evidence
from mlopsim.fairness.naming import Named, entry, worst_place
from mlopsim.fairness.rate_audit import noted
from mlopsim.fairness.rates import LEAST, comparable, each_of, largest, left_out, others, surprise, two_sided


@register("audit", "calibration_gap", version=2)
@dataclass(kw_only=True)
class CalibrationGap(LabelAudit):
    r"""Gap between a group and all others in the share of class 1 among rows of about the same score.

    The rows of a window are cut into strata of equal size by their score, whatever its unit. Given how many
    rows of class 1 a stratum has, those of one group have a hypergeometric law if labels depend on the score
    only; their sum over the strata is tested by its exact law (the Cochran-Mantel-Haenszel test without its
    normal approximation), randomised: p is exactly uniform where labels do not depend on the group. The
    statistic is the Mantel-Haenszel difference of rates, the strata weighted by ``n_g n_rest / n``, of the
    group that is named: the one whose gap is least by chance.

    A feature that is measured too low for one group makes equal scores mean different things; another base
    rate that the features tell does not, but for what is left of it within a stratum: the narrower, the less.
    In a stratum of one group nothing is compared.

    With :math:`k_{gs}` rows of class 1 among the :math:`n_{gs}` of group g in stratum s (:math:`k_s` of
    :math:`n_s` altogether), the statistic of a group is

    .. math::

        \frac{1}{\sum_s w_s} \sum_s w_s
        \left(\frac{k_{gs}}{n_{gs}} - \frac{k_s - k_{gs}}{n_s - n_{gs}}\right),
        \qquad w_s = \frac{n_{gs} (n_s - n_{gs})}{n_s}

    and its test is of :math:`\sum_s k_{gs}` as a sum of independent hypergeometric numbers.

    Parameters
    ----------
    labels : Labels, default observed
        ``observed`` or ``true``.
    strata : int, default 20
        Number of strata; equal scores are in one.

    Notes
    -----
    Use it where scores, not only decisions, are used, and for features that are measured wrongly for a group.
    It waits for labels.

    References
    ----------
    .. [1] M. W. Birch, "The detection of partial association, I: the 2 x 2 case", Journal of the Royal
       Statistical Society B 26, 1964, 313-324 (the exact test).
    .. [2] N. Mantel and W. Haenszel, "Statistical aspects of the analysis of data from retrospective studies
       of disease", Journal of the National Cancer Institute 22, 1959, 719-748. doi:10.1093/jnci/22.4.719
    .. [3] S. Greenland and J. M. Robins, "Estimation of a common effect parameter from sparse follow-up
       data", Biometrics 41, 1985, 55-68. doi:10.2307/2530643 (the difference).
    .. [4] J. Kleinberg, S. Mullainathan and M. Raghavan, "Inherent trade-offs in the fair determination of
       risk scores", ITCS, 2017. arXiv:1609.05807

    Examples
    --------
    >>> from mlopsim.fairness.made_up_evidence import sample
    >>> found = CalibrationGap().examine(sample(shift=1.0), np.random.default_rng(0))
    >>> found.statistic.round(3), found.score.round(2)
    (array([-0.248, -0.258]), array([10.53, 12.41]))
    """

    unit: ClassVar[str] = "share of class 1 at equal score"
    family: ClassVar[str] = "fairness metric"
    reads: ClassVar[str] = "outputs"
    exact: ClassVar[bool] = True

    strata: int = 20

    def __post_init__(self) -> None:
        super().__post_init__()
        check_range("audit/calibration_gap.strata", self.strata, 1, 10**6)

    def examine(self, evidence: Evidence, rng: np.random.Generator) -> Findings:
        """Return the gap of each window that is least by chance."""
        from mlopsim.fairness.kernels.hypergeometric import summed_tails
        from mlopsim.fairness.kernels.segments import strata

        u = rng.random(evidence.windows)
        part = np.empty(len(evidence.window), dtype=np.int64)
        strata(evidence.score, evidence.bounds, self.strata, part)
        shape = evidence.windows, evidence.n_groups, self.strata
        place = evidence.place * self.strata + part
        size = int(np.prod(shape))
        n = np.bincount(place, minlength=size).reshape(shape)
        positive = place[self.label(evidence) == 1]
        k = np.bincount(positive, minlength=size).reshape(shape)
        rest, other = others(n), others(k)
        hits, total = np.broadcast_to(k.sum(axis=1, keepdims=True), shape), n + rest
        weight = n * rest / np.maximum(total, 1)
        # strata of one group, or of one label, say nothing
        says = (weight > 0.0) & (hits > 0) & (hits < total)
        known = comparable(evidence.rows)
        told = known & says.any(axis=2)
        few, silent = np.logical_not(known.any(axis=1)), np.logical_not(told.any(axis=1))
        missing, reason = lacking(
            (few, f"fewer than {LEAST} rows in a group"),
            (np.isnan(evidence.spread), "every score is the same"),
            (silent, "no stratum has rows of two groups and two labels"),
        )
        told &= ~missing[:, None]
        gaps, p = np.full((2, *known.shape), np.nan)
        if told.any():
            difference = k / np.maximum(n, 1) - other / np.maximum(rest, 1)
            gaps[told] = (weight * difference).sum(axis=2)[told] / weight.sum(axis=2)[told]
            below, at, above = np.empty((3, int(told.sum())))
            summed_tails(n[told], hits[told], total[told], k.sum(axis=2)[told], below, at, above)
            draws = np.broadcast_to(u[:, None], told.shape)
            p[told] = two_sided(below, at, above, draws[told])
        each = each_of(p)
        worst, place = -largest(-each), worst_place(surprise(each), gaps)
        return Findings(
            statistic=entry(gaps, place),
            score=surprise(worst),
            p=worst,
            gaps=gaps,
            reason=noted(reason, left_out(evidence.rows, evidence.groups)),
            named=Named(group=place),
        )
