"""LIME attributions of groups, their means."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from mlopsim.core.registry import register
from mlopsim.fairness.audit import Audit, Findings, Source
from mlopsim.fairness.evidence import Evidence
from mlopsim.fairness.explanation_gaps import Weighting, gap_findings, gap_interval
from mlopsim.stats.interval import Interval


@register("audit", "lime_gap", version=2)
@dataclass(kw_only=True)
class LimeGap(Audit):
    r"""Gap between the mean LIME attributions of a feature in a group and in all others.

    Of the rows that are explained; score, statistic and blame as of ``audit/shap_gap``. Raw gaps do not add
    up to anything.

    With the mean :math:`\bar v_g` of a group of n rows, :math:`\bar v_{-g}` of all others and the standard
    deviation S of all N rows, the score is

    .. math:: \max_{g, j} \frac{|\bar v_{gj} - \bar v_{-gj}|}{S_j} \sqrt{\frac{n (N - n)}{N}}

    over groups and features, v being LIME attributions.

    Parameters
    ----------
    weighting : Weighting, default own
        As of ``audit/shap_gap``.

    Notes
    -----
    Use it where only the model's answers are at hand; LIME draws, so its gaps vary more than those of Shapley
    values of closed form.

    References
    ----------
    .. [1] M. T. Ribeiro, S. Singh and C. Guestrin, "'Why should I trust you?': explaining the predictions of
       any classifier", KDD, 2016, 1135-1144. doi:10.1145/2939672.2939778
    .. [2] E. J. G. Pitman, "Significance tests which may be applied to samples from any populations",
       Supplement to the Journal of the Royal Statistical Society 4, 1937, 119-130. doi:10.2307/2984124

    Examples
    --------
    >>> from mlopsim.fairness.made_up_evidence import sample
    >>> found = LimeGap().examine(sample(shift=1.0), np.random.default_rng(0))
    >>> found.score.round(2), found.blame.round(2)
    (array([3.22, 3.15]), array([[3.22, 0.42, 0.94, 0.  ],
           [3.15, 0.34, 1.44, 0.  ]]))
    """

    unit: ClassVar[str] = "standard deviations of the score"
    family: ClassVar[str] = "explanation"
    reads: ClassVar[str] = "explanations"
    needs: ClassVar[frozenset[Source]] = frozenset({Source.LIME})

    weighting: Weighting = Weighting.OWN

    def examine(self, evidence: Evidence, rng: np.random.Generator) -> Findings:
        """Return the gap of each window that is the furthest out."""
        return gap_findings(evidence, evidence.explained("lime"), self.weighting)

    def interval(self, evidence: Evidence, found: Findings, level: float) -> Interval:
        """Return the gap of the first window with Welch's interval."""
        return gap_interval(evidence, evidence.explained("lime"), found, level)
