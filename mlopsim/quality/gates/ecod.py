"""Tail probabilities of the columns, added up."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from mlopsim.core.registry import register
from mlopsim.quality.row_gate import RowGate


@register("gate", "ecod")
@dataclass(kw_only=True)
class Ecod(RowGate):
    r"""Sum over the encoded columns of the larger tail score, by the empirical distribution of the reference.

    A tail score is minus the logarithm of the share of values at most (at least) this one, among n reference
    values and the value itself: at most ``log(n + 1)``, however far out it is. As in PyOD, the larger of left
    tail, right tail and the tail that the skewness points to is taken column by column (the paper takes the
    largest of the three sums). So the skewness only matters where it is 0: there both tails are added up.
    PyOD scores new rows among the reference *and all rows that are scored with them*; here only among the
    reference, whose skewness it is, too.

    With n reference values :math:`x_{ij}` of column j,

    .. math::

        \sum_j \max(l_j, r_j), \quad l_j = -\log \frac{\#\{i: x_{ij} \le x_j\} + 1}{n + 1}, \quad
        r_j = -\log \frac{\#\{i: x_{ij} \ge x_j\} + 1}{n + 1}

    and :math:`l_j + r_j` for a column of skewness 0.

    Parameters
    ----------
    alpha : float, default 0.05
        Share of clean rows that are flagged.
    action : Action or None
        What is done with flagged rows; None: ``drop``.

    Notes
    -----
    Use it for values that are extreme in single columns; it has nothing to set. Not for rows whose columns
    are right one by one and wrong together.

    References
    ----------
    .. [1] Z. Li, Y. Zhao, X. Hu, N. Botta, C. Ionescu and G. H. Chen, "ECOD: unsupervised outlier detection
       using empirical cumulative distribution functions", IEEE Transactions on Knowledge and Data
       Engineering 35, 2023. doi:10.1109/TKDE.2022.3159580

    Examples
    --------
    >>> from mlopsim.quality.gate import Rows
    >>> X = np.array([[1.0], [2.0], [3.0], [9.0]])
    >>> rows = Rows(X=X, Z=X, y=np.zeros(4, np.int64), n_classes=2, features=("a",))
    >>> gate = Ecod()
    >>> learned = gate.learn(rows, np.random.default_rng(0))
    >>> np.exp(-gate.score(learned, rows)).round(3)  # of five values each: 2, 3, 3 and 2 on the rarer side
    array([0.4, 0.6, 0.6, 0.4])
    """

    def fit(self, Z: np.ndarray, rng: np.random.Generator) -> Any:
        """Return the sorted columns, which of them have no skewness, and the table of logarithms."""
        n = len(Z)
        gaps = Z - Z.mean(axis=0)
        squares, cubes = gaps * gaps, gaps * gaps * gaps
        # a column is constant, for scipy's skewness, where its spread is within the rounding of its mean
        constant = squares.mean(axis=0) <= (np.finfo(np.float64).eps * Z.mean(axis=0)) ** 2
        # what rounding leaves of cubes that cancel has a sign, too
        even = constant | (np.abs(cubes.mean(axis=0)) <= 1e-12 * np.abs(cubes).mean(axis=0))
        log = -np.log(np.arange(1, n + 2) / (n + 1))
        return np.sort(np.ascontiguousarray(Z.T), axis=1), even, log

    def measure(self, model: Any, Z: np.ndarray) -> np.ndarray:
        """Return sums of tail scores."""
        from mlopsim.quality.kernels.tails import measure

        score = np.empty(len(Z))
        measure(*model, Z, score)
        return score
