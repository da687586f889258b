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
    r"""Distance to the k-th nearest reference row, or the mean distance to the k nearest.

    Euclidean, between encoded rows, exact.

    With the k nearest reference rows :math:`x_{(1)}, \ldots, x_{(k)}` of x by rising distance,
    :math:`\|x - x_{(k)}\|` (``largest``) or

    .. math:: \frac{1}{k} \sum_{i=1}^{k} \|x - x_{(i)}\|

    (``mean``).

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

    Notes
    -----
    Use it for rows that are far from any normal one, of whatever shape the normal ones are; not where regions
    of the reference differ much in density (``lof``).

    References
    ----------
    .. [1] S. Ramaswamy, R. Rastogi and K. Shim, "Efficient algorithms for mining outliers from large data
       sets", SIGMOD, 2000, 427-438. doi:10.1145/342009.335437 (``largest``).
    .. [2] F. Angiulli and C. Pizzuti, "Fast outlier detection in high dimensional spaces", PKDD, 2002, 15-27.
       doi:10.1007/3-540-45681-3_2 (``mean``).

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
