"""Isolation forest."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from mlopsim.core.registry import register
from mlopsim.core.spec import check_range
from mlopsim.quality.row_gate import RowGate


@register("gate", "iforest")
@dataclass(kw_only=True)
class IForest(RowGate):
    r"""Anomaly score of scikit-learn's isolation forest: near 1 for rows that few random cuts isolate.

    With the mean path length :math:`\bar h(x)` of a row over the trees and :math:`\psi` = ``sample`` rows a
    tree,

    .. math::

        2^{-\bar h(x) / c(\psi)}, \qquad c(\psi) = 2 (\log(\psi - 1) + 0.5772\ldots) - 2 (\psi - 1) / \psi

    Parameters
    ----------
    trees : int, default 100
        Number of trees.
    sample : int, default 256
        Rows that each tree is grown on (all, if there are fewer).
    alpha : float, default 0.05
        Share of clean rows that are flagged.
    action : Action or None
        What is done with flagged rows; None: ``drop``.

    Notes
    -----
    Use it as the common baseline for rows far from the reference; not for dependence that is broken within
    the range of the columns. The defaults of ``trees`` and ``sample`` are the paper's.

    References
    ----------
    .. [1] F. T. Liu, K. M. Ting and Z.-H. Zhou, "Isolation forest", IEEE International Conference on Data
       Mining, 2008, 413-422. doi:10.1109/ICDM.2008.17

    Examples
    --------
    >>> from mlopsim.quality.gate import Rows
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(300, 2))
    >>> rows = Rows(X=X, Z=X, y=np.zeros(300, np.int64), n_classes=2, features=("a", "b"))
    >>> gate = IForest()
    >>> learned = gate.learn(rows, rng)
    >>> X = np.array([[0.0, 0.0], [5.0, 5.0]])
    >>> far = Rows(X=X, Z=X, y=np.zeros(2, np.int64), n_classes=2, features=("a", "b"))
    >>> gate.score(learned, far).round(1)
    array([0.4, 0.8])
    """

    trees: int = 100
    sample: int = 256

    def __post_init__(self) -> None:
        super().__post_init__()
        check_range("gate/iforest.trees", self.trees, 1, 10**5)
        check_range("gate/iforest.sample", self.sample, 2, 10**6)

    def least(self) -> int:
        """Return 2: nothing can be cut off from one row."""
        return 2

    def fit(self, Z: np.ndarray, rng: np.random.Generator) -> Any:
        """Return the forest."""
        from sklearn.ensemble import IsolationForest

        return IsolationForest(
            n_estimators=self.trees,
            max_samples=min(self.sample, len(Z)),
            random_state=int(rng.integers(2**31 - 1)),
        ).fit(Z)

    def measure(self, model: Any, Z: np.ndarray) -> np.ndarray:
        """Return anomaly scores."""
        score: np.ndarray = -model.score_samples(Z)
        return score
