"""A gate of one's own: `mlopsim bench suite=quality-core --plugin gate.py methods=[far_out,zscore]`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

import mlopsim
from mlopsim.quality import RowGate


@mlopsim.register("gate", "far_out")
@dataclass(kw_only=True)
class FarOut(RowGate):
    """Distance of a row's most unusual value from the median, in median absolute deviations.

    Parameters
    ----------
    alpha : float
        Share of clean rows that are flagged.
    action : Action or None
        What is done with flagged rows; None: ``drop``.

    Examples
    --------
    >>> gate, Z = FarOut(), np.random.default_rng(0).normal(size=(500, 2))
    >>> gate.measure(gate.fit(Z, np.random.default_rng(0)), np.array([[0.0, 0.0], [0.0, 6.0]])).round(1)
    array([0.2, 9.8])
    """

    def fit(self, Z: np.ndarray, rng: np.random.Generator) -> Any:
        """Learn from clean rows; what is learnt is returned, not kept."""
        centre = np.median(Z, axis=0)
        spread = np.median(np.abs(Z - centre), axis=0)
        # of a column in which half of the rows are equal: its standard deviation, or 1 where all are
        spread = np.where(spread > 0.0, spread, Z.std(axis=0))
        return centre, np.where(spread > 0.0, spread, 1.0)

    def measure(self, model: Any, Z: np.ndarray) -> np.ndarray:
        """Score rows: larger is more unusual. The limit is calibrated by the track."""
        centre, spread = model
        found: np.ndarray = (np.abs(Z - centre) / spread).max(axis=1)
        return found
