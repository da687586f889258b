"""Decisions that change with the group."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from mlopsim.core.registry import register
from mlopsim.fairness.audit import Audit, Findings, Source, lacking
from mlopsim.fairness.evidence import Evidence
from mlopsim.fairness.naming import Named
from mlopsim.fairness.rate_audit import noted
from mlopsim.fairness.rates import LEAST, left_out
from mlopsim.stats.interval import Interval
from mlopsim.stats.proportions import wilson


@register("audit", "flip", version=2)
@dataclass(kw_only=True)
class Flip(Audit):
    r"""Share of decisions that change if rows are moved to another group.

    Of what the model sees only the column that tells the group best is changed, by what ``Evidence.flip``
    says; so several columns that give the group away together are not found. The score is the share: an
    effect size. Of all groups together: none is named. Groups with too few rows are left out: their rows are
    neither moved nor counted, and nobody is moved there.

    With the decision :math:`d(x)` and rows :math:`x'` whose telling column is that of another group, the
    score is

    .. math:: \frac{1}{n} \sum_i 1[d(x_i') \ne d(x_i)]

    Notes
    -----
    Use it for a model that reads the group itself. It is 0 for a model that never sees it, however unfair its
    inputs are.

    References
    ----------
    .. [1] E. Black, S. Yeom and M. Fredrikson, "FlipTest: fairness testing via optimal transport", FAT*,
       2020, 111-121. arXiv:1906.09218
    .. [2] M. J. Kusner, J. R. Loftus, C. Russell and R. Silva, "Counterfactual fairness", NeurIPS, 2017.
       arXiv:1703.06856

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
        n = evidence.rows
        # rows of a small group are not moved, nor is anybody moved there
        kept = n >= LEAST
        missing, reason = lacking(
            (kept.sum(axis=1) < 2, f"fewer than {LEAST} rows in a group"),
            (np.isnan(evidence.spread), "every score is the same"),
        )
        changed = (evidence.count(decision != evidence.decision) * kept).sum(axis=1)
        rows = (n * kept).sum(axis=1)
        share = np.where(missing, np.nan, changed / np.maximum(rows, 1))
        counts = np.stack([changed, rows, np.zeros_like(rows), np.zeros_like(rows)], axis=1)
        return Findings(
            statistic=share,
            score=share.copy(),
            reason=noted(reason, left_out(n, evidence.groups)),
            named=Named(group=np.full(evidence.windows, -1), counts=counts),
        )

    def interval(self, evidence: Evidence, found: Findings, level: float) -> Interval:
        """Return the share of the first window with Wilson's interval."""
        if np.isnan(found.statistic[0]):
            return super().interval(evidence, found, level)
        assert found.named is not None and found.named.counts is not None
        changed, rows, _, _ = found.named.counts[0].tolist()
        return wilson(changed, rows, level)
