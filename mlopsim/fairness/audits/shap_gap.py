"""Shapley values of groups, their means."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from mlopsim.core.registry import register
from mlopsim.fairness.audit import Audit, Findings, Source
from mlopsim.fairness.evidence import Evidence
from mlopsim.fairness.explanation_gaps import Weighting, gap_findings, gap_interval
from mlopsim.stats.interval import Interval


@register("audit", "shap_gap", version=2)
@dataclass(kw_only=True)
class ShapGap(Audit):
    r"""Gap between the mean Shapley values of a feature in a group and in all others.

    The score is the largest absolute gap in standard errors under shuffled groups, over groups and features
    (:func:`mlopsim.fairness.group_values.compare_means`): a group of a few rows is as rarely far out as a
    large one. The statistic is the same gap in standard deviations of the score over the rows of the window,
    an effect size: how far the feature moves the scores of the group apart from those of all others, compared
    with how far people are apart. Look at both: a gap in standard errors does not depend on the weight of a
    feature of a linear model, 0 excepted. It is that of the feature itself (``audit/input_gap``), so that any
    feature that differs between groups is found, however little the model uses it.

    Raw gaps of all features add up to the gap of the mean scores. Features are blamed by their gaps in
    standard errors, in the group that is named.

    With the mean :math:`\bar v_g` of a group of n rows, :math:`\bar v_{-g}` of all others and the standard
    deviation S of all N rows, the score is

    .. math:: \max_{g, j} \frac{|\bar v_{gj} - \bar v_{-gj}|}{S_j} \sqrt{\frac{n (N - n)}{N}}

    over groups and features, v being Shapley values.

    Parameters
    ----------
    weighting : Weighting, default own
        ``score``: gaps are compared in standard errors of the score instead of the feature's own, so that a
        feature counts as much as it moves scores.

    Notes
    -----
    Use it where a model is retrained and may have learnt the group, or where gaps cancel in the score. Of a
    frozen linear model ``input_gap`` finds the same without a model.

    References
    ----------
    .. [1] S. M. Lundberg, "Explaining quantitative measures of fairness", Fair and Responsible AI Workshop at
       CHI, 2020.
    .. [2] E. J. G. Pitman, "Significance tests which may be applied to samples from any populations",
       Supplement to the Journal of the Royal Statistical Society 4, 1937, 119-130. doi:10.2307/2984124

    Examples
    --------
    >>> from mlopsim.fairness.made_up_evidence import sample
    >>> found = ShapGap().examine(sample(shift=1.0), np.random.default_rng(0))
    >>> found.score.round(2), found.blame.round(2)
    (array([7.5 , 7.96]), array([[7.5 , 1.97, 0.4 , 0.  ],
           [7.96, 0.02, 0.98, 0.  ]]))
    """

    unit: ClassVar[str] = "standard deviations of the score"
    family: ClassVar[str] = "explanation"
    reads: ClassVar[str] = "explanations"
    needs: ClassVar[frozenset[Source]] = frozenset({Source.SHAP})

    weighting: Weighting = Weighting.OWN

    def examine(self, evidence: Evidence, rng: np.random.Generator) -> Findings:
        """Return the gap of each window that is the furthest out."""
        return gap_findings(evidence, evidence.explained("shap"), self.weighting)

    def interval(self, evidence: Evidence, found: Findings, level: float) -> Interval:
        """Return the gap of the first window with Welch's interval."""
        return gap_interval(evidence, evidence.explained("shap"), found, level)
