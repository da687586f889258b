"""Mahalanobis distance, robust or classical."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np

from mlopsim.core.errors import DataError
from mlopsim.core.registry import register
from mlopsim.quality.row_gate import RowGate

#: variances below this share of the largest count as none
SINGULAR = 1e-10


@register("gate", "mahalanobis")
@dataclass(kw_only=True)
class Mahalanobis(RowGate):
    r"""Mahalanobis distance of a row from the centre of the reference.

    A singular covariance (columns that are constant, copies, or indicators of one feature) is inverted by
    the pseudo-inverse: directions in which the reference does not vary (or, robust, its most regular half)
    count for nothing, and changes along them are **not seen**.
    Where categories make half of the reference singular, its determinant is 0 but for rounding, and which
    half the robust estimate takes depends on the platform: its numbers then differ between fingerprints.

    With the centre m and the covariance S of the reference and its pseudo-inverse,

    .. math:: \sqrt{(x - m)^\top S^{+} (x - m)}

    Parameters
    ----------
    robust : bool, default True
        Centre and covariance by the minimum covariance determinant (MCD: of the half of the reference with
        the least of it, then corrected and re-weighted, as scikit-learn does), else by all reference rows.
    alpha : float, default 0.05
        Share of clean rows that are flagged.
    action : Action or None
        What is done with flagged rows; None: ``drop``.

    Notes
    -----
    Use it for correlated numeric columns of about normal law; not for several clusters or for mostly
    categorical columns.

    References
    ----------
    .. [1] P. J. Rousseeuw and K. Van Driessen, "A fast algorithm for the minimum covariance determinant
       estimator", Technometrics 41, 1999, 212-223. doi:10.1080/00401706.1999.10485670

    Examples
    --------
    >>> from mlopsim.quality.gate import Rows
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(200, 1)) + 0.5 * rng.normal(size=(200, 2))
    >>> rows = Rows(X=X, Z=X, y=np.zeros(200, np.int64), n_classes=2, features=("a", "b"))
    >>> gate = Mahalanobis()
    >>> learned = gate.learn(rows, rng)
    >>> X = np.array([[2.0, 2.0], [2.0, -2.0]])
    >>> far = Rows(X=X, Z=X, y=np.zeros(2, np.int64), n_classes=2, features=("a", "b"))
    >>> gate.score(learned, far).round(1)
    array([2.1, 6.4])
    """

    robust: bool = True

    def least(self) -> int:
        """Return 2: one row has no covariance."""
        return 2

    def fit(self, Z: np.ndarray, rng: np.random.Generator) -> Any:
        """Return the centre and the map (r, q) after which the covariance is that of r unit normals."""
        centre = Z.mean(axis=0)
        centred = Z - centre
        spheres, back = self._whiten(np.einsum("ni,nj->ij", centred, centred) / len(Z))
        if not self.robust:
            return centre, spheres
        from sklearn.covariance import MinCovDet

        # in the directions that vary at all: there the determinant is not 0 from the start
        state = int(rng.integers(2**31 - 1))
        try:
            with warnings.catch_warnings():
                # half of the rows in one category do not vary along its indicator: the determinant is then
                # rounding; what follows from that is stated above
                warnings.filterwarnings("ignore", message="Determinant has increased")
                found = MinCovDet(random_state=state).fit(centred @ spheres.T)
        except ValueError as error:
            raise DataError(
                f"{self.full_name}: no robust covariance of the {len(Z)} reference rows, as more than half "
                f"of them are alike ({error})",
                remedy="robust=false",
            ) from error
        inner, _ = self._whiten(found.covariance_)
        return centre + back @ found.location_, np.ascontiguousarray(inner @ spheres)

    def _whiten(self, covariance: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the map (r, q) to unit covariance, and the way back (q, r)."""
        values, vectors = np.linalg.eigh(covariance)
        varies = values > SINGULAR * max(float(values[-1]), 0.0)
        if not varies.any():
            raise DataError(
                f"{self.full_name}: the reference rows do not vary",
                remedy="use a longer warm-up or another gate",
            )
        spread = np.sqrt(values[varies])
        return np.ascontiguousarray((vectors[:, varies] / spread).T), vectors[:, varies] * spread

    def measure(self, model: Any, Z: np.ndarray) -> np.ndarray:
        """Return distances."""
        from mlopsim.numerics.principal_components import residuals

        centre, inner = model
        score = np.empty(len(Z))
        residuals(Z - centre, inner, score)
        return score
