"""Shapley values of groups, their laws."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from mlopsim.core.registry import register
from mlopsim.fairness.audit import Audit, Findings, Source, lacking
from mlopsim.fairness.evidence import Evidence
from mlopsim.fairness.explanation_gaps import explained_rows, unexplained
from mlopsim.fairness.rate_audit import noted
from mlopsim.fairness.rates import comparable, largest, left_out, others, surprise, worst_of
from mlopsim.numerics import two_sample_pvalues as nulls


@register("audit", "shap_ks")
@dataclass(kw_only=True)
class ShapKs(Audit):
    """Largest Kolmogorov-Smirnov distance of the Shapley values of a feature in a group and in all others.

    The score is ``-log10`` of the p-value of ``scipy.stats.ks_2samp`` (exact up to 10,000 rows; too large
    where values repeat) times the number of features (Bonferroni). For a linear model the distance is that of
    the feature itself, whatever its weight, 0 excepted: a feature that the model hardly uses counts as much
    as one that decides. Features are blamed by their distances.

    References
    ----------
    Smirnov (1939), Bull. Math. Univ. Moscou 2; Hodges (1958), *The significance probability of the Smirnov
    two-sample test*, Arkiv foer Matematik 3, 469-486.

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
        from mlopsim.fairness.kernels.segments import distances

        found = evidence.explained("shap")
        n, d = explained_rows(evidence, found), len(evidence.features)
        rest = others(n)
        missing, reason = lacking(*unexplained(evidence, n))
        gaps = np.zeros((*n.shape, d), dtype=np.int64)
        columns = np.ascontiguousarray(found.values.T)
        bounds = np.searchsorted(found.rows, evidence.bounds)
        distances(columns, evidence.group[found.rows], bounds, n, gaps)
        tested = comparable(n) & ~missing[:, None]
        # of features with equal numbers of rows the largest distance has the smallest p-value
        top = gaps.max(axis=2, initial=0)
        p = np.full(n.shape, np.nan)
        sizes = zip(n[tested].tolist(), rest[tested].tolist(), top[tested].tolist(), strict=True)
        p[tested] = [min(d * nulls.ks(*size), 1.0) for size in sizes]
        size = np.where(tested, n * rest, 1)[:, :, None]
        distance = np.where(tested[:, :, None], gaps / size, np.nan)
        blame, worst = largest(np.swapaxes(distance, 1, 2)), worst_of(p)
        return Findings(
            statistic=largest(blame),
            score=surprise(worst),
            p=worst,
            blame=blame,
            reason=noted(reason, left_out(n, evidence.groups)),
        )
