"""Shapley values of groups, their laws."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from mlopsim.core.registry import register
from mlopsim.fairness.audit import Audit, Findings, Source, lacking
from mlopsim.fairness.evidence import Evidence
from mlopsim.fairness.explanation_gaps import explained_rows, unexplained
from mlopsim.fairness.group_values import Values, compare_laws, distance_interval
from mlopsim.fairness.rate_audit import noted
from mlopsim.fairness.rates import left_out, surprise
from mlopsim.stats.interval import Interval


@register("audit", "shap_ks", version=2)
@dataclass(kw_only=True)
class ShapKs(Audit):
    r"""Kolmogorov-Smirnov distance of the Shapley values of a feature in a group and in all others.

    The score is ``-log10`` of the p-value of ``scipy.stats.ks_2samp`` (exact up to 10,000 rows; too large
    where values repeat) times the number of features, and of groups if there are three or more (Bonferroni);
    the statistic is the largest distance of the group with this p-value. For a linear model the distance is
    that of the feature itself, whatever its weight, 0 excepted: a feature that the model hardly uses counts
    as much as one that decides. Features are blamed by their distances in that group.

    With the empirical distribution functions F of a group of n rows and G of all m others,
    :math:`D = \sup_x |F(x) - G(x)|`, and the score is :math:`-\log_{10} \min(1, H d \min p(D))`, the least
    over the d features, with H groups (1 for two).

    Notes
    -----
    Use it for differences in spread and shape of attributions. Of a linear model ``input_ks`` finds the same
    without a model.

    References
    ----------
    .. [1] S. M. Lundberg, "Explaining quantitative measures of fairness", Fair and Responsible AI Workshop at
       CHI, 2020.
    .. [2] N. V. Smirnov, "On the estimation of the discrepancy between empirical curves of distribution for
       two independent samples", Bulletin Mathématique de l'Université de Moscou 2, 1939.
    .. [3] J. L. Hodges, "The significance probability of the Smirnov two-sample test", Arkiv för Matematik 3,
       1958, 469-486. doi:10.1007/BF02589501

    Examples
    --------
    >>> from mlopsim.fairness.made_up_evidence import sample
    >>> found = ShapKs().examine(sample(shift=1.0), np.random.default_rng(0))
    >>> found.score.round(2), found.blame.round(2)
    (array([ 9.94, 11.58]), array([[0.35, 0.1 , 0.08, 0.  ],
           [0.38, 0.06, 0.07, 0.  ]]))
    """

    unit: ClassVar[str] = "distance of distribution functions"
    family: ClassVar[str] = "explanation"
    reads: ClassVar[str] = "explanations"
    needs: ClassVar[frozenset[Source]] = frozenset({Source.SHAP})

    def examine(self, evidence: Evidence, rng: np.random.Generator) -> Findings:
        """Return the largest distance of each window."""
        explained = evidence.explained("shap")
        n = explained_rows(evidence, explained)
        missing, reason = lacking(*unexplained(evidence, n))
        place = evidence.place[explained.rows]
        found = compare_laws(Values(values=explained.values, place=place, rows=n), missing)
        return Findings(
            statistic=found.worst,
            score=surprise(found.p),
            p=found.p,
            blame=found.blame,
            reason=noted(reason, left_out(n, evidence.groups, "explained rows")),
            named=found.named(evidence.features),
        )

    def interval(self, evidence: Evidence, found: Findings, level: float) -> Interval:
        """Return the distance of the first window with its interval."""
        explained = evidence.explained("shap")
        return distance_interval(explained.values, evidence.group[explained.rows], found, level)
