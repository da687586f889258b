"""Shapley values of groups, their means."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from mlopsim.core.registry import register
from mlopsim.fairness.audit import Audit, Findings, Source
from mlopsim.fairness.evidence import Evidence
from mlopsim.fairness.explanation_gaps import gap_findings


@register("audit", "shap_gap")
@dataclass(kw_only=True)
class ShapGap(Audit):
    """Largest gap between the mean Shapley values of a feature in a group and in all others.

    In units of the standard deviation of the score over the rows of the window: how far the feature moves the
    scores of the groups apart, compared with how far people are apart. This is an effect size and not a
    z value on purpose: a z value does not depend on the weight of a feature of a linear model, so that any
    feature that differs between groups would be significant, however little the model uses it.

    The gaps of all features add up to the gap of the mean scores. They are what features are blamed by.

    References
    ----------
    Lundberg (2020), *Explaining quantitative measures of fairness*, Fair & Responsible AI Workshop, CHI.

    Examples
    --------
    >>> from mlopsim.fairness.made_up_evidence import sample
    >>> found = ShapGap().examine(sample(shift=1.0), np.random.default_rng(0))
    >>> found.score.round(2), found.blame.round(2)
    (array([0.61, 0.67]), array([[0.64, 0.1 , 0.01, 0.  ],
           [0.72, 0.  , 0.03, 0.  ]]))
    """

    unit: ClassVar[str] = "standard deviations of the score"
    family: ClassVar[str] = "explanation"
    reads: ClassVar[str] = "explanations"
    needs: ClassVar[frozenset[Source]] = frozenset({Source.SHAP})

    def examine(self, evidence: Evidence, rng: np.random.Generator) -> Findings:
        """Return the largest gap of each window."""
        return gap_findings(evidence, evidence.explained("shap"))
