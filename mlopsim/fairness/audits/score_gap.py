"""Scores of groups, their means."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from mlopsim.core.registry import register
from mlopsim.fairness.audit import Audit, Findings, lacking
from mlopsim.fairness.evidence import Evidence
from mlopsim.fairness.group_values import Values, compare_means, mean_interval
from mlopsim.fairness.rate_audit import noted
from mlopsim.fairness.rates import LEAST, comparable, left_out
from mlopsim.stats.interval import Interval


@register("audit", "score_gap")
@dataclass(kw_only=True)
class ScoreGap(Audit):
    r"""Largest gap between the mean score of a group and that of all others: no labels, no explanation.

    It reads what explanations explain, as a whole: gaps that cancel in the score are not there. The score of
    the audit is the largest absolute gap in standard errors
    (:func:`mlopsim.fairness.group_values.compare_means`); the statistic is the same gap in standard
    deviations of the scores.

    With the mean :math:`\bar v_g` of a group of n rows, :math:`\bar v_{-g}` of all others and the standard
    deviation S of all N rows, the score is

    .. math:: \max_{g} \frac{|\bar v_g - \bar v_{-g}|}{S} \sqrt{\frac{n (N - n)}{N}}

    over groups, v being scores.

    Notes
    -----
    Use it as the simplest rival of ``shap_gap``: gaps of features that cancel are not in it.

    References
    ----------
    .. [1] E. J. G. Pitman, "Significance tests which may be applied to samples from any populations",
       Supplement to the Journal of the Royal Statistical Society 4, 1937, 119-130. doi:10.2307/2984124

    Examples
    --------
    >>> from mlopsim.fairness.made_up_evidence import sample
    >>> found = ScoreGap().examine(sample(shift=1.0), np.random.default_rng(0))
    >>> found.statistic.round(2), found.score.round(2)
    (array([-0.7, -0.7]), array([6.96, 6.98]))
    """

    unit: ClassVar[str] = "standard deviations of the score"
    family: ClassVar[str] = "scores"
    reads: ClassVar[str] = "outputs"

    def examine(self, evidence: Evidence, rng: np.random.Generator) -> Findings:
        """Return the largest gap of each window."""
        n = evidence.rows
        found = compare_means(Values(values=evidence.score[:, None], place=evidence.place, rows=n))
        score = found.score
        few = np.logical_not(comparable(n).any(axis=1))
        _, reason = lacking(
            (few, f"fewer than {LEAST} rows in a group"), (np.isnan(score), "every score is the same")
        )
        return Findings(
            statistic=found.gap,
            score=score,
            reason=noted(reason, left_out(n, evidence.groups)),
            named=found.named(),
        )

    def interval(self, evidence: Evidence, found: Findings, level: float) -> Interval:
        """Return the gap of the first window with its interval."""
        return mean_interval(evidence.score[:, None], evidence.group, found, level)
