"""Shapley values of naive Bayes, whose log scores are sums of functions of single features: a closed form."""

from __future__ import annotations

import numpy as np

from mlopsim.explain.arguments import check_shapes


def rivals(intercept: np.ndarray, label: int) -> tuple[float, np.ndarray]:
    """Return which classes a class's log score is compared with: those that training saw.

    Parameters
    ----------
    intercept : ndarray of float64, shape (C,)
        Of a :class:`mlopsim.learners.models.GaussianModel`: minus infinity for classes that it did not see.
    label : int
        The class.

    Returns
    -------
    level : float
        0; minus infinity where training saw no row of the class, plus infinity where it saw no other.
    others : ndarray of int64
        Numbers of the other classes.

    Examples
    --------
    >>> rivals(np.array([-1.0, -0.5, -np.inf]), 1), rivals(np.array([-np.inf, -0.5]), 0)
    ((0.0, array([0])), (-inf, array([1])))
    """
    seen = np.isfinite(intercept)
    others = np.flatnonzero(seen & (np.arange(len(intercept)) != label))
    if not seen[label]:
        return -np.inf, others
    return 0.0 if len(others) else np.inf, others


def terms(half: np.ndarray, centre: np.ndarray, X: np.ndarray, label: int, others: np.ndarray) -> np.ndarray:
    """Return what each feature adds to the log score of a class minus the mean one of others.

    Parameters
    ----------
    half, centre : ndarray of float64, shape (..., C, d)
        Of one model or of many, see :class:`mlopsim.learners.models.GaussianModel`.
    X : ndarray of float64, shape (n, d) or (..., n, d)
        Rows.
    label : int
        The class.
    others : ndarray of int64
        From :func:`rivals`.

    Returns
    -------
    ndarray of float64, shape (..., n, d)
        The leading axes are broadcast.

    Raises
    ------
    DataError
        If shapes disagree.
    """
    for array in (half, centre):
        check_shapes(array[..., 0, :], X, array[..., 0, :])

    def distance(c: int) -> np.ndarray:
        apart: np.ndarray = (X - centre[..., c, None, :]) ** 2 * half[..., c, None, :]
        return apart

    total = -distance(label)
    for c in others.tolist():
        total += distance(c) / len(others)
    return total


def attribute(
    half: np.ndarray,
    centre: np.ndarray,
    X: np.ndarray,
    background: np.ndarray,
    label: int,
    others: np.ndarray,
) -> np.ndarray:
    """Return ``g_j(x_j) - mean g_j(z_j)``: exact interventional Shapley values of naive Bayes's margin.

    Where an output is a sum of functions g_j of single features, each is the attribution of its feature, less
    its mean over the background rows z.

    Parameters
    ----------
    half, centre, label, others
        See :func:`terms`.
    X : ndarray of float64, shape (n, d) or (..., n, d)
        Rows to explain.
    background : ndarray of float64, shape (m, d) or (..., m, d)
        All rows are used.

    Returns
    -------
    ndarray of float64, shape (..., n, d)

    References
    ----------
    Strumbelj and Kononenko (2014), Knowledge and Information Systems 41, 647-665 (additive models).

    Examples
    --------
    >>> half, centre = np.full((2, 1), 0.5), np.array([[-1.0], [1.0]])
    >>> attribute(half, centre, np.array([[1.0]]), np.array([[0.0], [-1.0]]), 1, np.array([0]))
    array([[3.]])
    """
    mean = terms(half, centre, background, label, others).mean(axis=-2, keepdims=True)
    result: np.ndarray = terms(half, centre, X, label, others) - mean
    return result
