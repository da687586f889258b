"""A classifier that tells groups by their Shapley values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from mlopsim.core.registry import register
from mlopsim.core.spec import check_range
from mlopsim.fairness.audit import Audit, Findings, Source, lacking
from mlopsim.fairness.evidence import Evidence, Explained
from mlopsim.fairness.explanation_gaps import explained_rows, totals, unexplained
from mlopsim.fairness.naming import Named, entry, worst_place
from mlopsim.fairness.rate_audit import noted
from mlopsim.fairness.rates import TINY, comparable, largest, left_out


@register("audit", "explanation_shift", version=2)
@dataclass(kw_only=True)
class ExplanationShift(Audit):
    r"""How well a linear discriminant tells a group from all others by the Shapley values of held-out rows.

    The rows of each window and group are halved by chance; on each half a discriminant is learnt (ridge on
    the correlations within groups) and ranks the other half. The statistic is the area under the ROC curve of
    both halves together, .5 being chance, of the group with the largest z of its rank sums. The score is
    ``-log10`` of what would be the one-sided normal p-value of the two rank sums together if they were
    independent, ties corrected (Bonferroni over three groups or more). As each half judges what the other one
    taught, they are not: where groups are alike the sum spreads 1.35 times as far, and .05 comes up in 12 %
    of the windows. It is a score and no p-value; a limit comes from calibration, or from shuffled groups.
    Features are blamed by the absolute standardised weights, averaged over the halves.

    With the mean Shapley values :math:`\bar\phi_g` of a group and :math:`\bar\phi_{-g}` of all others, the
    scatter W within both and :math:`D = \mathrm{diag}(W)^{1/2}`, one half of the rows gives

    .. math::

        w = D^{-1} \left(D^{-1} W D^{-1} + \mathrm{ridge} \cdot I\right)^{-1} D^{-1}
        (\bar\phi_g - \bar\phi_{-g})

    and ranks the other half by :math:`w^\top \phi`. With Mann and Whitney's statistics :math:`U_1` and
    :math:`U_2` of the halves, :math:`z = \sum (U - \mathrm{E} U) / \sqrt{\sum \mathrm{var}\, U}`, and the
    score is :math:`-\log_{10}(1 - \Phi(z))`.

    Parameters
    ----------
    ridge : float, default 0.01
        Added to the diagonal of the correlation matrix; Shapley values may be collinear.

    Notes
    -----
    Use it for joint differences of attributions; one that a single feature shows is found by ``shap_gap`` as
    well.

    References
    ----------
    .. [1] C. Mougan, K. Broelemann, G. Kasneci, T. Tiropanis and S. Staab, "Explanation shift: detecting
       distribution shifts on tabular data via the explanation space", NeurIPS workshop on distribution
       shifts, 2022. arXiv:2210.12369
    .. [2] D. Lopez-Paz and M. Oquab, "Revisiting classifier two-sample tests", ICLR, 2017. arXiv:1610.06545
    .. [3] H. B. Mann and D. R. Whitney, "On a test of whether one of two random variables is stochastically
       larger than the other", Annals of Mathematical Statistics 18, 1947, 50-60.
       doi:10.1214/aoms/1177730491

    Examples
    --------
    >>> from mlopsim.fairness.made_up_evidence import sample
    >>> found = ExplanationShift().examine(sample(shift=1.0), np.random.default_rng(0))
    >>> found.statistic.round(2), found.score.round(1), found.blame.argmax(axis=1)
    (array([0.73, 0.71]), array([14.5, 12.3]), array([0, 0]))
    """

    unit: ClassVar[str] = "area under the ROC curve"
    family: ClassVar[str] = "explanation"
    reads: ClassVar[str] = "explanations"
    needs: ClassVar[frozenset[Source]] = frozenset({Source.SHAP})
    by_rows: ClassVar[bool] = True

    ridge: float = 0.01

    def __post_init__(self) -> None:
        check_range("audit/explanation_shift.ridge", self.ridge, 0.0, 1e6, open_low=True)

    def examine(self, evidence: Evidence, rng: np.random.Generator) -> Findings:
        """Return how well groups are told in each window."""
        from scipy.special import log_ndtr

        from mlopsim.fairness.kernels.discriminant import halves, rank_sums

        found = evidence.explained("shap")
        n = explained_rows(evidence, found)
        window, group = evidence.window[found.rows], evidence.group[found.rows]
        half = np.empty(len(found.rows), dtype=np.int64)
        halves(window, group, n, rng.random(len(found.rows)), half)
        # of two groups one is enough
        shown = 1 if evidence.n_groups == 2 else evidence.n_groups
        missing, reason = lacking(*unexplained(evidence, n))
        known = (comparable(n) & ~missing[:, None])[:, :shown]
        weights, scaled = self._learn(evidence, found, half, known)
        pairs, variance = np.empty((2, *weights.shape[:3]))
        bounds = np.searchsorted(found.rows, evidence.bounds)
        rank_sums(found.values, half, group, bounds, weights, pairs, variance)
        surplus, error = pairs.sum(axis=1), np.sqrt(variance.sum(axis=1))
        with np.errstate(invalid="ignore", divide="ignore"):
            # all ranks tied: nothing is told apart
            z = np.where(error > 0.0, surplus / error, np.where(np.isnan(error), np.nan, 0.0))
        counts = np.stack([n - n // 2, n // 2], axis=1)
        both = (counts * (counts.sum(axis=2, keepdims=True) - counts)).sum(axis=1)[:, :shown]
        auc = 0.5 + surplus / np.maximum(both, 1)
        tail = log_ndtr(-largest(z)) + np.log(np.maximum(known.sum(axis=1), 1))
        tail = np.clip(tail, np.log(TINY), 0.0)
        # of equal ones the smaller group
        place = worst_place(z, n[:, :shown].astype(np.float64))
        return Findings(
            statistic=entry(auc, place),
            score=0.0 - tail / np.log(10.0),
            blame=entry(scaled, place),
            reason=noted(reason, left_out(n, evidence.groups, "explained rows")),
            named=Named(group=place),
        )

    def _learn(
        self, evidence: Evidence, found: Explained, half: np.ndarray, known: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return weights learnt on each half, float64 (T, 2, H, d), and absolute standard ones (T, H, d).

        NaN where ``known`` (T, H) says that there is nothing to learn from.
        """
        from mlopsim.fairness.kernels.discriminant import moments

        groups, d, shown = evidence.n_groups, len(evidence.features), known.shape[1]
        window, group = evidence.window[found.rows], evidence.group[found.rows]
        rows = explained_rows(evidence, found).sum(axis=1)[:, None]
        centre = totals(evidence, found, found.values).sum(axis=1) / np.maximum(rows, 1)
        count = np.zeros((evidence.windows, 2, groups), dtype=np.int64)
        total, product = np.zeros((*count.shape, d)), np.zeros((evidence.windows, 2, d, d))
        moments(found.values, window, half, group, centre, count, total, product)
        n, m = count[:, :, :shown], count.sum(axis=2, keepdims=True) - count[:, :, :shown]
        one, other = total[:, :, :shown], total.sum(axis=2, keepdims=True) - total[:, :, :shown]
        first, second = np.maximum(n, 1)[..., None], np.maximum(m, 1)[..., None]
        gap = one / first - other / second
        # products within the group and within all others
        within = product[:, :, None] - _outer(one) / first[..., None] - _outer(other) / second[..., None]
        power = np.einsum("thgjj->thgj", within)
        whole = np.einsum("thjj->thj", product)[:, :, None]
        # what rounding leaves of a constant is no spread
        varies = power > 1e-12 * np.maximum(whole, (centre**2 * np.maximum(rows, 1))[:, None, None])
        spread = np.where(varies, np.sqrt(np.where(varies, power, 1.0)), 1.0)
        correlation = np.where(varies[..., None] & varies[..., None, :], within, 0.0)
        correlation = correlation / spread[..., None] / spread[..., None, :] + self.ridge * np.eye(d)
        standard = np.where(varies, gap / spread, 0.0)[..., None]
        # a feature without any spread is left out: its row of the matrix holds the ridge only
        learnt = np.linalg.solve(correlation, standard)[..., 0]
        use = known[:, None, :, None]
        scaled = np.abs(learnt * np.sqrt(n + m)[..., None]).mean(axis=1)
        return np.where(use, learnt / spread, np.nan), np.where(known[:, :, None], scaled, np.nan)


def _outer(values: np.ndarray) -> np.ndarray:
    """Return products of all pairs along the last axis."""
    found: np.ndarray = values[..., :, None] * values[..., None, :]
    return found
