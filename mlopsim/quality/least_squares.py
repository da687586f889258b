"""What one row does to the ridge learner's regressions: exactly, and to first order."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

#: of a row with a leverage so near 1 the downdate would lose digits
STEEP = 1e-4


def targets(y: np.ndarray, n_classes: int) -> np.ndarray:
    """Return -1 and +1, one column a regression: of class 1 for two classes, else of every class.

    Examples
    --------
    >>> targets(np.array([0, 1]), 2).tolist(), targets(np.array([2]), 3).tolist()
    ([[-1.0], [1.0]], [[-1.0, -1.0, 1.0]])
    """
    classes = np.arange(1, 2) if n_classes == 2 else np.arange(n_classes)
    return np.where(y[:, None] == classes, 1.0, -1.0)


@dataclass(frozen=True, kw_only=True)
class Regression:
    """Least squares with penalised coefficients and a free intercept, in closed form.

    The risk is the mean squared error of the targets of other rows, over rows and regressions. A regression
    whose class is absent (or alone) predicts its one target.

    Parameters
    ----------
    mean : ndarray of float64, shape (q,)
        Of the training rows.
    level : ndarray of float64, shape (K,)
        Mean targets.
    coef : ndarray of float64, shape (q, K)
    half : ndarray of float64, shape (q, q)
        ``half @ half.T`` is the inverse of the penalised scatter.
    spread : ndarray of float64, shape (n, q)
        Training rows less their mean, times ``half``: no longer than 1.
    """

    mean: np.ndarray
    level: np.ndarray
    coef: np.ndarray
    half: np.ndarray
    spread: np.ndarray

    @classmethod
    def fit(cls, Z: np.ndarray, T: np.ndarray, alpha: float) -> Regression:
        """Train on rows (n, q) and targets (n, K)."""
        mean, level = Z.mean(axis=0), T.mean(axis=0)
        n, width = Z.shape
        # columns in their own units, and a factor of the rows, not of their products: neither a column with
        # large values nor a row far away takes the digits of the others
        stacked = np.concatenate([Z - mean, np.sqrt(alpha) * np.eye(width)])
        unit = 1.0 / np.sqrt((stacked**2).sum(axis=0))
        across, down = np.linalg.qr(stacked * unit)
        turn, values, turned = np.linalg.svd(down)
        least = width * np.finfo(np.float64).eps * values[0]
        half = turned.T * unit[:, None] / np.maximum(values, least)
        spread = across[:n] @ turn
        return cls(mean=mean, level=level, coef=half @ (spread.T @ (T - level)), half=half, spread=spread)

    def errors(self, Z: np.ndarray, T: np.ndarray) -> np.ndarray:
        """Return targets minus predictions, (m, K)."""
        found: np.ndarray = T - self.level - (Z - self.mean) @ self.coef
        return found

    def risk(self, Z: np.ndarray, T: np.ndarray) -> float:
        """Return the mean squared error."""
        return float((self.errors(Z, T) ** 2).mean())

    def pull(self, at: np.ndarray, rows: np.ndarray) -> np.ndarray:
        """Return (m, k): how far predictions at ``at`` (m, q) move as targets of training rows (k,) do."""
        found: np.ndarray = 1.0 / len(self.spread) + (at - self.mean) @ self.half @ self.spread[rows].T
        return found

    def leverage(self, rows: np.ndarray) -> np.ndarray:
        """Return how far training rows (k,) pull their own predictions, below 1."""
        found: np.ndarray = 1.0 / len(self.spread) + (self.spread[rows] ** 2).sum(axis=1)
        return found


def harm(
    Z: np.ndarray, T: np.ndarray, new: np.ndarray, at: np.ndarray, aim: np.ndarray, alpha: float
) -> np.ndarray:
    """Return how much the risk at trusted rows falls when single rows are left out, exactly.

    Without row i the coefficients move by ``-A^-1 x_i e_i / (1 - h_i)`` (A: penalised moments, e: error,
    h: leverage), which changes the errors at the trusted rows, and so the risk, in closed form.

    Parameters
    ----------
    Z, T : ndarray of float64, shapes (n, q) and (n, K)
        Training rows, at least 2, and targets.
    new : ndarray of int64, shape (k,)
        Rows that are left out, one at a time.
    at, aim : ndarray of float64, shapes (m, q) and (m, K)
        Trusted rows and targets.
    alpha : float
        Penalty.

    Returns
    -------
    ndarray of float64, shape (k,)
    """
    full = Regression.fit(Z, T, alpha)
    left = full.errors(at, aim)
    away = 1.0 - full.leverage(new)
    steep = away < STEEP
    step = full.errors(Z[new], T[new]) / np.where(steep, 1.0, away)[:, None]
    pull = full.pull(at, new)
    linear = 2.0 * ((pull.T @ left) * step).sum(axis=1) / left.size
    found: np.ndarray = -(linear + (pull**2).mean(axis=0) * (step**2).mean(axis=1))
    for i in np.flatnonzero(steep):
        rest = Regression.fit(np.delete(Z, new[i], axis=0), np.delete(T, new[i], axis=0), alpha)
        found[i] = full.risk(at, aim) - rest.risk(at, aim)
    return found


def influence(
    Z: np.ndarray, T: np.ndarray, new: np.ndarray, at: np.ndarray, aim: np.ndarray, alpha: float
) -> np.ndarray:
    """Return the first-order term of :func:`harm`, that of a leverage and a step near 0."""
    full = Regression.fit(Z, T, alpha)
    left = full.errors(at, aim)
    slope = (full.pull(at, new).T @ left) * full.errors(Z[new], T[new])
    found: np.ndarray = -2.0 * slope.sum(axis=1) / left.size
    return found
