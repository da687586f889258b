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
    """Largest gap between the mean of an input in a group and in all others: no model, no labels.

    The simplest rival of tests of explanations: it reads nothing but rows and groups. The score is the
    largest absolute gap in standard errors over groups and columns
    (:func:`mlopsim.fairness.group_values.compare_means`); the statistic is the same gap in standard
    deviations of the input. Inputs may differ between groups without anything being wrong. Of a frozen linear
    model that uses every input the studentised gap of mean Shapley values is this score: a Shapley value is
    the input times a weight, less a constant.

    References
    ----------
    Pitman (1937), Suppl. J. R. Stat. Soc. 4, 119-130.

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
