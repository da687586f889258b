"""The contract of gates that score encoded rows, one by one, against reference rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from mlopsim.core.errors import DataError
from mlopsim.quality.gate import Gate, Rows

#: encoded values end here, so that squares and single precision of huge ones stay finite
END = 1e9


def bounded(gate: Gate, rows: Rows) -> np.ndarray:
    """Return encoded rows, C-contiguous, cut off at one billion either side.

    Raises
    ------
    DataError
        If a value is missing in them.

    Examples
    --------
    >>> from mlopsim.core.spec import make
    >>> X = np.array([[1e300, -2.0]])
    >>> rows = Rows(X=X, Z=X, y=np.zeros(1, np.int64), n_classes=2, features=("a", "b"))
    >>> bounded(make("gate", "knn"), rows).tolist()
    [[1000000000.0, -2.0]]
    """
    if np.isnan(rows.Z).any():
        raise DataError(
            f"{gate.full_name}: encoded rows hold missing values",
            remedy="encode them with the warm-up's encoder",
        )
    return np.ascontiguousarray(np.clip(rows.Z, -END, END))


@dataclass(kw_only=True)
class RowGate(Gate):
    """Base of gates that score encoded rows: a gate defines :meth:`fit` and :meth:`measure`.

    Encoded values are cut off at one billion either side (see :func:`bounded`).

    Parameters
    ----------
    alpha : float, default 0.05
        Share of clean rows that are flagged.
    action : Action or None
        What is done with flagged rows; None: ``drop``.
    """

    family: ClassVar[str] = "outlier detector"

    def fit(self, Z: np.ndarray, rng: np.random.Generator) -> Any:
        """Return what is learnt from encoded reference rows (n, q), n at least :meth:`least`."""
        raise NotImplementedError

    def measure(self, model: Any, Z: np.ndarray) -> np.ndarray:
        """Return the scores of encoded rows (n, q), n > 0; float64 (n,)."""
        raise NotImplementedError

    def least(self) -> int:
        """Return how many reference rows are needed."""
        return 1

    def learn(self, reference: Rows, rng: np.random.Generator) -> Any:
        """Return number of encoded columns, and what is learnt."""
        if len(reference) < self.least():
            raise DataError(
                f"{self.full_name} needs at least {self.least()} reference rows, there are {len(reference)}",
                remedy="use a longer warm-up" + (", or a smaller k" if hasattr(self, "k") else ""),
            )
        Z = bounded(self, reference)
        return Z.shape[1], self.fit(Z, rng)

    def score(self, learned: Any, rows: Rows) -> np.ndarray:
        """Return scores of the rows."""
        width, model = learned
        Z = bounded(self, rows)
        if Z.shape[1] != width:
            raise DataError(
                f"{self.full_name}: the rows have {Z.shape[1]} encoded columns, the reference {width}"
            )
        return self.measure(model, Z) if len(Z) else np.empty(0)
