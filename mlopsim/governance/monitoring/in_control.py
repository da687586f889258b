"""Laws of confusion counts: windows in control, binomial or overdispersed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mlopsim.core.errors import DataError
from mlopsim.governance.monitoring.reference import Reference


@dataclass(frozen=True, kw_only=True)
class Law:
    """Windows that are independent draws of one law.

    Each group has ``rows`` rows a window, whose cells are multinomial; with ``rho > 0`` the probabilities of
    a group are drawn anew in each window from the Dirichlet law with the precision ``(1 - rho) / rho``: all
    rates are beta-binomial given their rows, the accuracy with the intraclass correlation rho (others:
    :meth:`mlopsim.governance.monitoring.reference.Reference.correlation`).

    Parameters
    ----------
    cells : ndarray of float64, shape (G, C, C)
        Probabilities ``[y, yhat]`` within each group.
    rows : ndarray of int64, shape (G,)
        Rows of each group in a window.
    rho : float
        Intraclass correlation, 0 (multinomial) to .5.

    Raises
    ------
    DataError
        If shapes do not fit, probabilities of a group do not sum to 1, or rho is out of range.

    Examples
    --------
    >>> fair = law(base=(0.5, 0.5), recall=(0.8, 0.8), false_positive_rate=(0.2, 0.2), rows=(200, 100))
    >>> fair.draw(1000, 1, np.random.default_rng(0)).shape
    (1000, 1, 2, 2, 2)
    """

    cells: np.ndarray
    rows: np.ndarray
    rho: float = 0.0

    def __post_init__(self) -> None:
        shape = self.cells.shape
        if len(shape) != 3 or shape[1] != shape[2] or self.rows.shape != shape[:1]:
            raise DataError(f"a law has cells (G, C, C) and rows (G,), got {shape} and {self.rows.shape}")
        proper = (self.cells >= 0.0).all() and np.allclose(self.cells.sum(axis=(1, 2)), 1.0, atol=1e-9)
        if not proper:
            raise DataError("the cells of each group must be probabilities", remedy="divide by their sum")
        if (self.rows < 0).any() or self.rows.dtype.kind not in "iu":
            raise DataError("rows must be whole numbers from 0 on")
        if not 0.0 <= self.rho <= 0.5:
            raise DataError(f"rho must be in [0, .5], got {self.rho}")

    def reference(self) -> Reference:
        """Return what a monitor that is told this law compares with."""
        cells = self.cells * self.rows[:, None, None]
        return Reference(cells=cells[None, None].astype(np.float64), rho=np.array([self.rho]))

    def draw(self, deployments: int, windows: int, rng: np.random.Generator) -> np.ndarray:
        """Return counts, int64 (N, T, G, C, C)."""
        groups, classes = self.cells.shape[:2]
        p = self.cells.reshape(groups, -1)
        shape = (deployments, windows, groups)
        if self.rho > 0.0:
            drawn = rng.standard_gamma(p * (1.0 - self.rho) / self.rho, size=(*shape, p.shape[1]))
            p = drawn / drawn.sum(axis=-1, keepdims=True)
        else:
            p = np.broadcast_to(p / p.sum(axis=-1, keepdims=True), (*shape, p.shape[1]))
        found: np.ndarray = rng.multinomial(np.broadcast_to(self.rows, shape), p)
        return found.astype(np.int64).reshape(*shape, classes, classes)


def law(
    *,
    base: tuple[float, ...],
    recall: tuple[float, ...],
    false_positive_rate: tuple[float, ...],
    rows: tuple[int, ...],
    rho: float = 0.0,
) -> Law:
    """Return the law of two classes with these rates by group.

    Parameters
    ----------
    base : tuple of float
        Share of positive rows of each group.
    recall, false_positive_rate : tuple of float
        Of each group.
    rows : tuple of int
        Rows of each group in a window.
    rho : float, default 0
        Intraclass correlation.

    Examples
    --------
    >>> law(base=(0.4,), recall=(0.75,), false_positive_rate=(0.1,), rows=(100,)).cells.round(2)
    array([[[0.54, 0.06],
            [0.1 , 0.3 ]]])
    """
    b, r, f = np.array(base), np.array(recall), np.array(false_positive_rate)
    if not b.shape == r.shape == f.shape == (len(rows),):
        raise DataError("base, recall, false_positive_rate and rows have one entry a group")
    cells = np.stack(
        [np.stack([(1 - b) * (1 - f), (1 - b) * f], -1), np.stack([b * (1 - r), b * r], -1)], axis=1
    )
    return Law(cells=cells, rows=np.array(rows, dtype=np.int64), rho=rho)


def law_of(reference: Reference, rows: np.ndarray) -> Law:
    """Return the law that the reference of one deployment is of: from it a bootstrap draws.

    Parameters
    ----------
    reference : Reference
        Of one deployment, the same for all windows.
    rows : ndarray of int64, shape (G,)
        Rows of each group in a window.

    Raises
    ------
    DataError
        If it is of several deployments or windows, or knows nothing of a group that has rows.

    Examples
    --------
    >>> told = law(base=(0.5,), recall=(0.8,), false_positive_rate=(0.2,), rows=(100,), rho=0.01)
    >>> law_of(told.reference(), told.rows).rho
    0.01
    """
    if reference.cells.shape[:2] != (1, 1):
        raise DataError(f"one reference is asked for, got cells {reference.cells.shape}")
    cells = reference.cells[0, 0]
    whole = cells.sum(axis=(1, 2), keepdims=True)
    if ((whole[:, 0, 0] <= 0.0) & (rows > 0)).any():
        raise DataError("phase I has no rows of a group", remedy="observe more windows first")
    flat = np.full_like(cells, 1.0 / cells[0].size)
    shares = np.divide(cells, whole, out=flat, where=whole > 0.0)
    return Law(cells=shares, rows=rows, rho=float(min(reference.rho[0], 0.5)))
