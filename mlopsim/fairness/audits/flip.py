"""Decisions that change with the group."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from mlopsim.core.registry import register
from mlopsim.fairness.audit import Audit, Findings, Source, lacking
from mlopsim.fairness.evidence import Evidence
from mlopsim.fairness.rates import LEAST


@register("audit", "flip")
@dataclass(kw_only=True)
class Flip(Audit):
    """Share of decisions that change if rows are moved to another group.

    Of what the model sees only the column that tells the group best is changed, by what ``Evidence.flip``
    says; so several columns that give the group away together are not found. The score is the share: an
    effect size.

    References
    ----------
    Black, Yeom and Fredrikson (2020), *FlipTest: fairness testing via optimal transport*, FAT*; Kusner,
    Loftus, Russell and Silva (2017), *Counterfactual fairness*, NIPS.

    Examples
    --------
    >>> from mlopsim.fairness.made_up_evidence import sample
    >>> Flip().examine(sample(shift=1.0), np.random.default_rng(0)).score.round(3)
    array([0.168, 0.188])
    """

    unit: ClassVar[str] = "share of decisions"
    family: ClassVar[str] = "explanation"
    needs: ClassVar[frozenset[Source]] = frozenset({Source.FLIP})

    def examine(self, evidence: Evidence, rng: np.random.Generator) -> Findings:
        """Return the share of each window."""
        decision, _ = evidence.flipped()
        n = np.diff(evidence.bounds)
        few = np.logical_or((evidence.rows < LEAST).any(axis=1), evidence.n_groups < 2)
        missing, reason = lacking(
            (few, f"fewer than {LEAST} rows in a group"),
            (np.isnan(evidence.spread), "every score is the same"),
        )
        changed = evidence.count(decision != evidence.decision).sum(axis=1)
        share = np.where(missing, np.nan, changed / np.maximum(n, 1))
        return Findings(statistic=share, score=share.copy(), reason=reason)
