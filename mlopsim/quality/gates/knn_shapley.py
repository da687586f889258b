"""Shapley values of training rows for a nearest-neighbour classifier."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from mlopsim.core.registry import register
from mlopsim.core.spec import check_range
from mlopsim.quality.gate import Rows
from mlopsim.quality.train_gate import TrainGate

#: trusted rows that are looked at together: bounds the memory
BLOCK = 64


@register("gate", "knn_shapley")
@dataclass(kw_only=True)
class KnnShapley(TrainGate):
    r"""Minus the Shapley value of a row for the k nearest neighbours' share of right labels on trusted rows.

    The value of some training rows is, averaged over the trusted ones, how many of the (at most) k nearest
    among them have the right label, divided by k. A row's Shapley value is its average contribution over all
    orders in which rows could arrive; sorting gives it exactly. It does not look at the learner. Of rows at
    equal distance the one with the lower place counts as nearer.

    Of n training rows by rising distance from a trusted row with label y, :math:`a_i = 1` where the i-th has
    that label:

    .. math:: s_n = \frac{\min(k, n)}{k n} a_n, \qquad s_i = s_{i+1} + \frac{\min(k, i)}{k i} (a_i - a_{i+1})

    A row's value is its mean over the trusted rows, and the score minus that.

    Parameters
    ----------
    k : int, default 5
        Neighbours.
    alpha : float, default 0.05
        Share of clean rows that are flagged.
    action : Action or None
        What is done with flagged rows; None: ``drop``.

    Notes
    -----
    Use it for wrong labels where trusted rows exist, with any learner. Not for columns on scales that mean
    nothing: all rests on distances.

    References
    ----------
    .. [1] R. Jia, D. Dao, B. Wang, F. A. Hubis, N. M. Gurel, B. Li, C. Zhang, C. J. Spanos and D. Song,
       "Efficient task-specific data valuation for nearest neighbor algorithms", PVLDB 12(11), 2019,
       theorem 1. arXiv:1908.08619

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> Z = rng.normal(size=(300, 2)); y = (Z[:, 0] > 0).astype(int)
    >>> rows = Rows(X=Z, Z=Z, y=y, n_classes=2, features=("a", "b"))
    >>> train, trusted = rows.take(slice(100)), rows.take(slice(100, 300))
    >>> wrong = np.sort(np.argsort(-np.abs(train.Z[:, 0]))[:3]); train.y[wrong] = 1 - train.y[wrong]
    >>> harm = KnnShapley().harm(train, np.arange(100), trusted, "ridge", rng)
    >>> bool((np.sort(np.argsort(-harm)[:3]) == wrong).all())
    True
    """

    trusts: ClassVar[bool] = True
    family: ClassVar[str] = "data valuation"

    k: int = 5

    def __post_init__(self) -> None:
        super().__post_init__()
        check_range("gate/knn_shapley.k", self.k, 1, 10**6)

    def measure(
        self, train: Rows, new: np.ndarray, trusted: Rows, learner: Any, rng: np.random.Generator
    ) -> np.ndarray:
        """Return minus the values."""
        from mlopsim.quality.kernels import shapley

        n, m = len(train), len(trusted)
        columns = np.ascontiguousarray(train.Z.T)
        rank = np.arange(1, n + 1, dtype=np.float64)
        weight = np.minimum(rank, self.k) / (self.k * rank)
        place = np.arange(n, dtype=np.uint64)
        mask = np.uint64(2 ** (n - 1).bit_length() - 1)
        value = np.zeros(n)
        for start in range(0, m, BLOCK):
            asked = slice(start, start + BLOCK)
            distance = np.empty((len(trusted.y[asked]), n))
            shapley.distances(columns, np.ascontiguousarray(trusted.Z[asked]), distance)
            # the bits of numbers that are not negative rise with them; whole numbers sort several at a time
            keys = (distance.view(np.uint64) & ~mask) | place
            keys.sort(axis=1)
            shapley.add(keys, distance, mask, train.y, trusted.y[asked], weight, value)
        found: np.ndarray = -value[new] / m
        return found
