"""LIME attributions of groups, their means."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from mlopsim.core.registry import register
from mlopsim.fairness.audit import Audit, Findings, Source
from mlopsim.fairness.evidence import Evidence
from mlopsim.fairness.explanation_gaps import gap_findings


@register("audit", "lime_gap")
@dataclass(kw_only=True)
class LimeGap(Audit):
    """Largest gap between the mean LIME attributions of a feature in a group and in all others.

    Of the rows that are explained, in units of the standard deviation of the score over all rows of the
    window: an effect size, as that of ``audit/shap_gap``. Gaps do not add up to anything. They are what
    features are blamed by.

    References
    ----------
    Ribeiro, Singh and Guestrin (2016), *"Why should I trust you?"*, KDD.

    Examples
    --------
    >>> from mlopsim.fairness.made_up_evidence import sample
    >>> found = LimeGap().examine(sample(shift=1.0), np.random.default_rng(0))
    >>> found.score.round(2), found.blame.round(2)
    (array([0.71, 0.91]), array([[0.74, 0.06, 0.08, 0.  ],
           [0.98, 0.05, 0.12, 0.  ]]))
    """

    unit: ClassVar[str] = "standard deviations of the score"
    family: ClassVar[str] = "explanation"
    reads: ClassVar[str] = "explanations"
    needs: ClassVar[frozenset[Source]] = frozenset({Source.LIME})

    def examine(self, evidence: Evidence, rng: np.random.Generator) -> Findings:
        """Return the largest gap of each window."""
        return gap_findings(evidence, evidence.explained("lime"))
