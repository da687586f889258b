"""What is in control: told, estimated from windows of phase I, or based anew on every version."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

import numpy as np

from mlopsim.core.errors import DataError
from mlopsim.governance.monitoring.rates import Rate, share


class Spread(Enum):
    """How much windows in control differ: as ``binomial`` counts do, or as ``estimated`` from phase I."""

    BINOMIAL = "binomial"
    ESTIMATED = "estimated"


@dataclass(frozen=True, kw_only=True)
class Reference:
    """Confusion in control, with which charts compare.

    Parameters
    ----------
    cells : ndarray of float64, shape (N or 1, T or 1, G, C, C)
        Counts or probabilities ``[y, yhat]``, of all groups on one scale; 0 everywhere: nothing is known.
    rho : ndarray of float64, shape (N or 1,)
        Intraclass correlation of the rows of a group in one window; 0: windows are binomial.
    windows : ndarray of int64, shape (N or 1, m, G, C, C), or None
        The windows of phase I, where there were any.

    Notes
    -----
    Cells of a window are Dirichlet-multinomial: a rate whose denominator has the share pi of a group's rows
    is beta-binomial given its rows, with the correlation ``rho / (rho + (1 - rho) pi)`` (the ratio of
    Dirichlet components keeps their shapes).
    """

    cells: np.ndarray
    rho: np.ndarray
    windows: np.ndarray | None = None

    def __post_init__(self) -> None:
        if self.cells.ndim != 5 or self.rho.ndim != 1:
            raise DataError(
                f"a reference has cells (N, T, G, C, C) and rho (N,), got {self.cells.shape} and "
                f"{self.rho.shape}"
            )
        if not bool(((self.rho >= 0.0) & (self.rho < 1.0)).all()):
            raise DataError("rho must be in [0, 1)", remedy="0: windows are binomial")

    def one(self, i: int) -> Reference:
        """Return the reference of one deployment."""
        return Reference(
            cells=self.cells[i : i + 1],
            rho=self.rho[i : i + 1],
            windows=None if self.windows is None else self.windows[i : i + 1],
        )

    def levels(self, rate: Rate) -> tuple[np.ndarray, np.ndarray]:
        """Return the share of successes of all rows (N, T) and of groups (N, T, G); NaN: not known."""
        k, n = rate.counted(self.cells)
        return share(k.sum(axis=-1), n.sum(axis=-1)), share(k, n)

    def correlation(self, rate: Rate) -> np.ndarray:
        """Return the intraclass correlation of a rate within groups, float64 (N, T, G).

        Examples
        --------
        >>> cells = np.array([[30.0, 20.0], [10.0, 40.0]])[None, None, None]
        >>> told = Reference(cells=cells, rho=np.array([0.01]))
        >>> told.correlation(Rate.ACCURACY).ravel(), told.correlation(Rate.RECALL).ravel().round(4)
        (array([0.01]), array([0.0198]))
        """
        _, n = rate.counted(self.cells)
        part = share(n, self.cells.sum(axis=(-2, -1)))
        rho = np.broadcast_to(self.rho[:, None, None], part.shape)
        # without correlation there is none, also where nothing is known of a group
        part = np.where(part > 0.0, part, 1.0)
        found: np.ndarray = np.where(rho > 0.0, rho / (rho + (1.0 - rho) * part), 0.0)
        return found


def estimated(windows: np.ndarray, spread: Spread = Spread.BINOMIAL) -> Reference:
    """Return the reference that m windows of phase I give.

    Parameters
    ----------
    windows : ndarray of int64, shape (N, m, G, C, C)
    spread : Spread
        ``estimated``: the intraclass correlation is that of :func:`intraclass_correlation`.

    Raises
    ------
    DataError
        If there is no window, or fewer than two where the spread is estimated.

    Examples
    --------
    >>> windows = np.array([[[[[8, 2], [1, 9]]], [[[6, 4], [3, 7]]]]])
    >>> estimated(windows).levels(Rate.ACCURACY)[0]
    array([[0.75]])
    """
    if windows.ndim != 5 or windows.shape[1] < (2 if spread is Spread.ESTIMATED else 1):
        raise DataError(
            f"phase I needs windows (N, m, G, C, C), got {windows.shape}",
            remedy="at least one, and two where their spread is estimated",
        )
    correlated = spread is Spread.ESTIMATED
    rho = intraclass_correlation(windows) if correlated else np.zeros(len(windows))
    cells = windows.sum(axis=1, keepdims=True).astype(np.float64)
    return Reference(cells=cells, rho=rho, windows=windows)


def intraclass_correlation(windows: np.ndarray) -> np.ndarray:
    """Return the intraclass correlation of rows within windows, by moments.

    Pearson's statistic of the table window by cell, X2, has the mean
    ``(c - 1) [m - 1 + rho sum_i (1 - n_i / N)(n_i - 1)]`` (near enough) for c cells that occur; solved for
    rho, groups together, never below 0.

    Parameters
    ----------
    windows : ndarray of int64, shape (N, m, G, C, C)

    Returns
    -------
    ndarray of float64, shape (N,)
        At most .5.

    References
    ----------
    Brier (1980), *Analysis of contingency tables under cluster sampling*, Biometrika 67, 591-596.

    Examples
    --------
    >>> apart = np.array([[[[[100, 0], [0, 0]]], [[[0, 0], [0, 100]]]]])
    >>> intraclass_correlation(apart), intraclass_correlation(np.repeat(apart[:, :1], 2, axis=1))
    (array([0.5]), array([0.]))
    """
    flat = windows.reshape(*windows.shape[:3], -1).astype(np.float64)
    rows = flat.sum(axis=-1)
    whole = rows.sum(axis=1)
    total = flat.sum(axis=1)
    mean = np.divide(total, whole[..., None], out=np.zeros_like(total), where=whole[..., None] > 0)
    expected = rows[..., None] * mean[:, None]
    gaps = np.divide((flat - expected) ** 2, expected, out=np.zeros_like(flat), where=expected > 0)
    statistic = gaps.sum(axis=(1, 3))
    free = np.maximum((total > 0).sum(axis=-1) - 1, 0)
    there = (rows > 0).sum(axis=1) - 1
    weight = np.divide(rows, whole[:, None], out=np.zeros_like(rows), where=whole[:, None] > 0)
    slope = ((1.0 - weight) * np.maximum(rows - 1.0, 0.0)).sum(axis=1)
    surplus = (statistic - free * there).sum(axis=-1)
    scale = (free * slope).sum(axis=-1)
    found = np.divide(surplus, scale, out=np.zeros_like(surplus), where=scale > 0)
    clipped: np.ndarray = np.clip(found, 0.0, 0.5)
    return clipped


def rebased(counts: np.ndarray, versions: np.ndarray, learn: int) -> Reference:
    """Return a reference that starts anew at each switch: the first windows of each version that serves.

    Such charts see what happens to a version, never that each version is a little worse than the one before:
    set an absolute floor beside them (``monitor/floor``).

    Parameters
    ----------
    counts : ndarray of int64, shape (N, T, G, C, C)
    versions : ndarray of int64, shape (N, T)
        What served.
    learn : int
        Windows that a version's own level takes; nothing is known in them.

    Returns
    -------
    Reference
        With cells (N, T, G, C, C): of each window that of its version.

    Raises
    ------
    DataError
        If shapes do not fit or nothing would be learnt.

    Examples
    --------
    >>> counts = np.tile([[1, 1], [1, 7]], (1, 4, 1, 1, 1))
    >>> based = rebased(counts, np.array([[3, 3, 4, 4]]), learn=1)
    >>> based.levels(Rate.ACCURACY)[0]
    array([[nan, 0.8, nan, 0.8]])
    """
    if versions.shape != counts.shape[:2]:
        raise DataError(
            f"versions (N, T) do not fit counts (N, T, ...): {versions.shape}, {counts.shape}",
            remedy="name what served each window of each deployment",
        )
    if learn < 1:
        raise DataError(f"a level is learnt from one window or more, got {learn}")
    windows = counts.shape[1]
    place = np.arange(windows)
    switched = np.ones(versions.shape, dtype=bool)
    switched[:, 1:] = versions[:, 1:] != versions[:, :-1]
    since = np.maximum.accumulate(np.where(switched, place, 0), axis=1)
    running = np.concatenate([np.zeros_like(counts[:, :1]), counts], axis=1).cumsum(axis=1)
    rows = np.arange(len(counts))[:, None]
    end = np.minimum(since + learn, windows)
    cells = (running[rows, end] - running[rows, since]).astype(np.float64)
    cells[place < since + learn] = 0.0
    return Reference(cells=cells, rho=np.zeros(len(counts)))
