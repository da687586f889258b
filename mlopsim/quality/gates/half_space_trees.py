"""Half-space trees: the mass around a row."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from mlopsim.core.registry import register
from mlopsim.core.spec import check_range
from mlopsim.numerics.scaling import Scaling
from mlopsim.quality.row_gate import RowGate


@register("gate", "half_space_trees")
@dataclass(kw_only=True)
class HalfSpaceTrees(RowGate):
    r"""Minus the mass that half-space trees of the reference find around a row.

    Each tree halves a random box around the reference, one random column at a time; a row's mass is the share
    of reference rows in the cell that it falls into, times 2 to the power of the cell's depth, averaged over
    the trees. The reference is kept (the paper renews it every window).

    With :math:`n_b(x)` of n reference rows in a row's cell of tree b and the cell's depth :math:`h_b(x)`, the
    score is

    .. math:: -\frac{1}{\mathrm{trees}} \sum_b \frac{n_b(x)}{n} \, 2^{h_b(x)}

    Parameters
    ----------
    trees : int, default 25
        Number of trees.
    height : int, default 15
        Largest depth of a cell.
    least_share : float, default 0.1
        A cell with at most this share of the reference rows is divided no further.
    alpha : float, default 0.05
        Share of clean rows that are flagged.
    action : Action or None
        What is done with flagged rows; None: ``drop``.

    Notes
    -----
    Use it where a detector must be fast to grow and to ask; not for errors in one column of many, which
    random cuts seldom look at. The defaults of ``trees``, ``height`` and ``least_share`` are the paper's.

    References
    ----------
    .. [1] S. C. Tan, K. M. Ting and T. F. Liu, "Fast anomaly detection for streaming data", IJCAI, 2011,
       1511-1516.

    Examples
    --------
    >>> from mlopsim.quality.gate import Rows
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(300, 2))
    >>> rows = Rows(X=X, Z=X, y=np.zeros(300, np.int64), n_classes=2, features=("a", "b"))
    >>> gate = HalfSpaceTrees()
    >>> learned = gate.learn(rows, rng)
    >>> X = np.array([[0.0, 0.0], [5.0, 5.0]])
    >>> far = Rows(X=X, Z=X, y=np.zeros(2, np.int64), n_classes=2, features=("a", "b"))
    >>> gate.score(learned, far) > -1.0
    array([False,  True])
    """

    trees: int = 25
    height: int = 15
    least_share: float = 0.1

    def __post_init__(self) -> None:
        super().__post_init__()
        check_range("gate/half_space_trees.trees", self.trees, 1, 10**5)
        check_range("gate/half_space_trees.height", self.height, 1, 50)
        check_range("gate/half_space_trees.least_share", self.least_share, 0.0, 1.0)

    def fit(self, Z: np.ndarray, rng: np.random.Generator) -> Any:
        """Return scaling, unit of mass and the arrays of the trees."""
        from mlopsim.numerics.half_space_trees import grow

        scaling = Scaling.ranged(Z)
        most = len(Z)
        if self.least_share * most >= 1.0:
            most = int(1.0 / self.least_share)
        shape = (self.trees, 1 + 2 * self.height * most)
        feature, left = np.empty(shape, dtype=np.int64), np.zeros(shape, dtype=np.int64)
        cut, mass = np.zeros(shape), np.zeros(shape)
        word = rng.integers(0, 2**64, size=1, dtype=np.uint64)
        grow(scaling.apply(Z), self.height, self.least_share * len(Z), word, feature, cut, left, mass)
        return scaling, len(Z) * self.trees, (feature, cut, left, mass)

    def measure(self, model: Any, Z: np.ndarray) -> np.ndarray:
        """Return minus the masses."""
        from mlopsim.numerics.half_space_trees import measure

        scaling, unit, trees = model
        mass = np.empty(len(Z))
        measure(scaling.apply(Z), *trees, mass)
        score: np.ndarray = -mass / unit
        return score
