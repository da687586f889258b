"""Features on a common scale, learnt from reference rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

#: smallest spread, relative to the largest value: after a constant reference any change is a large one
SMALLEST = 1e-12
#: scaled values end here, so that squares of huge ones stay finite
END = 1e6


@dataclass(frozen=True, kw_only=True)
class Scaling:
    """Maps each feature to ``(x / unit - shift) / spread``, cut off at one million either side.

    Parameters
    ----------
    unit : ndarray of float64, shape (d,)
        Largest absolute reference value of the feature, 1 if all are 0.
    shift, spread : ndarray of float64, shape (d,)
        Of the feature in that unit.

    Examples
    --------
    >>> rows = np.array([[2.0, 7.0], [4.0, 7.0]])
    >>> Scaling.standard(rows).apply(np.array([[3.0, 7.0], [5.0, 8.0]])).tolist()
    [[0.0, 0.0], [2.0, 1000000.0]]
    >>> Scaling.ranged(rows).apply(rows).tolist()
    [[0.0, 0.0], [1.0, 0.0]]
    """

    unit: np.ndarray
    shift: np.ndarray
    spread: np.ndarray

    @classmethod
    def standard(cls, rows: np.ndarray) -> Self:
        """Return the scaling to mean 0 and standard deviation 1 of reference rows (n, d), n > 0."""
        unit = _units(rows)
        scaled = rows / unit
        spread = np.maximum(scaled.std(axis=0), SMALLEST)
        return cls(unit=unit, shift=scaled.mean(axis=0), spread=spread)

    @classmethod
    def ranged(cls, rows: np.ndarray) -> Self:
        """Return the scaling of reference rows (n, d), n > 0, to the range from 0 to 1."""
        unit = _units(rows)
        scaled = rows / unit
        low = scaled.min(axis=0)
        return cls(unit=unit, shift=low, spread=np.maximum(scaled.max(axis=0) - low, SMALLEST))

    def apply(self, rows: np.ndarray) -> np.ndarray:
        """Return scaled rows, float64 of the same shape (..., d); finite."""
        # a value far beyond the reference may leave the range of float64, and ends at END as well
        with np.errstate(over="ignore"):
            scaled: np.ndarray = np.clip((rows / self.unit - self.shift) / self.spread, -END, END)
        return scaled


def _units(rows: np.ndarray) -> np.ndarray:
    unit = np.abs(rows).max(axis=0)
    return np.where(unit > 0.0, unit, 1.0)
