"""Rows of the linear program that limits add: all are linear in the traffic shares."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mlopsim.core.errors import ConfigError
from mlopsim.governance.optimum.constrained import Constrained


@dataclass(frozen=True, kw_only=True)
class Row:
    """``sum(weights * y) <= limit``.

    Parameters
    ----------
    weights : ndarray of float64, shape (m, T)
        By what can serve: the versions, then the fallback.
    limit : float
        In the unit of the weights.
    """

    weights: np.ndarray
    limit: float


def rows_of(constrained: Constrained) -> list[Row]:
    r"""Return the rows of a problem's own limits: of the mean, and of each stretch that is too long a run.

    Notes
    -----
    Of the mean, :math:`\sum_{v,t} c_{v,t} y_{v,t} \le d (T - W)`. Of a longest run of m, for all t,
    :math:`\sum_{u=t}^{t+m} \sum_v [v \text{ counts in } u]\, y_{v,u} \le m`: of m + 1 windows one does
    not count, and in that one nothing that counts has traffic.
    """
    found = []
    if np.isfinite(constrained.limit):
        found.append(Row(weights=constrained.costs, limit=constrained.allowance))
    if constrained.run is not None:
        counting, m = constrained.counting.astype(np.float64), constrained.run
        for t in range(constrained.problem.warmup, constrained.problem.T - m):
            weights = np.zeros_like(counting)
            weights[:, t : t + m + 1] = counting[:, t : t + m + 1]
            if weights.any():
                found.append(Row(weights=weights, limit=float(m)))
    return found


def floor_row(constrained: Constrained, right: np.ndarray, rows: np.ndarray, floor: float) -> Row:
    r"""Return the row of a group's accuracy floor over a block of windows.

    Parameters
    ----------
    constrained : Constrained
        The problem.
    right : ndarray of float64, shape (T, T)
        ``[v, t]``: how many rows of the group version v has right in window t.
    rows : ndarray of float64, shape (T,)
        The group's rows in each window, 0 outside the block; of a window that the fallback serves nothing
        counts.
    floor : float
        The accuracy a, 0..1.

    Notes
    -----
    :math:`\sum_{v,t} (a\, n_t - \mathrm{right}_{v,t})\, y_{v,t} \le 0`.
    """
    T = constrained.problem.T
    if right.shape != (T, T) or rows.shape != (T,):
        raise ConfigError(f"a floor needs arrays of the shapes {(T, T)} and {(T,)}")
    return Row(weights=constrained.rows(np.where(rows > 0, floor * rows - right, 0.0)), limit=0.0)


def parity_rows(
    constrained: Constrained, positive: np.ndarray, rows: np.ndarray, gap: float
) -> tuple[Row, Row]:
    r"""Return the two rows of parity between two groups over a block of windows.

    Parameters
    ----------
    constrained : Constrained
        The problem. Without a fallback the rates are those of all rows of the block.
    positive : ndarray of float64, shape (2, T, T)
        ``[g, v, t]``: how many rows of group g get the positive answer from version v in window t.
    rows : ndarray of float64, shape (2, T)
        The groups' rows in each window, 0 outside the block.
    gap : float
        Largest difference of the two rates over the block.

    Notes
    -----
    :math:`\pm \sum_{v,t} (p_{0,v,t} / N_0 - p_{1,v,t} / N_1)\, y_{v,t} \le \varepsilon`: the N do not
    depend on the version.
    """
    T = constrained.problem.T
    if positive.shape != (2, T, T) or rows.shape != (2, T):
        raise ConfigError(f"parity needs arrays of the shapes {(2, T, T)} and {(2, T)}")
    total = rows.sum(axis=1)
    if not (total > 0).all():
        raise ConfigError("a group has no rows in this block", remedy="take a longer block")
    inside = (rows > 0).any(axis=0)
    rate = constrained.rows(np.where(inside, positive[0] / total[0] - positive[1] / total[1], 0.0))
    return Row(weights=rate, limit=gap), Row(weights=-rate, limit=gap)
