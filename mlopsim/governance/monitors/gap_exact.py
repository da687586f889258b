"""Exact chart of a gap between groups that should be 0."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from mlopsim.core.registry import register
from mlopsim.drift.signal import Side
from mlopsim.governance.monitoring.gaps import GapChart, Pair
from mlopsim.governance.monitoring.normal_scores import score_of_tails
from mlopsim.governance.monitoring.reference import Reference


@register("monitor", "gap_exact")
@dataclass(kw_only=True)
class GapExact(GapChart):
    r"""Fisher's exact test of no gap, window by window, as a normal score; not randomised.

    Given how many succeed in both samples, the successes of one are hypergeometric if rates are equal. That
    is so of independent rows: in windows whose rows are correlated the chart alarms too often, unless its
    limit is found by simulation (or ``gap_score`` is told the correlation).

    With :math:`k_1` of :math:`n_1` rows of one group and :math:`k_2` of :math:`n_2` of the other, the score
    is :math:`\Phi^{-1}(1 - p)` with the smaller tail p, at most 1/2, of

    .. math:: P(K = k) = \binom{n_1}{k} \binom{n_2}{k_1 + k_2 - k} \bigg/ \binom{n_1 + n_2}{k_1 + k_2}

    Parameters
    ----------
    rate, impact
        See :class:`mlopsim.governance.monitoring.gaps.GapChart`.

    Notes
    -----
    Use it where no gap at all is in control and groups are small; ``gap_score`` where a margin is.

    References
    ----------
    .. [1] R. A. Fisher, "The logic of inductive inference", Journal of the Royal Statistical Society 98,
       1935, 39-82. doi:10.2307/2342435

    Examples
    --------
    >>> from mlopsim.governance.monitoring.in_control import law
    >>> fair = law(base=(0.5, 0.5), recall=(0.8, 0.8), false_positive_rate=(0.2, 0.2), rows=(100, 100))
    >>> counts = np.array([[[40, 10], [10, 40]], [[50, 20], [10, 20]]])[None, None]
    >>> GapExact().scores(counts, fair.reference()).round(3), GapExact(impact=0.1).charts(("a", "b"))[0].name
    (array([[[1.28]]]), 'gap of acceptance, a less b')
    """

    def on(self, counts: np.ndarray) -> Callable[[Reference], np.ndarray]:
        """Return the scores on these counts, which are the same whatever the reference is."""
        known: list[np.ndarray] = []

        def scores(reference: Reference) -> np.ndarray:
            if not known:
                known.append(self.scores(counts, reference))
            return known[0]

        return scores

    def test(self, pair: Pair) -> np.ndarray:
        """Return the scores."""
        from mlopsim.fairness.rates import tails

        arrays = (pair.k, pair.n, pair.others_k, pair.others_n)
        return score_of_tails(*tails(*(np.ascontiguousarray(a) for a in arrays)), Side.BOTH)
