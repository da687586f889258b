"""z-scores of cells."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from mlopsim.core.registry import register
from mlopsim.quality.gate import Gate, Level, Rows


@register("gate", "zscore")
@dataclass(kw_only=True)
class ZScore(Gate):
    """Distance of a value from the reference's mean, in its standard deviations, cell by cell.

    Categorical and missing cells have no score, nor have those of a column without a value in the reference.
    A column that does not vary in the reference is in units of its largest value's last digits there: any
    other value is far away.

    With the mean m and the standard deviation s of the reference, :math:`|x - m| / s`.

    Parameters
    ----------
    alpha : float, default 0.05
        Share of clean rows that are flagged: the limit is one for the largest score of a row.
    action : Action or None
        What is done with flagged cells; None: ``drop`` their rows.

    Notes
    -----
    Use it for numeric cells that are far out, such as wrong units; not where the reference holds outliers,
    which widen s (``iqr``).

    References
    ----------
    .. [1] F. E. Grubbs, "Procedures for detecting outlying observations in samples", Technometrics 11, 1969,
       1-21. doi:10.1080/00401706.1969.10490657

    Examples
    --------
    >>> X = np.random.default_rng(0).normal(size=(200, 2))
    >>> rows = Rows(X=X, Z=X, y=np.zeros(200, np.int64), n_classes=2, features=("a", "b"))
    >>> gate = ZScore()
    >>> learned = gate.learn(rows, np.random.default_rng(0))
    >>> far = Rows(X=np.array([[0.0, 9.0]]), Z=np.zeros((1, 2)), y=np.zeros(1, np.int64), n_classes=2,
    ...            features=("a", "b"))
    >>> gate.score(learned, far).round(1)
    array([[0.1, 8.9]])
    """

    level: ClassVar[Level] = Level.CELL
    family: ClassVar[str] = "outlier detector"

    def learn(self, reference: Rows, rng: np.random.Generator) -> Any:
        """Return mean and standard deviation of the columns, NaN where there is none."""
        found = np.full((2, reference.X.shape[1]), np.nan)
        for j in reference.numeric:
            known = reference.X[~np.isnan(reference.X[:, j]), j]
            if len(known):
                found[:, j] = known.mean(), max(known.std(), 1e-12 * max(np.abs(known).max(), 1.0))
        return found

    def score(self, learned: Any, rows: Rows) -> np.ndarray:
        """Return the absolute z-scores of the cells."""
        mean, spread = learned
        self.check_width(len(mean), rows)
        found: np.ndarray = np.abs(rows.X - mean) / spread
        return found
