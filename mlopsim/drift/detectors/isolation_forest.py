"""Isolation forest: a shift of its scores."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from mlopsim.core.registry import register
from mlopsim.core.spec import check_range
from mlopsim.drift.row_scored import RowScored
from mlopsim.numerics.scaling import Scaling


@register("detector", "isolation_forest")
@dataclass(kw_only=True)
class IsolationForest(RowScored):
    r"""Shift of the anomaly scores that an isolation forest of the reference gives to the rows of a window.

    A compiled forest of its own: trees of random cuts, one feature and one place between its least and
    largest value at a time, grown once a reference. Its scores have the law of scikit-learn's.

    With the mean path length :math:`\bar h(x)` of a row over the trees and :math:`\psi` = ``sample`` rows a
    tree,

    .. math::

        m(x) = 2^{-\bar h(x) / c(\psi)}, \qquad
        c(\psi) = 2 (\log(\psi - 1) + 0.5772\ldots) - 2 (\psi - 1) / \psi

    The score of a window is that of the rank-sum test of its rows' :math:`m(x)` against those of the n
    held-out reference rows (:class:`mlopsim.drift.row_scored.RowScored`):
    :math:`|U - n r / 2| / \mathrm{sd}(U)`.

    Parameters
    ----------
    trees : int, default 100
        Number of trees.
    sample : int, default 256
        Rows that each tree is grown on, drawn without replacement (all, if there are fewer).
    z, reference
        See :class:`mlopsim.drift.row_scored.RowScored`.

    Notes
    -----
    Use it where a change brings rows that are unlike the reference; not for changes within its range, such as
    a changed correlation of common values. The defaults of ``trees`` and ``sample`` are the paper's.

    References
    ----------
    .. [1] F. T. Liu, K. M. Ting and Z.-H. Zhou, "Isolation forest", IEEE International Conference on Data
       Mining, 2008, 413-422. doi:10.1109/ICDM.2008.17

    Examples
    --------
    >>> import numpy as np
    >>> windows = np.random.default_rng(0).normal(size=(20, 50, 3))
    >>> windows[15:] *= 3.0
    >>> IsolationForest(z=5.0).alarms(windows)
    array([15])
    """

    effort: ClassVar[float] = 180.0
    random: ClassVar[bool] = True

    trees: int = 100
    sample: int = 256

    def __post_init__(self) -> None:
        super().__post_init__()
        check_range("detector/isolation_forest.trees", self.trees, 1, 10**5)
        check_range("detector/isolation_forest.sample", self.sample, 2, 10**6)

    def fit(self, rows: np.ndarray) -> Any:
        """Return scaling, typical path and the arrays of the trees."""
        from mlopsim.drift.kernels.isolation_trees import average_path, grow

        sample = min(self.sample, len(rows))
        scaling = Scaling.standard(rows)
        shape = (self.trees, 2 * sample - 1)
        feature, left = np.empty(shape, dtype=np.int64), np.zeros(shape, dtype=np.int64)
        cut, path = np.zeros(shape), np.zeros(shape)
        word = self.rng.integers(0, 2**64, size=1, dtype=np.uint64)
        grow(scaling.apply(rows), sample, word, feature, cut, left, path)
        # of a single row any path is typical
        return scaling, average_path(float(sample)) or 1.0, (feature, cut, left, path)

    def measure(self, model: Any, rows: np.ndarray) -> np.ndarray:
        """Return anomaly scores: near 1 for rows that few cuts isolate, below 0.5 for common ones."""
        from mlopsim.drift.kernels.isolation_trees import measure

        scaling, typical, trees = model
        score = np.empty(len(rows))
        measure(scaling.apply(rows), typical, *trees, score)
        return score
