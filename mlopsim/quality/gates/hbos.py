"""Histograms of the columns, as if they were independent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from mlopsim.core.registry import register
from mlopsim.core.spec import check_range
from mlopsim.quality.row_gate import RowGate


@register("gate", "hbos", version=2)
@dataclass(kw_only=True)
class Hbos(RowGate):
    r"""Minus the logarithm of the density by a histogram of each encoded column, summed over the columns.

    Bins are of equal width between the least and the largest reference value (half a unit either side of a
    constant). A little is added to every density, so that an empty bin has a score; a value outside of the
    bins has the score of the emptiest one. This is the static variant of the paper as PyOD has it, on the
    encoded columns: their densities are in rows per standard deviation, not scaled to a largest one of 1. As
    in PyOD a value on an inner edge is counted in the bin above it and looked up in the one below.

    With the density :math:`f_j` of the reference by the histogram of column j,

    .. math:: -\sum_j \log_2 \left(f_j(x_j) + \mathrm{floor}\right)

    Parameters
    ----------
    bins : int, default 10
        Bins a column.
    floor : float, default 0.1
        What is added to a density, in rows per standard deviation and row.
    tolerance : float, default 0.5
        A value so many bins beyond the last one still counts as in it.
    alpha : float, default 0.05
        Share of clean rows that are flagged.
    action : Action or None
        What is done with flagged rows; None: ``drop``.

    Notes
    -----
    Use it for values that are rare in single columns, also between two heaps. Not for rows whose columns are
    right one by one and wrong together. Defaults and scores are those of ``pyod.models.hbos.HBOS``.

    References
    ----------
    .. [1] M. Goldstein and A. Dengel, "Histogram-based outlier score (HBOS): a fast unsupervised anomaly
       detection algorithm", KI, poster and demo track, 2012, 59-63.

    Examples
    --------
    >>> from mlopsim.quality.gate import Rows
    >>> X = np.array([[0.0], [0.1], [0.3], [1.0]])
    >>> rows = Rows(X=X, Z=X, y=np.zeros(4, np.int64), n_classes=2, features=("a",))
    >>> gate = Hbos(bins=2)
    >>> learned = gate.learn(rows, np.random.default_rng(0))
    >>> X = np.array([[0.2], [0.7], [1.2], [1.3]])
    >>> gate.score(learned, Rows(X=X, Z=X, y=np.zeros(4, np.int64), n_classes=2, features=("a",))).round(3)
    array([-0.678,  0.737,  0.737,  0.737])
    """

    bins: int = 10
    floor: float = 0.1
    tolerance: float = 0.5

    def __post_init__(self) -> None:
        super().__post_init__()
        check_range("gate/hbos.bins", self.bins, 1, 10**5)
        check_range("gate/hbos.floor", self.floor, 0.0, 1e6, open_low=True)
        check_range("gate/hbos.tolerance", self.tolerance, 0.0, 1e6)

    def fit(self, Z: np.ndarray, rng: np.random.Generator) -> Any:
        """Return the edges (q, bins + 1) and scores (q, bins + 1) of the bins, the last score outside."""
        low, high = Z.min(axis=0), Z.max(axis=0)
        # a range within the rounding of its ends cannot be divided
        constant = high - low <= 1e-12 * np.maximum(np.abs(low), np.abs(high))
        low, high = np.where(constant, low - 0.5, low), np.where(constant, high + 0.5, high)
        edges, score = np.empty((2, Z.shape[1], self.bins + 1))
        for j, column in enumerate(Z.T):
            density, edges[j] = np.histogram(column, self.bins, (low[j], high[j]), density=True)
            score[j, :-1] = -np.log2(density + self.floor)
        score[:, -1] = score[:, :-1].max(axis=1)
        return edges, score

    def measure(self, model: Any, Z: np.ndarray) -> np.ndarray:
        """Return sums of minus logarithms."""
        from mlopsim.quality.kernels.bins import measure

        score = np.empty(len(Z))
        measure(Z, *model, self.tolerance, score)
        return score
