"""Accuracy of slices."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from mlopsim.core.registry import register
from mlopsim.fairness.audit import Findings, LabelAudit, lacking
from mlopsim.fairness.evidence import Evidence
from mlopsim.fairness.rates import LEAST, fewer, largest, surprise
from mlopsim.fairness.slices import counted


@register("audit", "slice_accuracy")
@dataclass(kw_only=True)
class SliceAccuracy(LabelAudit):
    """How far accuracy in some slice is below that of all rows.

    Slices are each group and each quarter of each feature, cut at the quartiles of the window's own rows;
    equal values are in one quarter. The score is ``-log10`` of the smallest one-sided p-value of Fisher's
    exact test of a slice against all other rows, times the number of slices that could be tested
    (Bonferroni). A feature is blamed by the ``-log10`` of the smallest p-value of its own slices, times the
    same number. The statistic is the largest gap, which may be that of another slice.

    Any model is less often right near its threshold, so that some slices of a fair one are worse than others:
    the smallest p-value says how sure that is, not how unfair, and is no p-value of this audit. A limit comes
    from calibration; in the audit of one model groups are shuffled, so that only slices that are groups are
    tested.

    Parameters
    ----------
    labels : Labels, default observed
        ``observed`` or ``true``.

    References
    ----------
    Chung, Kraska, Polyzotis, Tae and Whang (2019), *Slice Finder: automated data slicing for model
    validation*, ICDE.

    Examples
    --------
    >>> from mlopsim.fairness.made_up_evidence import sample
    >>> found = SliceAccuracy().examine(sample(shift=3.0), np.random.default_rng(0))
    >>> found.statistic.round(3), found.score.round(2), found.rule
    (array([0.12 , 0.265]), array([3.96, 9.49]), array([ True,  True]))
    """

    unit: ClassVar[str] = "accuracy below all"
    family: ClassVar[str] = "traditional"
    reads: ClassVar[str] = "rows"
    thumb: ClassVar[str] = "a slice more than 10 points below all"

    def examine(self, evidence: Evidence, rng: np.random.Generator) -> Findings:
        """Return the largest gap of each window."""
        d, right = len(evidence.features), evidence.decision == (self.label(evidence) == 1)
        size, found = counted(evidence, right)
        n = np.diff(evidence.bounds)
        all_right = evidence.count(right).sum(axis=1)
        rest, other = n[:, None] - size, all_right[:, None] - found
        tested = (size >= LEAST) & (rest >= LEAST)
        missing, reason = lacking(
            (n < LEAST, f"fewer than {LEAST} rows"),
            (~tested.any(axis=1), f"no slice with {LEAST} rows and {LEAST} others"),
        )
        below, p = np.full((2, *size.shape), np.nan)
        if tested.any():
            share = np.broadcast_to((all_right / np.maximum(n, 1))[:, None], size.shape)
            below[tested] = share[tested] - found[tested] / size[tested]
            p[tested] = fewer(found[tested], size[tested], other[tested], rest[tested])
        p = np.minimum(p * tested.sum(axis=1)[:, None], 1.0)
        least, gap = -largest(-p), largest(below)
        blame = surprise(-largest(-p[:, : 4 * d].reshape(evidence.windows, d, 4)))
        return Findings(
            statistic=gap,
            score=surprise(least),
            # a feature without a slice is not to blame
            blame=np.where(missing[:, None], np.nan, np.nan_to_num(blame, nan=0.0)),
            rule=np.greater(gap, 0.1 + 1e-12),
            reason=reason,
        )
