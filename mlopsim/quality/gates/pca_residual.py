"""Reconstruction error of the leading principal components."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from mlopsim.core.registry import register
from mlopsim.core.spec import check_range
from mlopsim.quality.row_gate import RowGate


@register("gate", "pca_residual")
@dataclass(kw_only=True)
class PcaResidual(RowGate):
    r"""Distance of a row from the plane of the reference's leading principal components.

    The encoded columns are centred on the reference, not scaled again. What is far out within the plane is
    not seen. This is not what PyOD calls PCA, which adds up the distances to the ends of all eigenvectors,
    each divided by the share of variance that it explains: ``{pyod: {detector: PCA}}``.

    With the reference's mean m and the components :math:`v_c` that are left out,

    .. math:: \sqrt{\sum_c \left(v_c^\top (x - m)\right)^2}

    Parameters
    ----------
    explained : float, default 0.9
        Share of the reference's variance that the leading components must explain; the fewest that do are
        kept, and at least one is left out (of a single column: the only one).
    alpha : float, default 0.05
        Share of clean rows that are flagged.
    action : Action or None
        What is done with flagged rows; None: ``drop``.

    Notes
    -----
    Use it where columns depend on each other linearly and an error breaks that; not for independent columns.

    References
    ----------
    .. [1] J. E. Jackson and G. S. Mudholkar, "Control procedures for residuals associated with principal
       component analysis", Technometrics 21, 1979, 341-349. doi:10.1080/00401706.1979.10489779

    Examples
    --------
    >>> from mlopsim.quality.gate import Rows
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(200, 1)) + 0.1 * rng.normal(size=(200, 2))
    >>> rows = Rows(X=X, Z=X, y=np.zeros(200, np.int64), n_classes=2, features=("a", "b"))
    >>> gate = PcaResidual()
    >>> learned = gate.learn(rows, rng)
    >>> X = np.array([[3.0, 3.0], [1.0, -1.0]])
    >>> far = Rows(X=X, Z=X, y=np.zeros(2, np.int64), n_classes=2, features=("a", "b"))
    >>> gate.score(learned, far).round(1)
    array([0.1, 1.4])
    """

    explained: float = 0.9

    def __post_init__(self) -> None:
        super().__post_init__()
        check_range("gate/pca_residual.explained", self.explained, 0.0, 1.0)

    def least(self) -> int:
        """Return 2: one row has no directions."""
        return 2

    def fit(self, Z: np.ndarray, rng: np.random.Generator) -> Any:
        """Return the mean and the components that are left out, float64 (e, q)."""
        mean = Z.mean(axis=0)
        centred = Z - mean
        values, vectors = np.linalg.eigh(np.einsum("ni,nj->ij", centred, centred) / len(Z))
        total = values.sum()
        kept = 0  # of a constant reference: any change is a change
        if total > 0.0:
            share = np.concatenate([[0.0], np.cumsum(values[::-1]) / total])
            kept = min(int(np.searchsorted(share, self.explained - 1e-12)), len(values) - 1)
        return mean, np.ascontiguousarray(vectors[:, : len(values) - kept].T)

    def measure(self, model: Any, Z: np.ndarray) -> np.ndarray:
        """Return distances."""
        from mlopsim.numerics.principal_components import residuals

        mean, left_out = model
        score = np.empty(len(Z))
        residuals(Z - mean, left_out, score)
        return score
