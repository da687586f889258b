"""Local outlier factor."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np

from mlopsim.core.registry import register
from mlopsim.core.spec import check_range
from mlopsim.quality.row_gate import RowGate


@register("gate", "lof")
@dataclass(kw_only=True)
class Lof(RowGate):
    r"""Local outlier factor of scikit-learn: how much denser the neighbours of a row are than the row is.

    About 1 for a row among its like. Where more than k reference rows are equal, the density around them is
    1e10, and rows next to them have huge factors.

    With the k nearest reference rows :math:`N_k(x)` and the distance :math:`d_k(o)` of o from its k-th
    neighbour,

    .. math::

        \frac{1}{k} \sum_{o \in N_k(x)} \frac{\rho(o)}{\rho(x)}, \qquad
        \rho(x) = \left(\frac{1}{k} \sum_{o \in N_k(x)} \max(d_k(o), \|x - o\|)\right)^{-1}

    Parameters
    ----------
    k : int, default 20
        Neighbours; fewer than there are reference rows.
    alpha : float, default 0.05
        Share of clean rows that are flagged.
    action : Action or None
        What is done with flagged rows; None: ``drop``.

    Notes
    -----
    Use it where normal rows have dense and thin regions; not where many rows are equal.

    References
    ----------
    .. [1] M. M. Breunig, H.-P. Kriegel, R. T. Ng and J. Sander, "LOF: identifying density-based local
       outliers", SIGMOD, 2000, 93-104. doi:10.1145/342009.335388

    Examples
    --------
    >>> from mlopsim.quality.gate import Rows
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(300, 2))
    >>> rows = Rows(X=X, Z=X, y=np.zeros(300, np.int64), n_classes=2, features=("a", "b"))
    >>> gate = Lof()
    >>> learned = gate.learn(rows, rng)
    >>> X = np.array([[0.0, 0.0], [5.0, 5.0]])
    >>> far = Rows(X=X, Z=X, y=np.zeros(2, np.int64), n_classes=2, features=("a", "b"))
    >>> gate.score(learned, far).round(1)
    array([1.1, 6.7])
    """

    k: int = 20

    def __post_init__(self) -> None:
        super().__post_init__()
        check_range("gate/lof.k", self.k, 1, 10**6)

    def least(self) -> int:
        """Return k + 1: a reference row is not its own neighbour."""
        return self.k + 1

    def fit(self, Z: np.ndarray, rng: np.random.Generator) -> Any:
        """Return the reference with its densities."""
        from sklearn.neighbors import LocalOutlierFactor

        with warnings.catch_warnings():
            # equal rows are common in categorical data; what follows from them is stated above
            warnings.filterwarnings("ignore", message="Duplicate values", category=UserWarning)
            # a tree looks at one row at a time; brute force gives last digits that depend on the other rows
            return LocalOutlierFactor(n_neighbors=self.k, novelty=True, algorithm="kd_tree").fit(Z)

    def measure(self, model: Any, Z: np.ndarray) -> np.ndarray:
        """Return factors."""
        score: np.ndarray = -model.score_samples(Z)
        return score
