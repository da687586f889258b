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
    """Gap between the mean LIME attributions of a feature in a group and in all others.

    Of the rows that are explained; score, statistic and blame as of ``audit/shap_gap``. Raw gaps do not add
    up to anything.

    Parameters
    ----------
    weighting : Weighting, default own
        As of ``audit/shap_gap``.

    References
    ----------
    Ribeiro, Singh and Guestrin (2016), *"Why should I trust you?"*, KDD.

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
