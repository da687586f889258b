"""One-class support vector machine."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from mlopsim.core.registry import register
from mlopsim.core.spec import check_range
from mlopsim.quality.row_gate import RowGate


@register("gate", "ocsvm")
@dataclass(kw_only=True)
class OcSvm(RowGate):
    r"""How far a row is outside of the boundary that scikit-learn's one-class SVM draws; negative inside.

    The kernel is a radial basis function of width ``gamma="scale"``: 1 / (columns x variance of all encoded
    values). Far away from the reference the score no longer rises.

    With weights :math:`a_i` of the support vectors and the offset :math:`\rho`,

    .. math:: \rho - \sum_i a_i \exp\left(-\gamma \|x - x_i\|^2\right)

    Parameters
    ----------
    nu : float, default 0.5
        At most this share of the reference lies outside, at least this share are support vectors.
    alpha : float, default 0.05
        Share of clean rows that are flagged.
    action : Action or None
        What is done with flagged rows; None: ``drop``.

    Notes
    -----
    Use it for a smooth boundary around one cloud of rows; not to rank rows that are all far out.

    References
    ----------
    .. [1] B. Schölkopf, J. C. Platt, J. Shawe-Taylor, A. J. Smola and R. C. Williamson, "Estimating the
       support of a high-dimensional distribution", Neural Computation 13, 2001, 1443-1471.
       doi:10.1162/089976601750264965

    Examples
    --------
    >>> from mlopsim.quality.gate import Rows
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(300, 2))
    >>> rows = Rows(X=X, Z=X, y=np.zeros(300, np.int64), n_classes=2, features=("a", "b"))
    >>> gate = OcSvm()
    >>> learned = gate.learn(rows, rng)
    >>> X = np.array([[0.0, 0.0], [5.0, 5.0]])
    >>> far = Rows(X=X, Z=X, y=np.zeros(2, np.int64), n_classes=2, features=("a", "b"))
    >>> gate.score(learned, far) > 0.0
    array([False,  True])
    """

    nu: float = 0.5

    def __post_init__(self) -> None:
        super().__post_init__()
        check_range("gate/ocsvm.nu", self.nu, 0.0, 1.0, open_low=True)

    def fit(self, Z: np.ndarray, rng: np.random.Generator) -> Any:
        """Return the machine."""
        from sklearn.svm import OneClassSVM

        machine = OneClassSVM(nu=self.nu, gamma="scale")
        # of no consequence here, but drawn from the global random numbers where it is not set
        machine.random_state = 0
        return machine.fit(Z)

    def measure(self, model: Any, Z: np.ndarray) -> np.ndarray:
        """Return minus the decision function."""
        score: np.ndarray = -model.decision_function(Z)
        return score
