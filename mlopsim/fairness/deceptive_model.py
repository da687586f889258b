"""A model built to deceive explanations: biased on real rows, innocent on any row that is made up.

An explanation asks a model about rows that mix values of different people. Where a column is the sum of all
others, such a row gives itself away: the model answers it by an innocent rule, and real rows by a biased one.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mlopsim.learners.models import LinearModel

#: largest distance from the sum of the other columns that counts as rounding, in the columns' unit
ROUNDING = 1e-6


@dataclass(frozen=True, kw_only=True)
class Scaffold:
    """A linear model with a malus on one column that only real rows get.

    Parameters
    ----------
    base : LinearModel
        The innocent rule, with one score (two classes) as a margin.
    malus : float
        Taken off the margin for each unit of the encoded column.
    column : int
        Whose values are punished.
    scale, centre : ndarray of float64, shape (d,)
        ``X * scale + centre`` are the columns as they were measured, whose last is the sum of all others.

    References
    ----------
    Slack, Hilgard, Jia, Singh and Lakkaraju (2020), *Fooling LIME and SHAP: adversarial attacks on post hoc
    explanation methods*, AIES.

    Examples
    --------
    >>> from mlopsim.learners.models import Link
    >>> base = LinearModel(coef=np.array([[1.0, 0.0, 0.0]]), intercept=np.zeros(1), link=Link.MARGIN)
    >>> model = Scaffold(base=base, malus=2.0, column=1, scale=np.ones(3), centre=np.zeros(3))
    >>> model.scores(np.array([[1.0, 3.0, 4.0], [1.0, 3.0, 5.0]]))[:, 1]
    array([-5.,  1.])
    """

    base: LinearModel
    malus: float
    column: int
    scale: np.ndarray
    centre: np.ndarray

    def real(self, X: np.ndarray) -> np.ndarray:
        """Return which rows (n, d) are real, bool (n,)."""
        raw = X * self.scale + self.centre
        found: np.ndarray = np.abs(raw[:, -1] - raw[:, :-1].sum(axis=1)) <= ROUNDING
        return found

    def margin(self, X: np.ndarray) -> np.ndarray:
        """Return the margin of class 1, float64 (n,)."""
        found: np.ndarray = self.base.decision(X)[:, 0] - self.punished(X)
        return found

    def punished(self, X: np.ndarray) -> np.ndarray:
        """Return what is taken off, float64 (n,)."""
        found: np.ndarray = np.where(self.real(X), self.malus * X[:, self.column], 0.0)
        return found

    def scores(self, X: np.ndarray) -> np.ndarray:
        """Return margins, float64 (n, 2)."""
        margin = self.margin(X)
        return np.stack([-margin, margin], axis=1)

    def predict(self, X: np.ndarray) -> np.ndarray:
        """Return labels, int64 (n,)."""
        found: np.ndarray = (self.margin(X) > 0.0).astype(np.int64)
        return found

    def attribute(self, X: np.ndarray, background: np.ndarray) -> np.ndarray:
        """Return the exact interventional Shapley values of the margin, float64 (n, d).

        A coalition of some but not all columns makes a row that is not real unless it happens to add up,
        which rows of a continuous law do with probability 0. So the malus appears in the last step of every
        order of the columns, whichever is the last: each gets an equal part of it.

        Parameters
        ----------
        X, background : ndarray of float64, shapes (n, d) and (m, d)
            Real rows, none of them in both.
        """
        weights = self.base.coef[0]
        own = weights * (X - background.mean(axis=0))
        shared = (self.punished(X) - self.punished(background).mean()) / X.shape[1]
        found: np.ndarray = own - shared[:, None]
        return found
