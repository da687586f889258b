"""Influence that a feature did not have."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from mlopsim.core.registry import register
from mlopsim.fairness.audit import Audit, Findings, Source, lacking
from mlopsim.fairness.evidence import Evidence
from mlopsim.fairness.explanation_gaps import explained_rows, totals
from mlopsim.fairness.rates import LEAST, largest


@register("audit", "influence")
@dataclass(kw_only=True)
class Influence(Audit):
    r"""Largest change of a feature's share of all influence since the model was trained.

    The influence of a feature is the mean absolute Shapley value; its share in the audited rows is compared
    with that in the rows that the model was trained on. Groups play no part. Features are blamed by their
    changes.

    With the mean absolute Shapley value :math:`I_j` of feature j in the audited rows and :math:`T_j` in the
    rows of training, the score is

    .. math:: \max_j \left|\frac{I_j}{\sum_k I_k} - \frac{T_j}{\sum_k T_k}\right|

    Notes
    -----
    Use it to see what a model relies on; it knows no groups and so finds no unfairness by itself.

    References
    ----------
    .. [1] S. M. Lundberg and others, "From local explanations to global understanding with explainable AI for
       trees", Nature Machine Intelligence 2, 2020, 56-67. doi:10.1038/s42256-019-0138-9

    Examples
    --------
    >>> from mlopsim.fairness.made_up_evidence import sample
    >>> found = Influence().examine(sample(shift=2.0), np.random.default_rng(0))
    >>> found.score.round(2), found.blame.round(2)
    (array([0.13, 0.14]), array([[0.13, 0.08, 0.05, 0.  ],
           [0.14, 0.09, 0.05, 0.  ]]))
    """

    unit: ClassVar[str] = "share of influence"
    family: ClassVar[str] = "explanation"
    reads: ClassVar[str] = "explanations"
    by_group: ClassVar[bool] = False
    needs: ClassVar[frozenset[Source]] = frozenset({Source.SHAP, Source.KNOWN})

    def examine(self, evidence: Evidence, rng: np.random.Generator) -> Findings:
        """Return the largest change of each window."""
        found = evidence.explained("shap")
        total = totals(evidence, found, np.abs(found.values)).sum(axis=1)
        known = evidence.known_attributions()
        all_now, all_then = total.sum(axis=1), known.sum(axis=1)
        missing, reason = lacking(
            (explained_rows(evidence, found).sum(axis=1) < LEAST, f"fewer than {LEAST} explained rows"),
            (~(all_now > 0.0), "no feature has an influence"),
            (~(all_then > 0.0), "no feature had an influence when the model was trained"),
        )
        change = np.full(total.shape, np.nan)
        use = ~missing
        change[use] = np.abs(total[use] / all_now[use, None] - known[use] / all_then[use, None])
        largest_change = largest(change)
        return Findings(statistic=largest_change, score=largest_change.copy(), blame=change, reason=reason)
