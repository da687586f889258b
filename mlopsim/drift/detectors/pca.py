"""Principal components: a shift of the reconstruction error."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from mlopsim.core.registry import register
from mlopsim.core.spec import check_range
from mlopsim.drift.row_scored import RowScored
from mlopsim.numerics.scaling import Scaling


@register("detector", "pca")
@dataclass(kw_only=True)
class PCA(RowScored):
    r"""Shift of the error with which the leading principal components of the reference reconstruct rows.

    Features are standardised on the reference. The error of a row is its distance from the plane of the
    leading components. Changes within that plane are not seen.

    With the components :math:`v_c` of the standardised reference that are left out,

    .. math:: m(x) = \sqrt{\sum_c (v_c^\top x)^2}

    The score of a window is that of the rank-sum test of its rows' :math:`m(x)` against those of the n
    held-out reference rows (:class:`mlopsim.drift.row_scored.RowScored`):
    :math:`|U - n r / 2| / \mathrm{sd}(U)`.

    Parameters
    ----------
    explained : float, default 0.65
        Share of the reference's variance that the leading components must explain; the fewest that do are
        kept, and at least one is left out (of a single feature: the only one).
    z, reference
        See :class:`mlopsim.drift.row_scored.RowScored`.

    Notes
    -----
    Use it for correlated features whose relation breaks; not for independent ones, where no plane is special.

    References
    ----------
    .. [1] J. E. Jackson and G. S. Mudholkar, "Control procedures for residuals associated with principal
       component analysis", Technometrics 21, 1979, 341-349. doi:10.1080/00401706.1979.10489779
    .. [2] A. A. Qahtan, B. Alharbi, S. Wang and X. Zhang, "A PCA-based change detection framework for
       multidimensional data streams", KDD, 2015, 935-944. doi:10.1145/2783258.2783359 (related: densities
       along the components).

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> windows = rng.normal(size=(20, 50, 1)) + 0.1 * rng.normal(size=(20, 50, 3))
    >>> windows[15:, :, 0] *= -1.0
    >>> PCA(z=5.0).alarms(windows)
    array([15])
    """

    explained: float = 0.65

    def __post_init__(self) -> None:
        super().__post_init__()
        check_range("detector/pca.explained", self.explained, 0.0, 1.0)

    def fit(self, rows: np.ndarray) -> Any:
        """Return scaling and the components that are left out, float64 (e, d)."""
        scaling = Scaling.standard(rows)
        scaled = scaling.apply(rows)
        covariance = np.einsum("ni,nj->ij", scaled, scaled) / len(rows)
        values, vectors = np.linalg.eigh(covariance)
        total = values.sum()
        kept = 0  # of a constant reference: any change is a change
        if total > 0.0:
            share = np.concatenate([[0.0], np.cumsum(values[::-1]) / total])
            kept = min(int(np.searchsorted(share, self.explained - 1e-12)), len(values) - 1)
        return scaling, np.ascontiguousarray(vectors[:, : len(values) - kept].T)

    def measure(self, model: Any, rows: np.ndarray) -> np.ndarray:
        """Return reconstruction errors."""
        from mlopsim.numerics.principal_components import residuals

        scaling, left_out = model
        score = np.empty(len(rows))
        residuals(scaling.apply(rows), left_out, score)
        return score
