"""Distance of cells beyond the quartiles."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from mlopsim.core.registry import register
from mlopsim.quality.gate import Gate, Level, Rows

#: interquartile range of a normal law, in its standard deviations
NORMAL = 1.3489795003921634


@register("gate", "iqr")
@dataclass(kw_only=True)
class Iqr(Gate):
    r"""Distance of a value beyond the reference's quartiles, in its interquartile ranges, cell by cell.

    0 between the quartiles; Tukey's fences are at 1.5. Categorical and missing cells have no score, nor have
    those of a column without a value in the reference. Where both quartiles are the same value, the unit is
    1.349 standard deviations (the interquartile range of a normal law); in a constant column it is the last
    digits of the value: any other one is far away.

    With the quartiles :math:`q_1` and :math:`q_3` of the reference,

    .. math:: \frac{\max(0, q_1 - x, x - q_3)}{q_3 - q_1}

    Parameters
    ----------
    alpha : float, default 0.05
        Share of clean rows that are flagged: the limit is one for the largest score of a row.
    action : Action or None
        What is done with flagged cells; None: ``drop`` their rows.

    Notes
    -----
    Use it for cells that are far out, where the reference itself may hold some outliers; not for skewed
    columns, whose long tail is far out by nature.

    References
    ----------
    .. [1] J. W. Tukey, "Exploratory Data Analysis", Addison-Wesley, 1977, chapter 2.

    Examples
    --------
    >>> X = np.arange(101.0)[:, None]
    >>> rows = Rows(X=X, Z=X, y=np.zeros(101, np.int64), n_classes=2, features=("a",))
    >>> gate = Iqr()
    >>> learned = gate.learn(rows, np.random.default_rng(0))
    >>> X = np.array([[50.0], [0.0], [175.0]])
    >>> far = Rows(X=X, Z=X, y=np.zeros(3, np.int64), n_classes=2, features=("a",))
    >>> gate.score(learned, far).T
    array([[0. , 0.5, 2. ]])
    """

    level: ClassVar[Level] = Level.CELL
    family: ClassVar[str] = "outlier detector"

    def learn(self, reference: Rows, rng: np.random.Generator) -> Any:
        """Return quartiles and units of the columns, NaN where there is none."""
        found = np.full((3, reference.X.shape[1]), np.nan)
        for j in reference.numeric:
            known = reference.X[~np.isnan(reference.X[:, j]), j]
            if not len(known):
                continue
            low, high = np.quantile(known, [0.25, 0.75])
            unit = high - low if high > low else NORMAL * known.std()
            found[:, j] = low, high, max(unit, 1e-12 * max(np.abs(known).max(), 1.0))
        return found

    def score(self, learned: Any, rows: Rows) -> np.ndarray:
        """Return the distances of the cells."""
        low, high, unit = learned
        self.check_width(len(unit), rows)
        found: np.ndarray = np.maximum(np.maximum(low - rows.X, rows.X - high), 0.0) / unit
        return found
