"""Accuracy against what was promised."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from mlopsim.core.registry import register
from mlopsim.fairness.audit import Findings, LabelAudit, lacking
from mlopsim.fairness.evidence import Evidence
from mlopsim.fairness.naming import Named
from mlopsim.fairness.rates import LEAST, fewer, surprise


@register("audit", "accuracy")
@dataclass(kw_only=True)
class Accuracy(LabelAudit):
    r"""How far accuracy is below what the model had on the rows that it was trained on.

    The score is ``-log10`` of the one-sided p-value of Fisher's exact test (not randomised). It is no exact
    test of a drop: accuracy on training rows is too good by what the model learnt by heart, which calibration
    makes up for (in the audit of one model, rows that were left out of training are compared with). Groups
    play no part.

    With r of n audited rows right and R of N training rows, the statistic is :math:`R / N - r / n`, and

    .. math:: p = \sum_{k \le r} \binom{n}{k} \binom{N}{R + r - k} \bigg/ \binom{n + N}{R + r}

    Parameters
    ----------
    labels : Labels, default observed
        Of the audited rows: ``observed`` or ``true``. Those of the training rows are observed.

    Notes
    -----
    Use it for a model that has become worse for everybody; not for one that treats a group worse.

    References
    ----------
    .. [1] E. Breck, S. Cai, E. Nielsen, M. Salib and D. Sculley, "The ML test score: a rubric for ML
       production readiness and technical debt reduction", IEEE Big Data, 2017, 1123-1132.
       doi:10.1109/BigData.2017.8258038 (quality is checked before a model serves).
    .. [2] R. A. Fisher, "The logic of inductive inference", Journal of the Royal Statistical Society 98,
       1935, 39-82. doi:10.2307/2342435

    Examples
    --------
    >>> from mlopsim.fairness.made_up_evidence import sample
    >>> found = Accuracy().examine(sample(shift=1.0), np.random.default_rng(0))
    >>> found.statistic.round(3), found.score.round(2), found.rule
    (array([0.049, 0.062]), array([2.28, 3.14]), array([ True,  True]))
    """

    unit: ClassVar[str] = "accuracy lost"
    family: ClassVar[str] = "traditional"
    by_group: ClassVar[bool] = False
    thumb: ClassVar[str] = "more than 2 points lower"

    def examine(self, evidence: Evidence, rng: np.random.Generator) -> Findings:
        """Return the accuracy lost in each window."""
        n = np.diff(evidence.bounds)
        right = evidence.count(evidence.decision == (self.label(evidence) == 1)).sum(axis=1)
        promised, rows = np.trace(evidence.trained, axis1=1, axis2=2), evidence.trained.sum(axis=(1, 2))
        missing, reason = lacking(
            (n < LEAST, f"fewer than {LEAST} rows"), (rows < LEAST, f"fewer than {LEAST} training rows")
        )
        lost, p = np.full((2, evidence.windows), np.nan)
        use = ~missing
        lost[use] = promised[use] / rows[use] - right[use] / n[use]
        p[use] = fewer(right[use], n[use], promised[use], rows[use])
        return Findings(
            statistic=lost,
            score=surprise(p),
            p=p,
            rule=np.greater(lost, 0.02 + 1e-12),
            reason=reason,
            named=Named(
                group=np.full(evidence.windows, -1),
                counts=np.stack([promised, rows, right, n], axis=1).astype(np.int64),
            ),
        )
