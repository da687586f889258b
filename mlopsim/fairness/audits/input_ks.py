"""Inputs of groups, their laws."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from mlopsim.core.registry import register
from mlopsim.fairness.audit import Audit, Findings, lacking
from mlopsim.fairness.evidence import Evidence
from mlopsim.fairness.group_values import Values, compare_laws, distance_interval
from mlopsim.fairness.rate_audit import noted
from mlopsim.fairness.rates import LEAST, comparable, left_out, surprise
from mlopsim.stats.interval import Interval


@register("audit", "input_ks")
@dataclass(kw_only=True)
class InputKs(Audit):
    r"""Largest Kolmogorov-Smirnov distance of an input in a group and in all others: no model, no labels.

    The simplest rival of tests of the laws of explanations. The score is ``-log10`` of the p-value of
    ``scipy.stats.ks_2samp`` (exact up to 10,000 rows; too large where values repeat) times the number of
    columns and, with three groups or more, of groups (Bonferroni). Columns are blamed by their distances.

    With the empirical distribution functions F of a group of n rows and G of all m others,
    :math:`D = \sup_x |F(x) - G(x)|`, and the score is :math:`-\log_{10} \min(1, H d \min p(D))`, the least
    over the d columns, with H groups (1 for two).

    Notes
    -----
    Use it before any test of explanations, for differences in spread and shape too. It says nothing of what
    the model does with the input.

    References
    ----------
    .. [1] N. V. Smirnov, "On the estimation of the discrepancy between empirical curves of distribution for
       two independent samples", Bulletin Mathématique de l'Université de Moscou 2, 1939.
    .. [2] J. L. Hodges, "The significance probability of the Smirnov two-sample test", Arkiv för Matematik 3,
       1958, 469-486. doi:10.1007/BF02589501

    Examples
    --------
    >>> from mlopsim.fairness.made_up_evidence import sample
    >>> found = InputKs().examine(sample(shift=1.0), np.random.default_rng(0))
    >>> found.statistic.round(2), found.score.round(2), found.blame.argmax(axis=1)
    (array([0.35, 0.38]), array([ 9.94, 11.58]), array([0, 0]))
    """

    unit: ClassVar[str] = "distance of distribution functions"
    family: ClassVar[str] = "inputs"
    reads: ClassVar[str] = "rows"
    keeps_inputs: ClassVar[bool] = True

    def examine(self, evidence: Evidence, rng: np.random.Generator) -> Findings:
        """Return the largest distance of each window."""
        n = evidence.rows
        missing, reason = lacking(
            (np.logical_not(comparable(n).any(axis=1)), f"fewer than {LEAST} rows in a group")
        )
        found = compare_laws(Values(values=evidence.X, place=evidence.place, rows=n), missing)
        return Findings(
            statistic=found.worst,
            score=surprise(found.p),
            p=found.p,
            blame=found.blame,
            reason=noted(reason, left_out(n, evidence.groups)),
            named=found.named(evidence.features),
        )

    def interval(self, evidence: Evidence, found: Findings, level: float) -> Interval:
        """Return the distance of the first window with its interval."""
        return distance_interval(evidence.X, evidence.group, found, level)
