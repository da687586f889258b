"""Scores of groups, their laws."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from mlopsim.core.registry import register
from mlopsim.fairness.audit import Audit, Findings, lacking
from mlopsim.fairness.evidence import Evidence
from mlopsim.fairness.group_values import Values, compare_laws, distance_interval
from mlopsim.fairness.rate_audit import noted
from mlopsim.fairness.rates import LEAST, comparable, left_out, surprise
from mlopsim.stats.interval import Interval


@register("audit", "score_ks")
@dataclass(kw_only=True)
class ScoreKs(Audit):
    r"""Kolmogorov-Smirnov distance of the scores of a group and of all others: no labels, no explanation.

    The score of the audit is ``-log10`` of the p-value of ``scipy.stats.ks_2samp`` (exact up to 10,000 rows;
    too large where values repeat) times, with three groups or more, the number of groups (Bonferroni).

    With the empirical distribution functions F of a group of n rows and G of all m others,
    :math:`D = \sup_x |F(x) - G(x)|`, and the score is :math:`-\log_{10} \min(1, H \min p(D))` with H groups
    (1 for two).

    Notes
    -----
    Use it where scores, not only decisions, are used; it needs no labels.

    References
    ----------
    .. [1] N. V. Smirnov, "On the estimation of the discrepancy between empirical curves of distribution for
       two independent samples", Bulletin Mathématique de l'Université de Moscou 2, 1939.
    .. [2] J. L. Hodges, "The significance probability of the Smirnov two-sample test", Arkiv för Matematik 3,
       1958, 469-486. doi:10.1007/BF02589501

    Examples
    --------
    >>> from mlopsim.fairness.made_up_evidence import sample
    >>> found = ScoreKs().examine(sample(shift=1.0), np.random.default_rng(0))
    >>> found.statistic.round(2), found.score.round(2)
    (array([0.38, 0.3 ]), array([12.18,  7.35]))
    """

    unit: ClassVar[str] = "distance of distribution functions"
    family: ClassVar[str] = "scores"
    reads: ClassVar[str] = "outputs"

    def examine(self, evidence: Evidence, rng: np.random.Generator) -> Findings:
        """Return the largest distance of each window."""
        n = evidence.rows
        missing, reason = lacking(
            (np.logical_not(comparable(n).any(axis=1)), f"fewer than {LEAST} rows in a group"),
            (np.isnan(evidence.spread), "every score is the same"),
        )
        found = compare_laws(Values(values=evidence.score[:, None], place=evidence.place, rows=n), missing)
        return Findings(
            statistic=found.worst,
            score=surprise(found.p),
            p=found.p,
            reason=noted(reason, left_out(n, evidence.groups)),
            named=found.named(),
        )

    def interval(self, evidence: Evidence, found: Findings, level: float) -> Interval:
        """Return the distance of the first window with its interval."""
        return distance_interval(evidence.score[:, None], evidence.group, found, level)
