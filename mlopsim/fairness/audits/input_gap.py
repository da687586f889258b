"""Inputs of groups, their means."""

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


@register("audit", "input_gap")
@dataclass(kw_only=True)
class InputGap(Audit):
    r"""Largest gap between the mean of an input in a group and in all others: no model, no labels.

    The simplest rival of tests of explanations: it reads nothing but rows and groups. The score is the
    largest absolute gap in standard errors over groups and columns
    (:func:`mlopsim.fairness.group_values.compare_means`); the statistic is the same gap in standard
    deviations of the input. Inputs may differ between groups without anything being wrong. Of a frozen linear
    model that uses every input the studentised gap of mean Shapley values is this score: a Shapley value is
    the input times a weight, less a constant.

    With the mean :math:`\bar v_g` of a group of n rows, :math:`\bar v_{-g}` of all others and the standard
    deviation S of all N rows, the score is

    .. math:: \max_{g, j} \frac{|\bar v_{gj} - \bar v_{-gj}|}{S_j} \sqrt{\frac{n (N - n)}{N}}

    over groups and columns v.

    Notes
    -----
    Use it before any test of explanations: what it finds needs no model. It says nothing of what the model
    does with the input.

    References
    ----------
    .. [1] E. J. G. Pitman, "Significance tests which may be applied to samples from any populations",
       Supplement to the Journal of the Royal Statistical Society 4, 1937, 119-130. doi:10.2307/2984124

    Examples
    --------
    >>> from mlopsim.fairness.made_up_evidence import sample
    >>> found = InputGap().examine(sample(shift=1.0), np.random.default_rng(0))
    >>> found.statistic.round(2), found.score.round(2), found.blame.argmax(axis=1)
    (array([-0.75, -0.8 ]), array([7.5 , 7.96]), array([0, 0]))
    """

    unit: ClassVar[str] = "standard deviations of the input"
    family: ClassVar[str] = "inputs"
    reads: ClassVar[str] = "rows"
    keeps_inputs: ClassVar[bool] = True

    def examine(self, evidence: Evidence, rng: np.random.Generator) -> Findings:
        """Return the largest gap of each window."""
        n = evidence.rows
        found = compare_means(Values(values=evidence.X, place=evidence.place, rows=n))
        score = found.score
        few = np.logical_not(comparable(n).any(axis=1))
        _, reason = lacking(
            (few, f"fewer than {LEAST} rows in a group"), (np.isnan(score), "no input varies")
        )
        return Findings(
            statistic=found.gap,
            score=score,
            blame=found.blame,
            reason=noted(reason, left_out(n, evidence.groups)),
            named=found.named(evidence.features),
        )

    def interval(self, evidence: Evidence, found: Findings, level: float) -> Interval:
        """Return the gap of the first window with its interval."""
        return mean_interval(evidence.X, evidence.group, found, level)
