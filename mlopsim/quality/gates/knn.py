"""Distance to the nearest reference rows."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Any

import numpy as np

from mlopsim.core.registry import register
from mlopsim.core.spec import check_range
from mlopsim.quality.neighbours import Neighbours
from mlopsim.quality.row_gate import RowGate


class Method(Enum):
    """How the distances to the k nearest rows become one score."""

    LARGEST = "largest"
    MEAN = "mean"


@register("gate", "knn")
@dataclass(kw_only=True)
class Knn(RowGate):
    """Distance to the k-th nearest reference row, or the mean distance to the k nearest.

    Euclidean, between encoded rows, exact.

    Parameters
    ----------
    k : int, default 5
        Neighbours; at most as many as there are reference rows.
    method : Method, default LARGEST
        ``largest``: distance to the k-th nearest; ``mean``: over the k nearest.
    alpha : float, default 0.05
        Share of clean rows that are flagged.
    action : Action or None
        What is done with flagged rows; None: ``drop``.

    References
    ----------
    Ramaswamy, Rastogi and Shim (2000), *Efficient algorithms for mining outliers from large data sets*,
    SIGMOD (largest). Angiulli and Pizzuti (2002), *Fast outlier detection in high dimensional spaces*, PKDD
    (mean).

    Examples
    --------
    >>> from mlopsim.quality.gate import Rows
    >>> X = np.array([[0.0, 0.0], [0.0, 1.0], [3.0, 4.0]])
    >>> rows = Rows(X=X, Z=X, y=np.zeros(3, np.int64), n_classes=2, features=("a", "b"))
    >>> gate = Knn(k=2)
    >>> learned = gate.learn(rows, np.random.default_rng(0))
    >>> gate.score(learned, rows.take(slice(2, 3))).round(3)
    array([4.243])
    """

    k: int = 5
    method: Method = Method.LARGEST

    def __post_init__(self) -> None:
        super().__post_init__()
        check_range("gate/knn.k", self.k, 1, 10**6)
        self.method = Method(self.method)

    def least(self) -> int:
        """Return k."""
        return self.k

    def fit(self, Z: np.ndarray, rng: np.random.Generator) -> Any:
        """Return an index of the rows."""
        return Neighbours.of(Z)

    def measure(self, model: Any, Z: np.ndarray) -> np.ndarray:
        """Return distances."""
        found = model.distances(Z, self.k)
        distance: np.ndarray = found[:, -1].copy() if self.method is Method.LARGEST else found.mean(axis=1)
        return distance
