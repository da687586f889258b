"""The four-fifths rule."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from mlopsim.core.registry import register
from mlopsim.fairness.audit import Audit, Findings, lacking
from mlopsim.fairness.evidence import Evidence
from mlopsim.fairness.naming import Named, entry, worst_place
from mlopsim.fairness.rate_audit import noted
from mlopsim.fairness.rates import LEAST, largest, left_out, ratio_interval
from mlopsim.stats.interval import Interval


@register("audit", "four_fifths", version=2)
@dataclass(kw_only=True)
class FourFifths(Audit):
    r"""Ratio of the acceptance rates of two groups, the lower by the higher.

    Of all pairs of groups the one is named whose rates are the furthest apart in standard errors under equal
    rates, with p the rate of all groups together, which is the score:

    .. math:: \frac{r_h - r_g}{\sqrt{p (1 - p) (1 / n_g + 1 / n_h)}}

    The statistic is the ratio of this pair. So a group of a few people, whose rate may be anything, does not
    stand for all others; the ratio alone would make it so.

    The customary rule asks for the lowest rate of all groups by the highest; with two groups it is the
    statistic.

    Notes
    -----
    The statistic is :math:`r_g / r_h`. Use it where the law asks for it; not as a test: the ratio of small
    rates varies much.

    References
    ----------
    .. [1] Equal Employment Opportunity Commission, "Uniform guidelines on employee selection procedures", 29
       CFR 1607.4 D, 1978.

    Examples
    --------
    >>> from mlopsim.fairness.made_up_evidence import sample
    >>> found = FourFifths().examine(sample(shift=1.0), np.random.default_rng(0))
    >>> found.statistic.round(3), found.score.round(3), found.rule
    (array([0.391, 0.435]), array([4.688, 4.207]), array([ True,  True]))
    """

    unit: ClassVar[str] = "ratio of acceptance rates"
    family: ClassVar[str] = "traditional"
    thumb: ClassVar[str] = "lowest by highest rate of a group below .8"

    def examine(self, evidence: Evidence, rng: np.random.Generator) -> Findings:
        """Return the ratio of each window."""
        n, k = evidence.rows, evidence.count(evidence.decision)
        windows, groups = n.shape
        enough = n >= LEAST
        rate = np.where(enough, k / np.maximum(n, 1), np.nan)
        lowest, highest = -largest(-rate), largest(rate)
        few = enough.sum(axis=1) < 2
        missing, reason = lacking(
            (few, f"fewer than {LEAST} rows in a group"),
            (~few & (lowest == highest) & ((lowest == 0.0) | (lowest == 1.0)), "every decision is the same"),
        )
        all_rows = np.maximum((n * enough).sum(axis=1), 1)
        share = (k * enough).sum(axis=1) / all_rows
        low, high = rate[:, :, None], rate[:, None, :]
        with np.errstate(invalid="ignore", divide="ignore"):
            ratio = low / high
            each = 1.0 / n
            error = np.sqrt((share * (1.0 - share))[:, None, None] * (each[:, :, None] + each[:, None, :]))
            z = (high - low) / error
        pair = (low <= high) & (high > 0.0) & ~np.eye(groups, dtype=np.bool_) & ~missing[:, None, None]
        z, ratio = (np.where(pair, values, np.nan).reshape(windows, -1) for values in (z, ratio))
        place = worst_place(z, ratio)
        group, against = (np.where(place < 0, -1, part) for part in (place // groups, place % groups))
        asked = np.full(windows, np.nan)
        asked[~missing] = lowest[~missing] / highest[~missing]
        hits = np.stack([entry(values, g) for g in (group, against) for values in (k, n)], axis=1)
        return Findings(
            statistic=entry(ratio, place),
            score=entry(z, place),
            # four fifths as a ratio of whole numbers is not less than four fifths
            rule=np.less(asked, 0.8 - 1e-12),
            reason=noted(reason, left_out(n, evidence.groups)),
            named=Named(group=group, against=against, counts=hits),
            asked=asked,
        )

    def interval(self, evidence: Evidence, found: Findings, level: float) -> Interval:
        """Return the ratio of the first window with its interval."""
        if np.isnan(found.statistic[0]):
            return super().interval(evidence, found, level)
        assert found.named is not None and found.named.counts is not None
        hits, own, other, rest = found.named.counts[0].tolist()
        return ratio_interval(hits, own, other, rest, level)
