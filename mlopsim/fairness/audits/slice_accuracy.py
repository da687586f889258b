"""Accuracy of slices."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from mlopsim.core.registry import register
from mlopsim.fairness.audit import Findings, LabelAudit, lacking
from mlopsim.fairness.evidence import Evidence
from mlopsim.fairness.naming import Named, entry, worst_place
from mlopsim.fairness.rate_audit import noted
from mlopsim.fairness.rates import LEAST, fewer, largest, left_out, surprise
from mlopsim.fairness.slices import counted


@register("audit", "slice_accuracy", version=2)
@dataclass(kw_only=True)
class SliceAccuracy(LabelAudit):
    r"""How far accuracy in some slice is below that of all other rows.

    Slices are each group and each quarter of each feature, cut at the quartiles of the window's own rows;
    equal values are in one quarter. The score is ``-log10`` of the smallest one-sided p-value of Fisher's
    exact test of a slice against all other rows, times the number of slices that could be tested
    (Bonferroni). The statistic is the gap of this slice: its accuracy less that of all other rows, below 0.
    If the slice is one of a feature, features are blamed by the ``-log10`` of the smallest p-value of their
    own slices, times the same number; a group blames none. The customary rule asks how far the least accurate
    slice is below all rows.

    Any model is less often right near its threshold, so that some slices of a fair one are worse than others:
    the smallest p-value says how sure that is, not how unfair, and is no p-value of this audit. A limit comes
    from calibration; in the audit of one model groups are shuffled, so that only slices that are groups are
    tested.

    With :math:`r_s` of the :math:`n_s` rows of slice s right, r of n of all rows, and S slices that could be
    tested, the score is

    .. math::

        -\log_{10} \min\left(1, S \min_s p_s\right), \qquad
        p_s = P(R_s \le r_s), \quad R_s \sim \mathrm{Hypergeometric}(n, r, n_s)

    Parameters
    ----------
    labels : Labels, default observed
        ``observed`` or ``true``.

    Notes
    -----
    Use it for a part of the rows that nobody named beforehand; it waits for labels.

    References
    ----------
    .. [1] Y. Chung, T. Kraska, N. Polyzotis, K. H. Tae and S. E. Whang, "Slice Finder: automated data slicing
       for model validation", ICDE, 2019, 1550-1553. doi:10.1109/ICDE.2019.00139 (slices).
    .. [2] R. A. Fisher, "The logic of inductive inference", Journal of the Royal Statistical Society 98,
       1935, 39-82. doi:10.2307/2342435

    Examples
    --------
    >>> from mlopsim.fairness.made_up_evidence import sample
    >>> found = SliceAccuracy().examine(sample(shift=3.0), np.random.default_rng(0))
    >>> found.statistic.round(3), found.score.round(2), found.rule
    (array([-0.19 , -0.353]), array([3.96, 9.49]), array([ True,  True]))
    """

    unit: ClassVar[str] = "accuracy"
    family: ClassVar[str] = "traditional"
    reads: ClassVar[str] = "rows"
    thumb: ClassVar[str] = "a slice more than 10 points below all"

    def examine(self, evidence: Evidence, rng: np.random.Generator) -> Findings:
        """Return the gap of each window that is least by chance."""
        d, right = len(evidence.features), evidence.decision == (self.label(evidence) == 1)
        size, found = counted(evidence, right)
        n = np.diff(evidence.bounds)
        all_right = evidence.count(right).sum(axis=1)
        rest, other = n[:, None] - size, all_right[:, None] - found
        tested = (size >= LEAST) & (rest >= LEAST)
        _, reason = lacking(
            (n < LEAST, f"fewer than {LEAST} rows"),
            (~tested.any(axis=1), f"no slice with {LEAST} rows and {LEAST} others"),
        )
        below, gaps, p = np.full((3, *size.shape), np.nan)
        if tested.any():
            share = np.broadcast_to((all_right / np.maximum(n, 1))[:, None], size.shape)
            below[tested] = share[tested] - found[tested] / size[tested]
            gaps[tested] = found[tested] / size[tested] - other[tested] / rest[tested]
            p[tested] = fewer(found[tested], size[tested], other[tested], rest[tested])
        p = np.minimum(p * tested.sum(axis=1)[:, None], 1.0)
        lowest, place = largest(below), worst_place(surprise(p), gaps)
        blame = surprise(-largest(-p[:, : 4 * d].reshape(evidence.windows, d, 4)))
        # a feature without a slice is not to blame, and none is where a group is the slice
        of_feature = (place >= 0) & (place < 4 * d)
        return Findings(
            statistic=entry(gaps, place),
            score=surprise(-largest(-p)),
            blame=np.where(of_feature[:, None], np.nan_to_num(blame, nan=0.0), np.nan),
            rule=np.greater(lowest, 0.1 + 1e-12),
            reason=noted(reason, left_out(evidence.rows, evidence.groups)),
            named=Named(
                group=np.where(place >= 4 * d, place - 4 * d, -1),
                part=np.where(of_feature, place, -1),
                parts=tuple(f"{name}, quarter {k} of 4" for name in evidence.features for k in range(1, 5)),
                counts=entry(np.stack([found, size, other, rest], axis=2), place),
            ),
            asked=lowest,
        )
