"""Two-sample tests of a batch, feature by feature."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from mlopsim.core.registry import register
from mlopsim.core.spec import check_range
from mlopsim.numerics import two_sample_pvalues as nulls
from mlopsim.quality.batch_gate import BatchGate
from mlopsim.quality.gate import Rows


@register("gate", "ks_batch")
@dataclass(kw_only=True)
class KsBatch(BatchGate):
    r"""Kolmogorov-Smirnov test of each numeric feature and chi-square test of each categorical one.

    Missing values are left out. p-values equal those of ``scipy.stats.ks_2samp`` (exact up to 10,000 rows;
    too large where values repeat) and ``scipy.stats.chi2_contingency``; the chi-square test first joins
    categories of which it expects few rows (with the next rarest, if together they are few, too), as its
    p-value is only asymptotic.

    With :math:`D_f = \sup_x |F_f(x) - G_f(x)|` of a numeric feature, :math:`\sum (O - E)^2 / E` of a
    categorical one, and their p-values, the batch's p-value is :math:`\min(1, d \min_f p_f)` over the d
    features that have values.

    Parameters
    ----------
    expected : float, default 1.0
        Categories of fewer expected rows in either sample are joined; 0: none are. With 5 its level is closer
        to alpha where categories are many, with 1 a new category of some rows is not lost among others.
    alpha : float, default 0.05
        Level, Bonferroni over the features.
    action : Action or None
        What is done with a flagged batch; None: ``hold``.

    Notes
    -----
    Use it to hold a batch whose law has changed. It cannot tell errors from drift: both change it.

    References
    ----------
    .. [1] J. L. Hodges, "The significance probability of the Smirnov two-sample test", Arkiv för Matematik 3,
       1958, 469-486. doi:10.1007/BF02589501
    .. [2] W. G. Cochran, "Some methods for strengthening the common chi-square tests", Biometrics 10, 1954,
       417-451. doi:10.2307/3001616
    .. [3] S. Rabanser, S. Günnemann and Z. C. Lipton, "Failing loudly: an empirical study of methods for
       detecting dataset shift", NeurIPS, 2019. arXiv:1810.11953

    Examples
    --------
    >>> X = np.random.default_rng(0).normal(size=(500, 2))
    >>> rows = Rows(X=X, Z=X, y=np.zeros(500, np.int64), n_classes=2, features=("a", "b"))
    >>> gate = KsBatch()
    >>> learned = gate.learn(rows.take(slice(400)), np.random.default_rng(0))
    >>> batch = rows.take(slice(400, 500))
    >>> float(gate.score(learned, batch).round(2))
    0.89
    >>> batch.X[:, 1] += 1.0
    >>> float(gate.score(learned, batch).round(2))
    11.21
    """

    expected: float = 1.0

    def __post_init__(self) -> None:
        super().__post_init__()
        check_range("gate/ks_batch.expected", self.expected, 0.0, 1e6)

    def learn(self, reference: Rows, rng: np.random.Generator) -> Any:
        """Return the known values of each feature, sorted."""
        self.check_reference(reference)
        return [_known(column) for column in reference.X.T]

    def pvalues(self, learned: Any, rows: Rows) -> np.ndarray:
        """Return p-values of the features."""
        from mlopsim.numerics.ecdf_gaps import run

        self.check_width(len(learned), rows)
        found = np.full(len(learned), np.nan)
        high, low = np.zeros((1, 1), dtype=np.int64), np.zeros((1, 1), dtype=np.int64)
        for j, held in enumerate(learned):
            values = _known(rows.X[:, j])
            if not len(held) or not len(values):
                continue
            if j in rows.categorical:
                found[j] = self._chi_square(held, values)
            else:
                run(held[None], values[None, None], high, low)
                found[j] = nulls.ks(len(held), len(values), max(int(high[0, 0]), -int(low[0, 0])))
        return found

    def _chi_square(self, one: np.ndarray, other: np.ndarray) -> float:
        from scipy.special import chdtrc

        codes, place = np.unique(np.concatenate([one, other]), return_inverse=True)
        first = np.bincount(place[: len(one)], minlength=len(codes))
        table = np.stack([first, np.bincount(place[len(one) :], minlength=len(codes))]).astype(np.float64)
        share = table.sum(axis=1) / table.sum()
        # rarest first; by totals only, which leaves the law of the rest untouched
        table = table[:, np.argsort(table.sum(axis=0), kind="stable")]
        rows = table.sum(axis=0) * share.min()
        rare = int((rows < self.expected).sum())
        # the rare ones together may still be rare
        joined = rare + 1 if rare and rows[:rare].sum() < self.expected else max(rare, 1)
        table = np.concatenate([table[:, :joined].sum(axis=1, keepdims=True), table[:, joined:]], axis=1)
        means = share[:, None] * table.sum(axis=0)
        return (
            float(chdtrc(table.shape[1] - 1, ((table - means) ** 2 / means).sum())) if table.size > 2 else 1.0
        )


def _known(column: np.ndarray) -> np.ndarray:
    """Return the values that are not missing, sorted, contiguous."""
    return np.sort(column[~np.isnan(column)])
