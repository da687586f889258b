"""Half-space trees: a shift of the mass around the rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from mlopsim.core.registry import register
from mlopsim.core.spec import check_range
from mlopsim.drift.row_scored import RowScored
from mlopsim.numerics.scaling import Scaling


@register("detector", "half_space_trees")
@dataclass(kw_only=True)
class HalfSpaceTrees(RowScored):
    r"""Shift of the mass that half-space trees of the reference find around the rows of a window.

    Each tree halves a random box around the data, one random feature at a time; a row's mass is the number of
    reference rows in the cell that it falls into, times 2 to the power of the cell's depth. The reference is
    kept until an alarm (the paper, which looks for single anomalies, renews it every window).

    The mass of a row is, over the trees, with :math:`n_b(x)` reference rows in its cell and the cell's depth
    :math:`h_b(x)`,

    .. math:: m(x) = \sum_b n_b(x) \, 2^{h_b(x)}

    The score of a window is that of the rank-sum test of its rows' :math:`m(x)` against those of the n
    held-out reference rows (:class:`mlopsim.drift.row_scored.RowScored`):
    :math:`|U - n r / 2| / \mathrm{sd}(U)`.

    Parameters
    ----------
    trees : int, default 25
        Number of trees.
    height : int, default 15
        Largest depth of a cell.
    least : float, default 0.1
        A cell with at most this share of the reference rows is divided no further.
    z, reference
        See :class:`mlopsim.drift.row_scored.RowScored`.

    Notes
    -----
    Use it where a change spreads or thins out the inputs jointly; not for a shift along a single feature of
    many, which random cuts seldom look at. The defaults of ``trees``, ``height`` and ``least`` are the
    paper's.

    References
    ----------
    .. [1] S. C. Tan, K. M. Ting and T. F. Liu, "Fast anomaly detection for streaming data", IJCAI, 2011,
       1511-1516.

    Examples
    --------
    >>> import numpy as np
    >>> windows = np.random.default_rng(0).normal(size=(20, 50, 3))
    >>> windows[15:] *= 3.0
    >>> HalfSpaceTrees(z=5.0).alarms(windows)
    array([15])
    """

    random: ClassVar[bool] = True

    trees: int = 25
    height: int = 15
    least: float = 0.1

    def __post_init__(self) -> None:
        super().__post_init__()
        check_range("detector/half_space_trees.trees", self.trees, 1, 10**5)
        check_range("detector/half_space_trees.height", self.height, 1, 50)
        check_range("detector/half_space_trees.least", self.least, 0.0, 1.0)

    def fit(self, rows: np.ndarray) -> Any:
        """Return scaling and the arrays of the trees."""
        from mlopsim.numerics.half_space_trees import grow

        scaling = Scaling.ranged(rows)
        most = len(rows)
        if self.least * most >= 1.0:
            most = int(1.0 / self.least)
        shape = (self.trees, 1 + 2 * self.height * most)
        feature, left = np.empty(shape, dtype=np.int64), np.zeros(shape, dtype=np.int64)
        cut, mass = np.zeros(shape), np.zeros(shape)
        word = self.rng.integers(0, 2**64, size=1, dtype=np.uint64)
        grow(scaling.apply(rows), self.height, self.least * len(rows), word, feature, cut, left, mass)
        return scaling, (feature, cut, left, mass)

    def measure(self, model: Any, rows: np.ndarray) -> np.ndarray:
        """Return masses: large where the reference is dense."""
        from mlopsim.numerics.half_space_trees import measure

        scaling, trees = model
        score = np.empty(len(rows))
        measure(scaling.apply(rows), *trees, score)
        return score
